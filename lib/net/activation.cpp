#include "net/activation.hpp"

#include "net/environment.hpp"
#include "net/listening_socket.hpp"

#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace linkrunner::net {
namespace {

constexpr int first_descriptor = 3; // SD_LISTEN_FDS_START

// The text up to the next colon, which is taken off.
std::string next_name(std::string_view& names) {
    const auto name = names.substr(0, names.find(':'));
    names.remove_prefix(name.size() < names.size() ? name.size() + 1 : name.size());
    return name.empty() ? "unknown" : std::string(name);
}

std::string address_of(int descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6 && address.ss_family != AF_UNIX)) {
        return {};
    }
    return text_of(address, length);
}

} // namespace

std::vector<inherited_socket> take_inherited_sockets() {
    std::vector<inherited_socket> taken;
    if (environment_number<pid_t>("LISTEN_PID") == ::getpid()) {
        const int count = environment_number<int>("LISTEN_FDS").value_or(0);
        std::string_view names = environment_variable("LISTEN_FDNAMES");
        for (int i = 0; i < count; ++i) {
            const int each = first_descriptor + i;
            if (::fcntl(each, F_SETFD, FD_CLOEXEC) != 0) {
                break; // the count was wrong
            }
            taken.push_back({each, next_name(names), address_of(each)});
        }
    }
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        ::unsetenv(name);
    }
    return taken;
}

} // namespace linkrunner::net
