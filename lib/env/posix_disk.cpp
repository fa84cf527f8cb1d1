#include "env/disk.hpp"
#include "env/lock_owner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace linkrunner {

namespace {

// Events may hold personal data: nobody but the daemon's user reads them.
constexpr mode_t file_mode = S_IRUSR | S_IWUSR;

error failed(const char* call, const std::string& path) {
    return system_failure(errno, std::string(call) + " " + path);
}

class posix_file final : public disk_file {
  public:
    posix_file(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    posix_file(const posix_file&) = delete;
    posix_file& operator=(const posix_file&) = delete;
    ~posix_file() override { ::close(descriptor_); }

    result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got = ::pread(descriptor_, into.data() + done, into.size() - done,
                                        static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0) {
                return failed("read", path_);
            }
            if (got == 0) {
                break;
            }
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) {
                continue;
            }
            if (put < 0) {
                return failed("write", path_);
            }
            if (put == 0) { // POSIX allows it for regular files in no case; do not spin on it
                errno = EIO;
                return failed("write", path_);
            }
            offset += static_cast<std::uint64_t>(put);
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return {};
    }

    result<void> sync() override {
        // EINTR is not retried: fdatasync(2) does not say what was written when it fails.
        if (::fdatasync(descriptor_) != 0) {
            return failed("fdatasync", path_);
        }
        return {};
    }

    result<void> truncate(std::uint64_t size_bytes) override {
        while (::ftruncate(descriptor_, static_cast<off_t>(size_bytes)) != 0) {
            if (errno != EINTR) {
                return failed("truncate", path_);
            }
        }
        return {};
    }

    result<std::uint64_t> size() override {
        struct stat about{};
        if (::fstat(descriptor_, &about) != 0) {
            return failed("stat", path_);
        }
        return static_cast<std::uint64_t>(about.st_size);
    }

  private:
    int descriptor_;
    std::string path_;
};

// A file is never reached through a symbolic link; a directory may be one, as systemd makes it for
// StateDirectory= with DynamicUser=.
int open_retrying(const std::string& path, int flags) {
    const int follow = (flags & O_DIRECTORY) != 0 ? 0 : O_NOFOLLOW;
    int descriptor = -1;
    do {
        descriptor = ::open(path.c_str(), flags | follow | O_CLOEXEC, file_mode);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

// flock(2): it goes with the process however that ends, and is seen across containers on one host.
result<void> lock_descriptor(int descriptor, int how, const std::string& path) {
    if (::flock(descriptor, how | LOCK_NB) == 0) {
        return {};
    }
    if (errno != EWOULDBLOCK) {
        return failed("lock", path);
    }
    std::array<char, 512> text{};
    const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
    const std::string_view written(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return make_error(std::errc::device_or_resource_busy, path + ": in use by " + read_lock_owner(written));
}

class posix_disk final : public disk {
  public:
    result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) override {
        int flags = O_RDONLY;
        if (how == mode::read_write) {
            flags = O_RDWR;
        } else if (how == mode::create_new) {
            flags = O_RDWR | O_CREAT | O_EXCL;
        }
        const int descriptor = open_retrying(path, flags);
        if (descriptor < 0) {
            return failed("open", path);
        }
        return std::unique_ptr<disk_file>(std::make_unique<posix_file>(descriptor, path));
    }

    result<void> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) {
            return failed("rename", from);
        }
        return {};
    }

    result<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) {
            return failed("remove", path);
        }
        return {};
    }

    result<std::vector<std::string>> list(const std::string& directory) override {
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
        if (!stream) {
            return failed("open directory", directory);
        }
        std::vector<std::string> names;
        for (;;) {
            errno = 0;
            // One stream, one thread: readdir(3) is safe then.
            const dirent* entry = ::readdir(stream.get()); // NOLINT(concurrency-mt-unsafe)
            if (entry == nullptr) {
                break;
            }
            struct stat about{};
            if (::fstatat(::dirfd(stream.get()), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISREG(about.st_mode)) {
                names.emplace_back(entry->d_name);
            }
        }
        if (errno != 0) {
            return failed("list", directory);
        }
        return names;
    }

    result<void> make_directory(const std::string& path) override {
        std::error_code failure;
        const bool made = std::filesystem::create_directories(path, failure);
        if (failure) {
            return error{failure, "make directory " + path + ": " + failure.message()};
        }
        if (made && ::chmod(path.c_str(), S_IRWXU) != 0) {
            return failed("chmod", path);
        }
        return {};
    }

    result<void> sync_directory(const std::string& path) override {
        const int descriptor = open_retrying(path, O_RDONLY | O_DIRECTORY);
        if (descriptor < 0) {
            return failed("open directory", path);
        }
        const posix_file directory(descriptor, path);
        // fsync: a directory's entries are its data, yet fdatasync is not promised to write them.
        if (::fsync(descriptor) != 0) {
            return failed("fsync directory", path);
        }
        return {};
    }

    result<std::uint64_t> free_bytes(const std::string& path) override {
        struct statvfs about{};
        if (::statvfs(path.c_str(), &about) != 0) {
            return failed("statvfs", path);
        }
        const auto blocks = ::geteuid() == 0 ? about.f_bfree : about.f_bavail; // root may use the reserve
        return static_cast<std::uint64_t>(blocks) * about.f_frsize;
    }

    result<std::unique_ptr<disk_file>> lock(const std::string& path) override {
        const int descriptor = open_retrying(path, O_RDWR | O_CREAT);
        if (descriptor < 0) {
            return failed("open", path);
        }
        auto file = std::make_unique<posix_file>(descriptor, path);
        if (auto locked = lock_descriptor(descriptor, LOCK_EX, path); !locked) {
            return locked.error();
        }
        // Who it is, is a courtesy to the next one: on a full disk the lock holds without it.
        if (file->truncate(0)) {
            (void)file->write_at(0, describe_lock_owner());
        }
        return std::unique_ptr<disk_file>(std::move(file));
    }
};

} // namespace

std::unique_ptr<disk> make_posix_disk() {
    return std::make_unique<posix_disk>();
}

result<std::unique_ptr<disk_file>> share_lock(const std::string& path) {
    const int descriptor = open_retrying(path, O_RDONLY);
    if (descriptor < 0) {
        return failed("open", path);
    }
    auto file = std::make_unique<posix_file>(descriptor, path);
    if (auto locked = lock_descriptor(descriptor, LOCK_SH, path); !locked) {
        return locked.error();
    }
    return std::unique_ptr<disk_file>(std::move(file));
}

} // namespace linkrunner
