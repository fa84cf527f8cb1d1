// A file system of a few MiB of its own (tmpfs), mounted where only this process and its children see it, so
// that it goes with them. Needs root.
#pragma once

#include "support/temp_directory.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <system_error>
#include <unistd.h>

namespace linkrunner::tests {

class small_disk {
  public:
    static bool possible() { return ::geteuid() == 0; }

    // Call on the thread that starts the children.
    explicit small_disk(std::size_t size_bytes) {
        check(::unshare(CLONE_NEWNS), "unshare");
        check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make / private");
        const std::string options = "size=" + std::to_string(size_bytes) + ",mode=0755";
        check(::mount("tmpfs", place_.path().c_str(), "tmpfs", 0, options.c_str()), "mount tmpfs");
    }
    ~small_disk() { ::umount2(place_.path().c_str(), MNT_DETACH); }
    small_disk(const small_disk&) = delete;
    small_disk& operator=(const small_disk&) = delete;

    std::string operator/(const std::string& name) const { return place_ / name; }

    // Takes so much room, or all that is left.
    void fill(std::size_t at_most_bytes = SIZE_MAX) const {
        const int file = ::open((place_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        check(file, "create filler");
        for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{1}}) {
            const std::string zeros(piece, '\0');
            while (piece <= at_most_bytes &&
                   ::write(file, zeros.data(), piece) == static_cast<ssize_t>(piece)) {
                at_most_bytes -= piece;
            }
        }
        ::close(file);
    }
    void make_room() const { ::unlink((place_ / "filler").c_str()); }

    void set_read_only(bool read_only) const {
        check(::mount(nullptr, place_.path().c_str(), nullptr, MS_REMOUNT | (read_only ? MS_RDONLY : 0),
                      nullptr),
              "remount");
    }

  private:
    static void check(int outcome, const char* what) {
        if (outcome < 0) {
            throw std::system_error(errno, std::generic_category(), what);
        }
    }

    temp_directory place_;
};

} // namespace linkrunner::tests
