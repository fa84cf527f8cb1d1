// The disk as a port: exactly the calls that the spool makes, so that a test can forget what was not synced,
// fill up, tear a write or fail the Nth call. Used by one thread, the disk thread. Errors carry errno in
// error.code (generic category) and name the file and the call in the message.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner {

// An open file; closing is the destructor's work. A short read means the end of the file.
class disk_file {
  public:
    virtual ~disk_file() = default;
    virtual result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
    // Writes all or fails; after a failure any prefix may have been written.
    virtual result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
    // fdatasync(2). After a failure the descriptor must not be synced again: the kernel may have dropped the
    // dirty pages and would answer success (see fsync(2), and PostgreSQL's "fsyncgate", 2018).
    virtual result<void> sync() = 0;
    virtual result<void> truncate(std::uint64_t size_bytes) = 0;
    virtual result<std::uint64_t> size() = 0;
};

class disk {
  public:
    enum class mode { read, read_write, create_new };

    virtual ~disk() = default;
    virtual result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) = 0;
    virtual result<void> rename(const std::string& from, const std::string& to) = 0;
    virtual result<void> remove(const std::string& path) = 0;
    // Names (not paths) of the regular files in a directory, in no order.
    virtual result<std::vector<std::string>> list(const std::string& directory) = 0;
    virtual result<void> make_directory(const std::string& path) = 0; // existing is success
    virtual result<void> sync_directory(const std::string& path) = 0;
    // Bytes that this process can still write on the file system of `path`.
    virtual result<std::uint64_t> free_bytes(const std::string& path) = 0;
    // Takes an exclusive lock that lasts as long as the returned file. errc::device_or_resource_busy when
    // another holds it; the message names that process, its host, and since when.
    virtual result<std::unique_ptr<disk_file>> lock(const std::string& path) = 0;
};

// The machine's disk by POSIX calls.
std::unique_ptr<disk> make_posix_disk();

// For those who only read: while it lasts, nobody gets the lock. Needs no right to write and writes nothing.
// Errors as disk::lock, and errc::no_such_file_or_directory where there never was a lock.
result<std::unique_ptr<disk_file>> share_lock(const std::string& path);

} // namespace linkrunner
