// Room set aside for a full disk: the file `reserve`, zeros really written. What deliveries and retirement
// write (marks, identities, the header of a new segment) may have its room when there is no other, so that a
// disk without a free byte is emptied by delivering. While it is smaller than it should be, no event is
// taken. It is not synced: a file system that has taken a write has set the room aside, and after a crash
// that made the file shorter the room is free. (Where nothing is reserved before blocks are written, as over
// NFS, and where each write takes new room, as on btrfs or ZFS, it is worth less.) Disk thread.
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace linkrunner::spool {

class reserve {
  public:
    // `found_bytes`: the size that recovery found, 0 where there is no such file.
    reserve(disk& files, std::string directory, std::uint64_t found_bytes, std::uint64_t step_bytes);

    std::uint64_t bytes() const noexcept { return bytes_; }

    // The size that it is given to hold `wanted`: it grows in steps, and one ahead.
    std::uint64_t size_for(std::uint64_t wanted) const noexcept;

    // Grows to size_for(wanted), unless it holds `wanted`. After a failure what could be had is kept.
    result<void> ensure(std::uint64_t wanted);

    // Shrinks to size_for(wanted).
    void trim(std::uint64_t wanted);

    // Frees `bytes`, or all that is left; false when nothing could be freed.
    bool give(std::uint64_t bytes);

  private:
    result<void> open();
    bool cut(std::uint64_t to);

    disk& disk_;
    std::string path_;
    std::uint64_t step_bytes_;
    std::uint64_t bytes_;
    std::unique_ptr<disk_file> file_; // stays open: without a descriptor to spare it is needed all the same
};

} // namespace linkrunner::spool
