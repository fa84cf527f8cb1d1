// The listening sockets that the service manager passed in, sorted by what they are for: the name that their
// unit gives them (FileDescriptorName=, systemd.socket(5)). They take the place of the addresses in the
// configuration. Pure.
#pragma once

#include "base/error.hpp"
#include "net/activation.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::daemon {

struct inherited_sockets {
    std::vector<net::inherited_socket> intake, observe, control; // empty: the configuration's addresses
};

// Names: `intake`, `observe`, `control`. `linkrunnerd.socket`, which a unit of that name gives when it says
// nothing else, and `unknown` are the intake's. Errors: another name, and a control socket that is none of
// Unix, where no file permissions could guard it.
result<inherited_sockets> sort_by_name(std::vector<net::inherited_socket> taken);

// What to tell the operator: the addresses among those for which `given(key)` holds that nobody listens on.
std::vector<std::string> unused_addresses(const inherited_sockets& sockets,
                                          const std::function<bool(std::string_view key)>& given);

} // namespace linkrunner::daemon
