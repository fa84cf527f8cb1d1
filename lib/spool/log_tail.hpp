// The file that is being written: the newest segment. Bytes are added at its end only, and zeros are kept
// written ahead of the end, so that most syncs change no metadata (fallocate(2) would not do: its extents are
// unwritten, and writing them is a change of metadata).
// A write that fails is cut off again. Where that fails, and after a failed sync, the file is given up: it is
// never written or synced again by this descriptor, and is_open() is false. Disk thread.
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"
#include "spool/header.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linkrunner::spool {

class log_tail {
  public:
    log_tail(disk& files, std::string directory, std::uint64_t ahead_bytes)
        : disk_(files), directory_(std::move(directory)), ahead_bytes_(ahead_bytes) {}

    // Makes <first>.log with this header, in place of one of that name that holds nothing. It is there, and
    // will be after a crash, when this succeeds.
    result<void> begin(const segment_header& header, const retired_totals& totals);

    bool is_open() const noexcept { return file_ != nullptr; }
    std::uint64_t end() const noexcept { return end_; }
    std::uint64_t file_bytes() const noexcept { return file_bytes_; }

    // By how much the file would grow.
    std::uint64_t growth(std::size_t bytes) const noexcept;

    // Adds bytes at the end; the file should not grow beyond `limit` for zeros.
    result<void> write(std::string_view bytes, std::uint64_t limit);
    result<void> sync();

    // Takes back the last write: what was written does not count. For a group that is refused after all.
    result<void> cut_back(std::uint64_t end);

    // Into the place that their generation has, or the other one (1): the last ones synced stay.
    result<void> write_totals(const retired_totals& totals, std::uint64_t other = 0);

    // Tries to get room: writes zeros ahead and syncs them.
    result<void> probe();

    // Lets go of the file, without the zeros.
    void seal();

  private:
    result<void> write_new(const std::string& path, const std::string& area);
    result<void> write_zeros(std::uint64_t to);
    void abandon();

    disk& disk_;
    std::string directory_;
    std::uint64_t ahead_bytes_;
    std::unique_ptr<disk_file> file_;
    std::uint64_t end_ = 0;
    std::uint64_t file_bytes_ = 0;
};

} // namespace linkrunner::spool
