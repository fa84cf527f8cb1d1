#include "net/activation.hpp"

#include "net/environment.hpp"

#include <fcntl.h>
#include <string_view>
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
            taken.push_back({each, next_name(names)});
        }
    }
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        ::unsetenv(name);
    }
    return taken;
}

} // namespace linkrunner::net
