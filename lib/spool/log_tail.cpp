#include "spool/log_tail.hpp"

#include "spool/bytes.hpp"
#include "spool/file_names.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::size_t zeros_at_once = 64 * 1024;
}

result<void> log_tail::begin(const segment_header& header, const retired_totals& totals) {
    const std::string path = directory_ + "/" + segment_name(header.first);
    const std::string unfinished = path + ".tmp";
    (void)disk_.remove(unfinished); // left by an earlier attempt
    auto done = write_new(unfinished, encode_header_area(header, totals));
    if (done) {
        done = disk_.rename(unfinished, path);
    }
    if (!done) {
        file_.reset();
        (void)disk_.remove(unfinished);
        return done;
    }
    done = disk_.sync_directory(directory_);
    if (!done) {
        file_.reset(); // holds nothing: the next attempt takes its place
    }
    return done;
}

result<void> log_tail::write_new(const std::string& path, const std::string& area) {
    auto opened = disk_.open(path, disk::mode::create_new);
    if (!opened) {
        return opened.error();
    }
    file_ = std::move(*opened);
    end_ = area.size();
    file_bytes_ = area.size();
    if (auto written = file_->write_at(0, area); !written) {
        return written;
    }
    (void)write_zeros(end_ + ahead_bytes_); // without them it is slower, not less safe
    return file_->sync();
}

result<void> log_tail::write_zeros(std::uint64_t to) {
    static const std::string zeros(zeros_at_once, '\0');
    while (file_bytes_ < to) {
        const auto step = std::min<std::uint64_t>(to - file_bytes_, zeros.size());
        if (auto written = file_->write_at(file_bytes_, std::string_view(zeros).substr(0, step)); !written) {
            if (const auto size = file_->size()) {
                file_bytes_ = *size;
            }
            return written;
        }
        file_bytes_ += step;
    }
    return {};
}

std::uint64_t log_tail::growth(std::size_t bytes) const noexcept {
    return end_ + bytes > file_bytes_ ? end_ + bytes - file_bytes_ : 0;
}

result<void> log_tail::write(std::string_view bytes, std::uint64_t limit) {
    const std::uint64_t before = end_;
    if (auto written = file_->write_at(end_, bytes); !written) {
        (void)cut_back(before);
        return written;
    }
    end_ += bytes.size();
    if (end_ > file_bytes_) {
        file_bytes_ = end_;
        (void)write_zeros(std::min(round_up(end_ + ahead_bytes_, 4096), std::max(limit, end_)));
    }
    return {};
}

result<void> log_tail::cut_back(std::uint64_t end) {
    end_ = end;
    auto done = file_->truncate(end);
    if (done) {
        file_bytes_ = end;
        done = file_->sync(); // else a crash could bring back a refused group
    }
    if (!done) {
        abandon();
    }
    return done;
}

result<void> log_tail::sync() {
    auto done = file_->sync();
    if (!done) {
        abandon();
    }
    return done;
}

result<void> log_tail::write_totals(const retired_totals& totals, std::uint64_t other) {
    const std::uint64_t offset = totals_offsets[(totals.generation + other) % totals_offsets.size()];
    return file_->write_at(offset, encode_totals(totals));
}

result<void> log_tail::probe() {
    if (auto written = write_zeros(round_up(end_ + ahead_bytes_, 4096)); !written) {
        return written;
    }
    return sync();
}

void log_tail::seal() {
    if (file_->truncate(end_)) {
        file_bytes_ = end_;
    }
    file_.reset();
}

void log_tail::abandon() {
    if (const auto size = file_->size()) {
        file_bytes_ = *size;
    }
    file_.reset();
}

} // namespace linkrunner::spool
