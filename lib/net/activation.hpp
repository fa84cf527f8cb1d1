// Sockets passed in by the service manager (systemd.socket(5), sd_listen_fds(3)).
#pragma once

#include <string>
#include <vector>

namespace linkrunner::net {

struct inherited_socket {
    int descriptor = -1;
    std::string name;    // FileDescriptorName= of the unit; "unknown" where absent
    std::string address; // "127.0.0.1:7417", "unix:/path"; empty where it is no socket of these families
    bool is_unix() const { return address.starts_with("unix:"); }
};

// Those meant for this process (LISTEN_PID), in their order; close-on-exec is set on them. The variables are
// removed, so that children do not take the sockets for theirs: a second call finds none. To be called before
// other threads are started. The descriptors are the caller's; listen_address::inherited_fd takes one.
std::vector<inherited_socket> take_inherited_sockets();

} // namespace linkrunner::net
