#include "net/listening_socket.hpp"

#include "net/descriptor.hpp"
#include "net/host_port.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace linkrunner::net {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr int backlog = 4096; // the kernel cuts it to net.core.somaxconn

struct unix_address {
    sockaddr_un address{};
    socklen_t length = 0;
    bool abstract = false;
};

error failed(const listen_address& options, const std::string& what) {
    return system_failure(errno, "listen on " + options.text + ": " + what);
}

result<unix_address> parse_unix(const listen_address& options) {
    const auto name = std::string_view(options.text).substr(unix_prefix.size());
    unix_address made;
    made.address.sun_family = AF_UNIX;
    if (name.empty() || name == "@") {
        return make_error(std::errc::invalid_argument, "listen on " + options.text + ": the path is missing");
    }
    if (name.size() >= sizeof made.address.sun_path) {
        return make_error(std::errc::filename_too_long,
                          "listen on " + options.text + ": a Unix socket's path has at most " +
                              std::to_string(sizeof made.address.sun_path - 1) + " bytes");
    }
    std::memcpy(made.address.sun_path, name.data(), name.size());
    made.abstract = name.front() == '@';
    if (made.abstract) {
        made.address.sun_path[0] = '\0';
    }
    made.length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (made.abstract ? 0 : 1));
    return made;
}

result<std::optional<gid_t>> find_group(const std::string& name) {
    if (name.empty()) {
        return std::optional<gid_t>{};
    }
    gid_t number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failure == std::errc{} && end == name.data() + name.size()) {
        return std::optional<gid_t>{number};
    }
    std::vector<char> memory(16 * 1024);
    group entry{};
    group* found = nullptr;
    int status = ERANGE;
    while ((status = ::getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found)) == ERANGE) {
        memory.resize(memory.size() * 2);
    }
    if (found == nullptr) {
        return make_error(std::errc::invalid_argument, "there is no group named " + name);
    }
    return std::optional<gid_t>{found->gr_gid};
}

// A socket file that nobody answers on was left by a killed process.
result<void> remove_stale(const listen_address& options, const unix_address& where) {
    const char* path = where.address.sun_path;
    struct stat file{};
    if (::lstat(path, &file) != 0) {
        return errno == ENOENT ? result<void>{} : result<void>(failed(options, "look at the file"));
    }
    if (!S_ISSOCK(file.st_mode)) {
        return make_error(std::errc::file_exists, "listen on " + options.text +
                                                      ": a file that is not a socket is in the way; move it");
    }
    const unique_descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&where.address), where.length) == 0 ||
        errno == EAGAIN || errno == EINPROGRESS) {
        return make_error(std::errc::address_in_use,
                          "listen on " + options.text +
                              ": another process serves this socket; stop it first");
    }
    if (errno != ECONNREFUSED && errno != ENOENT) {
        return failed(options, "ask whether the socket is in use");
    }
    if (::unlink(path) != 0 && errno != ENOENT) {
        return failed(options, "remove the stale socket");
    }
    return {};
}

// Group and mode are set before listen(2): until then nobody can connect.
result<int> open_unix(const listen_address& options) {
    const auto where = parse_unix(options);
    if (!where) {
        return where.error();
    }
    const auto group = find_group(options.unix_group);
    if (!group) {
        return error{group.error().code, "listen on " + options.text + ": " + group.error().message};
    }
    unique_descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.get() < 0) {
        return failed(options, "socket");
    }
    if (!where->abstract) {
        if (const auto removed = remove_stale(options, *where); !removed) {
            return removed.error();
        }
        ::fchmod(made.get(), 0600); // Linux gives the file this mode, see unix(7)
    }
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&where->address), where->length) != 0) {
        return failed(options, errno == EACCES   ? "no permission to make the socket's file"
                               : errno == ENOENT ? "the directory is missing"
                                                 : "bind");
    }
    const char* path = where->address.sun_path;
    if (!where->abstract) {
        if (*group && ::lchown(path, static_cast<uid_t>(-1), **group) != 0) {
            const auto why = failed(options, "give the socket to group " + options.unix_group);
            ::unlink(path);
            return why;
        }
        if (::chmod(path, options.unix_mode) != 0) {
            const auto why = failed(options, "set the socket's mode");
            ::unlink(path);
            return why;
        }
    }
    if (::listen(made.get(), backlog) != 0) {
        return failed(options, "listen");
    }
    return made.release();
}

