#include "spool/sparse_file.hpp"

#include "spool/bytes.hpp"

#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::size_t write_at_once = 256 << 10;
}

sparse_file::sparse_file(disk& files, std::string path) : disk_(files), path_(std::move(path)) {}

sparse_file::~sparse_file() {
    file_.reset();
    if (unfinished_) {
        (void)disk_.remove(path_ + ".tmp");
    }
}

result<void> sparse_file::begin() {
    (void)disk_.remove(path_ + ".tmp"); // left by an earlier attempt
    auto opened = disk_.open(path_ + ".tmp", disk::mode::create_new);
    if (!opened) {
        return opened.error();
    }
    unfinished_ = true;
    file_ = std::move(*opened);
    return {};
}

result<void> sparse_file::add(std::string_view frame) {
    waiting_.append(frame);
    waiting_.resize(round_up(waiting_.size(), 8));
    return waiting_.size() < write_at_once ? result<void>{} : write_waiting();
}

result<void> sparse_file::write_waiting() {
    if (auto done = file_->write_at(written_, waiting_); !done) {
        return done;
    }
    written_ += waiting_.size();
    waiting_.clear();
    return {};
}

result<void> sparse_file::finish(const segment_header& header, const retired_totals& totals) {
    auto done = write_waiting();
    if (done) {
        done = file_->write_at(0, encode_header_area(header, totals));
    }
    if (done) {
        done = file_->sync();
    }
    file_.reset();
    if (done) {
        done = disk_.rename(path_ + ".tmp", path_);
        unfinished_ = !done;
    }
    return done;
}

} // namespace linkrunner::spool
