#include "inherited.hpp"

#include <array>
#include <utility>

namespace linkrunner::daemon {

result<inherited_sockets> sort_by_name(std::vector<net::inherited_socket> taken) {
    inherited_sockets out;
    for (net::inherited_socket& each : taken) {
        if (each.name == "intake" || each.name == "linkrunnerd.socket" || each.name == "unknown") {
            out.intake.push_back(std::move(each));
        } else if (each.name == "observe") {
            out.observe.push_back(std::move(each));
        } else if (each.name != "control") {
            return make_error(std::errc::invalid_argument,
                              "the service manager passes a socket named '" + each.name +
                                  "'; FileDescriptorName= of its unit must be intake, observe or control");
        } else if (!each.is_unix()) {
            return make_error(std::errc::invalid_argument,
                              "the service manager passes " +
                                  (each.address.empty() ? "no socket" : each.address) +
                                  " as the control socket, which must be a Unix socket: ListenStream=/path");
        } else {
            out.control.push_back(std::move(each));
        }
    }
    return out;
}

std::vector<std::string> unused_addresses(const inherited_sockets& sockets,
                                          const std::function<bool(std::string_view key)>& given) {
    const std::array<std::pair<const char*, bool>, 3> keys = {{{"intake.listen", !sockets.intake.empty()},
                                                               {"observe.listen", !sockets.observe.empty()},
                                                               {"control.listen", !sockets.control.empty()}}};
    std::vector<std::string> out;
    for (const auto& [key, inherited] : keys) {
        if (inherited && given(key)) {
            out.push_back(std::string(key) + " is not used: the service manager listens");
        }
    }
    return out;
}

} // namespace linkrunner::daemon
