// The least that a durable log can do, as a measure for the spool: frames with a CRC-32C appended to
// segments, zeros written 1 MiB ahead, one fdatasync per group; a completion is a 16-byte record with a
// CRC-32C in one file beside them, synced once a second. A segment whose events are complete is removed. No
// lanes, no identities, no checks of what is stored, no room for a full disk, no bound, no recovery.
#pragma once

#include "base/crc32c.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace linkrunner {

class bare_log {
  public:
    explicit bare_log(std::string directory)
        : directory_(std::move(directory)), marks_(directory_ + "/marks", marks_ahead_bytes) {
        begin();
    }

    // Returns the number of the first of them.
    std::uint64_t append(std::span<const std::string_view> bodies) {
        group_.clear();
        const std::uint64_t first = next_;
        for (const std::string_view body : bodies) {
            const std::size_t start = group_.size();
            group_.resize(start + head_bytes);
            group_ += body;
            group_.resize((group_.size() + 7) / 8 * 8);
            put(start + 4, static_cast<std::uint32_t>(body.size()));
            put(start + 8, next_++);
            put(start, crc32c(std::string_view(group_).substr(start + 4, 12 + body.size())));
        }
        if (segments_.back().log.end + group_.size() > segment_bytes) {
            begin();
        }
        segment& tail = segments_.back();
        tail.log.write(group_);
        tail.log.sync();
        tail.pending += bodies.size();
        return first;
    }

    // The events [first, last) are done with.
    void complete(std::uint64_t first, std::uint64_t last) {
        group_.clear();
        for (std::uint64_t number = first; number < last; ++number) {
            const std::size_t start = group_.size();
            group_.resize(start + 16);
            put(start + 4, std::uint32_t{1});
            put(start + 8, number);
            put(start, crc32c(std::string_view(group_).substr(start + 4, 12)));
            for (auto each = segments_.rbegin(); each != segments_.rend(); ++each) {
                if (each->first <= number) {
                    --each->pending;
                    break;
                }
            }
        }
        marks_.write(group_);
        const auto now = std::chrono::steady_clock::now();
        if (now - synced_ >= std::chrono::seconds(1)) {
            marks_.sync();
            synced_ = now;
        }
        while (segments_.size() > 1 && segments_.front().pending == 0) {
            ::unlink(segments_.front().log.path.c_str());
            segments_.pop_front();
        }
    }

  private:
    static constexpr std::size_t head_bytes = 16; // checksum, length, number
    static constexpr std::uint64_t segment_bytes = 16 << 20;
    static constexpr std::uint64_t log_ahead_bytes = 1 << 20;
    static constexpr std::uint64_t marks_ahead_bytes = 64 << 10;

    struct file {
        file(std::string name, std::uint64_t ahead)
            : path(std::move(name)), ahead_bytes(ahead),
              descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
            require(descriptor >= 0, "open");
        }
        file(file&& other) noexcept
            : path(std::move(other.path)), ahead_bytes(other.ahead_bytes), end(other.end), size(other.size),
              descriptor(std::exchange(other.descriptor, -1)) {}
        file& operator=(file&&) = delete;
        ~file() {
            if (descriptor >= 0) {
                ::close(descriptor);
            }
        }
        void write(std::string_view bytes) {
            put_at(end, bytes);
            end += bytes.size();
            static const std::string zeros(64 << 10, '\0');
            if (end > size) {
                for (size = end; size < end + ahead_bytes; size += zeros.size()) {
                    put_at(size, zeros);
                }
            }
        }
        void put_at(std::uint64_t at, std::string_view bytes) const {
            require(::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
                        static_cast<ssize_t>(bytes.size()),
                    "write");
        }
        void sync() const { require(::fdatasync(descriptor) == 0, "fdatasync"); }

        std::string path;
        std::uint64_t ahead_bytes;
        std::uint64_t end = 0;
        std::uint64_t size = 0;
        int descriptor;
    };
    struct segment {
        std::uint64_t first;
        std::uint64_t pending;
        file log;
    };

    static void require(bool holds, const char* what) {
        if (!holds) {
            std::perror(what);
            std::exit(1);
        }
    }
    template <class T>
    void put(std::size_t at, T value) {
        std::memcpy(group_.data() + at, &value, sizeof value);
    }
    void begin() {
        segments_.push_back(
            {next_, 0, file(directory_ + "/" + std::to_string(next_) + ".log", log_ahead_bytes)});
    }

    std::string directory_;
    file marks_;
    std::deque<segment> segments_;
    std::string group_;
    std::uint64_t next_ = 1;
    std::chrono::steady_clock::time_point synced_{};
};

} // namespace linkrunner
