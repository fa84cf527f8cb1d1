#include "spool/mark_log.hpp"

#include "spool/bytes.hpp"
#include "spool/file_names.hpp"
#include "spool/frame.hpp"
#include "spool/mark_reader.hpp"
#include "spool/whole_file.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

mark_log::mark_log(disk& files, std::string directory, sequence first, marks_header header,
                   std::uint64_t ahead_bytes)
    : disk_(files), directory_(std::move(directory)), first_(first), header_(header),
      salt_(salt_of(header.hash_seed)), ahead_bytes_(ahead_bytes) {}

void mark_log::resume(std::uint32_t generation, std::uint64_t end, std::uint64_t size_bytes,
                      std::uint64_t others_bytes) {
    if (!exists_) {
        first_generation_ = generation;
    }
    generation_ = generation;
    exists_ = true;
    settled_ = false;
    end_ = end;
    size_bytes_ = size_bytes;
    others_bytes_ = others_bytes;
}

std::string mark_log::path(std::uint32_t generation) const {
    return directory_ + "/" + marks_name(first_, generation);
}

result<void> mark_log::prepare() {
    if (!file_) {
        if (auto opened = open_file(); !opened) {
            return opened;
        }
    }
    if (end_ == 0 || header_lost_) {
        const std::string header = encode_marks_header(header_);
        if (auto written = file_->write_at(0, header); !written) {
            return written;
        }
        header_lost_ = false;
        end_ = std::max<std::uint64_t>(end_, header.size());
        size_bytes_ = std::max<std::uint64_t>(size_bytes_, end_);
    }
    return {};
}

result<void> mark_log::open_file() {
    auto opened = disk_.open(path(generation_), exists_ ? disk::mode::read_write : disk::mode::create_new);
    if (!opened) {
        if (!exists_ && opened.error().code == std::errc::file_exists) {
            ++generation_; // left by a creation whose failure was not one
        }
        return opened.error();
    }
    file_ = std::move(*opened);
    if (!exists_) {
        exists_ = true;
        entry_synced_ = false;
        end_ = 0;
        size_bytes_ = 0;
    }
    return {};
}

result<void> mark_log::write() {
    if (waiting_.empty()) {
        return {};
    }
    if (auto ready = prepare(); !ready) {
        return ready;
    }
    // A failed write may leave a part: the next attempt writes over it, and a reader skips what is torn.
    if (auto written = file_->write_at(end_, waiting_); !written) {
        if (const auto size = file_->size()) {
            size_bytes_ = *size;
        }
        return written;
    }
    end_ += waiting_.size();
    unsynced_ += waiting_;
    waiting_.clear();
    if (end_ > size_bytes_) {
        size_bytes_ = end_;
        write_ahead();
    }
    return {};
}

std::uint64_t mark_log::growth() const noexcept {
    const std::uint64_t end = std::max<std::uint64_t>(end_, marks_header_bytes) + waiting_.size();
    return waiting_.empty() || end <= size_bytes_ ? 0 : round_up(end + ahead_bytes_, 4096) - size_bytes_;
}

// Room ahead is a matter of speed: without it the marks are as safe.
void mark_log::write_ahead() {
    const std::uint64_t target = round_up(end_ + ahead_bytes_, 4096);
    const std::string zeros(target - end_, '\0');
    if (file_->write_at(end_, zeros)) {
        size_bytes_ = target;
    } else if (const auto size = file_->size()) {
        size_bytes_ = *size;
    }
}

result<void> mark_log::sync() {
    for (int attempt = 0;; ++attempt) {
        auto done = write();
        if (done && !settled_) {
            done = prepare();
        }
        if (!done || !file_) {
            return done;
        }
        done = file_->sync();
        if (done) {
            unsynced_.clear();
            settled_ = true;
            break;
        }
        abandon();
        if (attempt == 1) {
            return done;
        }
    }
    if (!entry_synced_) {
        if (auto done = disk_.sync_directory(directory_); !done) {
            return done;
        }
        entry_synced_ = true;
    }
    return {};
}

void mark_log::abandon() {
    file_.reset();
    if (!settled_) { // none of what it holds is known to be on the disk
        const auto content = read_whole(disk_, path(generation_));
        unsynced_ =
            content && content->size() > marks_header_bytes ? content->substr(marks_header_bytes) : "";
        unsynced_.resize(scan_marks(unsynced_, salt_, [](const mark_view&) {}).end);
        settled_ = true;
    }
    ++generation_;
    exists_ = false;
    entry_synced_ = false;
    others_bytes_ += std::exchange(size_bytes_, 0);
    end_ = 0;
    waiting_.insert(0, unsynced_);
    unsynced_.clear();
}

void mark_log::close() {
    file_.reset();
}

result<void> mark_log::for_each(const std::function<void(const mark_view&)>& each) const {
    const std::uint32_t generations = generation_ + (exists_ ? 1 : 0);
    std::string buffer;
    for (std::uint32_t generation = first_generation_; generation < generations; ++generation) {
        const auto file = disk_.open(path(generation), disk::mode::read);
        if (!file && file.error().code == std::errc::no_such_file_or_directory) {
            continue;
        }
        if (!file) {
            return file.error();
        }
        std::string area(marks_header_bytes, '\0');
        if (const auto got = (*file)->read_at(0, area); !got) {
            return got.error();
        }
        // As at start: a header that is damaged says nothing against its records, they have checksums.
        const auto header = decode_marks_header(area);
        if (header && header_.segment_id != 0 && header->segment_id != header_.segment_id) {
            continue;
        }
        mark_reader reader(**file, marks_header_bytes, salt_, buffer);
        while (const auto view = reader.next()) {
            each(*view);
        }
        if (reader.failure()) {
            return *reader.failure();
        }
    }
    for_each_waiting(each);
    return {};
}

void mark_log::for_each_waiting(const std::function<void(const mark_view&)>& each) const {
    scan_marks(waiting_, salt_, each);
}

} // namespace linkrunner::spool
