#include "spool/clean_file.hpp"

#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::size_t at_once = 1 << 20;
}

result<clean_file> clean_file::make(disk& files, std::string directory, std::string name) {
    std::string path = std::move(directory) + "/" + std::move(name);
    auto file = files.open(path + ".tmp", disk::mode::create_new);
    if (!file) {
        return file.error();
    }
    return clean_file(files, std::move(path), std::move(*file));
}

void clean_file::add(std::string_view bytes) {
    waiting_ += bytes;
    if (waiting_.size() >= at_once) {
        flush();
    }
}

void clean_file::flush() {
    if (outcome_) {
        outcome_ = file_->write_at(written_, waiting_);
        written_ += waiting_.size();
    }
    waiting_.clear();
}

result<void> clean_file::finish() {
    flush();
    if (outcome_) {
        outcome_ = file_->sync();
    }
    file_.reset();
    if (outcome_) {
        outcome_ = disk_->rename(path_ + ".tmp", path_);
    }
    return outcome_;
}

} // namespace linkrunner::spool
