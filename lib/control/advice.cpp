#include "control/advice.hpp"

#include <algorithm>
#include <array>

namespace linkrunner::control {

namespace {

constexpr std::array table = {
    advice{"healthy", "Events are taken, and delivered as they come or as fast as the rate allows.", ""},
    advice{"throttled",
           "The API asks for a pause (429, or 503 with Retry-After). Delivery waits and goes on by itself.",
           "Nothing. If it happens often: lower delivery.rate, or find out who else sends from this IP "
           "address."},
    advice{"outage",
           "Requests to the API fail and none succeeds. One probe at a time is sent until one succeeds; no "
           "event's attempts are counted.",
           "Look at the last error: network, DNS, proxy, certificate, or the API itself."},
    advice{"held_unauthorized",
           "The API refuses the server key (401 or 403); or another linkrunnerd, with upstream.kind: "
           "forwarder, the "
           "token. Delivery is held; events are kept.",
           "Put the right key into the key file (or the token into upstream.token_file); it is read again "
           "within a "
           "second. A key from the environment or a systemd credential needs a restart."},
    advice{"held_suspended",
           "The API says that the account is suspended (402). Delivery is held; events are kept.",
           "Settle it in the Linkrunner dashboard. A probe a minute notices; SIGHUP probes at once."},
    advice{"held_misconfigured",
           "What answers at upstream.url is not the capture API (redirect, 404, 405 and the like); or, with "
           "upstream.kind: forwarder, no linkrunnerd or this one itself. Delivery is held; events are kept.",
           "Correct upstream.url or the proxy and reload (SIGHUP)."},
    advice{
        "held_rejecting",
        "Many different events in a row were rejected and none was taken. Delivery is held, so that they do "
        "not all become dead letters.",
        "Look at the last error: the API has changed, or something stands in front of it. A probe a minute "
        "notices when it is over."},
    advice{"paused", "Delivery was paused by an operator. Events are taken and kept.",
           "Resume it when the reason for the pause is gone."},
    advice{"draining",
           "linkrunnerd is stopping, or an operator drains it: deliveries go on, until the drain time.",
           "Nothing; what is left waits on disk for the next start."},
    advice{"queue_full", "New events are refused: the spool has reached spool.max_bytes.",
           "Find out why delivery is behind. If the backlog is worth keeping, raise spool.max_bytes and "
           "restart."},
    advice{"disk_full", "New events are refused: the disk is full. Deliveries go on and make room.",
           "Make room on the file system of spool.directory; events are taken again by themselves."},
    advice{"disk_stalled", "New events are refused: the disk does not answer.",
           "Look at the disk and the kernel's log; events are taken again as soon as it answers."},
    advice{"disk_error", "New events are refused: the disk reports errors. A new file is tried all the time.",
           "Look at the kernel's log. Move the spool to a sound disk if it does not pass."},
};

} // namespace

advice advice_for(std::string_view code) {
    const auto found = std::ranges::find(table, code, &advice::code);
    return found == table.end() ? advice{code, code, ""} : *found;
}

std::span<const advice> all_advice() {
    return table;
}

} // namespace linkrunner::control