result<int> open_tcp_on(const listen_address& options, const addrinfo& address) {
    unique_descriptor made(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.get() < 0) {
        return failed(options, "socket");
    }
    const int on = 1;
    ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets inherit it, which saves a call for each.
    ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (address.ai_family == AF_INET6) {
        ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (::bind(made.get(), address.ai_addr, address.ai_addrlen) != 0) {
        return failed(options, errno == EADDRINUSE
                                   ? "another process uses this port; choose another or stop it"
                               : errno == EACCES        ? "no permission for this port; choose one above 1023"
                               : errno == EADDRNOTAVAIL ? "this machine has no such address"
                                                        : "bind");
    }
    if (::listen(made.get(), backlog) != 0) {
        return failed(options, "listen");
    }
    return made.release();
}

// A name with several addresses is bound to its first IPv4 one: that is where most clients look first.
result<int> open_tcp(const listen_address& options) {
    const auto where = split_host_port(options.text);
    if (!where || where->host.empty()) {
        return make_error(std::errc::invalid_argument,
                          "listen on " + options.text +
                              ": expected host:port, [IPv6 address]:port or unix:/path");
    }
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const auto port = std::to_string(where->port);
    if (const int status = ::getaddrinfo(where->host.c_str(), port.c_str(), &wanted, &found); status != 0) {
        return make_error(std::errc::address_not_available,
                          "listen on " + options.text + ": " + ::gai_strerror(status));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
    const addrinfo* chosen = list.get();
    for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
        if (each->ai_family == AF_INET) {
            chosen = each;
            break;
        }
    }
    return open_tcp_on(options, *chosen);
}

result<int> take_inherited(const listen_address& options) {
    const int made = options.inherited_fd;
    int listening = 0, type = 0;
    socklen_t length = sizeof listening;
    if (::getsockopt(made, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0) {
        return failed(options, "descriptor " + std::to_string(made));
    }
    length = sizeof type;
    ::getsockopt(made, SOL_SOCKET, SO_TYPE, &type, &length);
    if (listening == 0 || type != SOCK_STREAM) {
        return make_error(std::errc::invalid_argument,
                          "listen on " + options.text + ": descriptor " + std::to_string(made) +
                              " is not a listening stream socket; the socket unit needs ListenStream=");
    }
    const int flags = ::fcntl(made, F_GETFL);
    if (flags < 0 || ::fcntl(made, F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(made, F_SETFD, FD_CLOEXEC) != 0) {
        return failed(options, "descriptor " + std::to_string(made));
    }
    const int on = 1; // means nothing to a Unix socket
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return made;
}

bool is_unix(const listen_address& options) {
    return options.text.starts_with(unix_prefix);
}

} // namespace

result<int> open_listening_socket(const listen_address& options) {
    if (options.inherited_fd >= 0) {
        return take_inherited(options);
    }
    return is_unix(options) ? open_unix(options) : open_tcp(options);
}

std::string file_of(const listen_address& options) {
    if (!is_unix(options) || options.inherited_fd >= 0) {
        return {};
    }
    auto path = options.text.substr(unix_prefix.size());
    return path.starts_with('@') ? std::string{} : path;
}

std::string text_of(const sockaddr_storage& address, socklen_t length) {
    if (address.ss_family == AF_UNIX) {
        const auto& local = reinterpret_cast<const sockaddr_un&>(address);
        const auto bytes = static_cast<std::size_t>(length) - offsetof(sockaddr_un, sun_path);
        if (bytes > 0 && local.sun_path[0] == '\0') {
            return "unix:@" + std::string(local.sun_path + 1, bytes - 1);
        }
        return "unix:" + std::string(local.sun_path, ::strnlen(local.sun_path, bytes));
    }
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), port.data(),
                  port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
    const std::string name = host.data();
    return (address.ss_family == AF_INET6 ? "[" + name + "]" : name) + ":" + port.data();
}

bool is_loopback(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    }
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
    }
    return false;
}

} // namespace linkrunner::net
