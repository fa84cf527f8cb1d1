// Walks the frames of a segment by way of a buffer. After damage it goes on at the next 8-byte boundary where
// an intact frame begins. Pages that the disk cannot read count as zeros, so as damage. Disk thread.
#pragma once

#include "env/disk.hpp"
#include "spool/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::spool {

class frame_reader {
  public:
    // Reads [offset, end). `buffer` is the caller's, so that its memory is used again; `chunk_bytes` is read
    // at once.
    frame_reader(disk_file& file, std::uint64_t offset, std::uint64_t end, std::uint32_t salt,
                 std::string& buffer, std::size_t chunk_bytes);

    struct found {
        frame_head head;
        std::uint64_t offset = 0;
        std::string_view frame; // valid until the next call
    };

    // The next intact frame; nothing at the end.
    std::optional<found> next();

    // The event with this number, provided that it stands at or after the position; nothing when the log goes
    // on without it, and the position is then at the frame after. Bodies passed by are not checked.
    std::optional<found> find(sequence number);

    void seek(std::uint64_t offset) noexcept { offset_ = offset; }
    std::uint64_t position() const noexcept { return offset_; }

    // What next() passed over before the frame that it returned, or before the end: [from, to), empty when
    // from == to.
    struct damage {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };
    damage skipped() const noexcept { return skipped_; }

    // Bytes that could not be read, and the first error.
    std::uint64_t unreadable_bytes() const noexcept { return unreadable_bytes_; }
    const std::optional<error>& failure() const noexcept { return failure_; }

    // The bytes at an offset, less where the end is near; for a look at what next() passed over.
    std::string_view bytes_at(std::uint64_t offset, std::size_t length);

  private:
    std::optional<frame_head> head_here();
    void pass_gap();
    void fill(std::uint64_t offset, std::size_t length);
    std::size_t fill_by_pages(std::uint64_t offset, std::size_t length);

    disk_file& file_;
    std::uint64_t offset_;
    std::uint64_t end_;
    std::uint32_t salt_;
    std::string& buffer_;
    std::size_t chunk_bytes_;
    std::uint64_t buffered_from_ = 0;
    std::size_t buffered_ = 0;
    damage skipped_;
    std::uint64_t unreadable_bytes_ = 0;
    std::optional<error> failure_;
};

} // namespace linkrunner::spool
