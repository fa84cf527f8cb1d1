// Loaded into the daemon by LD_PRELOAD (ld.so(8)): makes calls on files of the spool fail as the file that
// FAULTY_DISK names says, line by line "<call> <errno>" or "<call> stall". It is read at each call, so a test
// changes the disk's mind while the daemon runs.
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int stall = -1;

// What the call is to do: 0 its work, an errno, or to stall.
int fate_of(std::string_view call) {
    const char* const control = std::getenv("FAULTY_DISK");
    if (control == nullptr) {
        return 0;
    }
    const long descriptor = ::syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    std::array<char, 256> buffer{};
    const long got = ::syscall(SYS_read, descriptor, buffer.data(), buffer.size());
    ::syscall(SYS_close, descriptor);
    std::string_view text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
        const std::size_t space = line.find(' ');
        if (space != std::string_view::npos && line.substr(0, space) == call) {
            const std::string_view what = line.substr(space + 1);
            return what == "stall" ? stall : std::atoi(std::string(what).c_str());
        }
    }
    return 0;
}

// True when the call is to fail; errno is set then. A stall ends when the file says so.
bool fails(std::string_view call) {
    int fate = fate_of(call);
    while (fate == stall) {
        ::poll(nullptr, 0, 10);
        fate = fate_of(call);
    }
    if (fate != 0) {
        errno = fate;
    }
    return fate != 0;
}

bool is_of_the_spool(std::string_view path) {
    return path.find("/spool/") != std::string_view::npos;
}

bool is_of_the_spool(int descriptor) {
    std::array<char, 512> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
    return length > 0 && is_of_the_spool({path.data(), static_cast<std::size_t>(length)});
}

template <class Call>
Call* real(const char* name) {
    return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" {

int fdatasync(int descriptor) {
    static auto* const call = real<int(int)>("fdatasync");
    return is_of_the_spool(descriptor) && fails("fdatasync") ? -1 : call(descriptor);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
    static auto* const call = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    return is_of_the_spool(descriptor) && fails("pwrite") ? -1 : call(descriptor, bytes, count, offset);
}

int rename(const char* from, const char* to) {
    static auto* const call = real<int(const char*, const char*)>("rename");
    return is_of_the_spool(std::string_view(from)) && fails("rename") ? -1 : call(from, to);
}

int open(const char* path, int flags, ...) {
    static auto* const call = real<int(const char*, int, mode_t)>("open");
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return is_of_the_spool(std::string_view(path)) && fails("open") ? -1 : call(path, flags, mode);
}

} // extern "C"
