// Walks the records of a marks file by way of a small buffer, so that its memory does not grow with the file.
// What is damaged is passed over, and can be asked for. Changes nothing. Disk thread, or whoever owns the
// file.
#pragma once

#include "env/disk.hpp"
#include "spool/mark_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

class mark_reader {
  public:
    // From `offset` to the end of the file. `buffer` is the caller's, so that its memory is used again.
    mark_reader(disk_file& file, std::uint64_t offset, std::uint32_t salt, std::string& buffer);

    // The next intact record; valid until the next call. Nothing at the end, and where reading fails.
    std::optional<mark_view> next();

    // Bytes that are not zero and no record: [from, to). Those after the last record are left by a write that
    // a crash cut short, and do not stand here.
    struct damage {
        std::uint64_t from = 0;
        std::uint64_t to = 0;
    };
    const std::vector<damage>& damaged() const noexcept { return damaged_; }
    const std::optional<error>& failure() const noexcept { return failure_; }

  private:
    bool fill();
    std::string_view here() const noexcept;

    disk_file& file_;
    std::uint32_t salt_;
    std::string& buffer_;
    std::uint64_t buffered_from_;
    std::size_t buffered_ = 0;
    std::size_t at_ = 0; // in the buffer
    bool at_end_ = false;
    std::optional<std::uint64_t> skipped_from_;
    std::vector<damage> damaged_;
    std::optional<error> failure_;
};

} // namespace linkrunner::spool
