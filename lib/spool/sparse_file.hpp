// Writes a compacted segment: frames one after another into <name>.tmp, the header last, synced, and renamed
// into place in one step. Until then nothing that counts has changed. Disk thread.
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"
#include "spool/header.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linkrunner::spool {

class sparse_file {
  public:
    // `path`: where it will stand, in place of what has that name.
    sparse_file(disk& files, std::string path);
    ~sparse_file(); // an unfinished one is removed
    sparse_file(const sparse_file&) = delete;
    sparse_file& operator=(const sparse_file&) = delete;

    result<void> begin();

    // Adds a frame, padded.
    result<void> add(std::string_view frame);
    std::uint64_t end() const noexcept { return written_ + waiting_.size(); }

    // After success the file has its name; that this lasts is for the directory to be synced.
    result<void> finish(const segment_header& header, const retired_totals& totals);

  private:
    result<void> write_waiting();

    disk& disk_;
    std::string path_;
    std::unique_ptr<disk_file> file_;
    std::uint64_t written_ = header_area_bytes;
    std::string waiting_;
    bool unfinished_ = false; // the temporary file may be there
};

} // namespace linkrunner::spool
