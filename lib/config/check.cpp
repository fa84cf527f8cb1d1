#include "config/check.hpp"

#include "config/address.hpp"
#include "config/key.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <charconv>
#include <grp.h>
#include <set>

namespace linkrunner::config {
namespace {

void check_addresses(assembly& all, std::string_view name, const std::vector<std::string>& addresses) {
    std::set<std::string> seen;
    for (const std::string& text : addresses) {
        const auto parsed = parse_listen(text);
        if (parsed.has_error()) {
            all.complain(name, parsed.error().message);
        } else if (!seen.insert(text).second && !text.ends_with(":0")) {
            all.complain(name, quote(text) + " is given twice");
        }
    }
}

// The TCP listeners that others than this machine can reach.
std::vector<std::string> open_to_others(const std::vector<std::string>& addresses) {
    std::vector<std::string> out;
    for (const std::string& text : addresses) {
        const auto parsed = parse_listen(text);
        if (parsed.has_value() && !parsed->is_unix && !is_loopback(parsed->host)) {
            out.push_back(text);
        }
    }
    return out;
}

void check_group(assembly& all, std::string_view name, const std::string& group) {
    unsigned number = 0;
    const auto [end, failure] = std::from_chars(group.data(), group.data() + group.size(), number);
    const bool is_number = failure == std::errc{} && end == group.data() + group.size();
    if (!group.empty() && !is_number && ::getgrnam(group.c_str()) == nullptr) {
        all.complain(name, "no group " + quote(group) + " on this system");
    }
}

// File permissions are its only lock, so it has to be a file.
void check_control(assembly& all) {
    const control_section& control = all.values.control;
    if (!control.listen.empty() &&
        (!control.listen.starts_with("unix:/") || parse_listen(control.listen).has_error())) {
        all.complain("control.listen", quote(control.listen) +
                                           " is not a path; write unix:/path, or \"\" for none. It "
                                           "has no other protection than the file's mode");
    }
    const auto& intake = all.values.intake.listen;
    if (std::find(intake.begin(), intake.end(), control.listen) != intake.end()) {
        all.complain("control.listen", quote(control.listen) + " is in intake.listen already");
    }
    check_group(all, "control.unix_group", control.unix_group);
}

void check_tls(assembly& all) {
    const tls_files& tls = all.values.intake.tls;
    check_readable(all, "intake.tls.cert_file", tls.cert_file);
    check_readable(all, "intake.tls.key_file", tls.key_file);
    check_readable(all, "intake.tls.client_ca_file", tls.client_ca_file);
    if (tls.cert_file.empty() != tls.key_file.empty()) {
        all.complain(tls.cert_file.empty() ? "intake.tls.key_file" : "intake.tls.cert_file",
                     tls.cert_file.empty() ? "needs intake.tls.cert_file, too"
                                           : "needs intake.tls.key_file, too");
    }
    if (tls.cert_file.empty() && !tls.client_ca_file.empty()) {
        all.complain("intake.tls.client_ca_file", "needs intake.tls.cert_file and intake.tls.key_file, too");
    }
}

bool is_lane_name(const std::string& name) {
    return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool takes_all(const lane_section& lane) {
    return std::find(lane.names.begin(), lane.names.end(), "*") != lane.names.end();
}

} // namespace

void check_listeners(assembly& all) {
    const intake_section& intake = all.values.intake;
    if (intake.listen.empty()) {
        all.complain("intake.listen", "at least one address is needed");
    }
    check_addresses(all, "intake.listen", intake.listen);
    check_addresses(all, "observe.listen", all.values.observe_listen);
    for (const std::string& address : all.values.observe_listen) {
        const auto same = std::find(intake.listen.begin(), intake.listen.end(), address);
        if (same != intake.listen.end() && !address.ends_with(":0")) {
            all.complain("observe.listen", quote(address) + " is in intake.listen already");
        }
    }
    const auto open = open_to_others(intake.listen);
    if (!open.empty() && intake.token_file.empty() && !intake.allow_unauthenticated) {
        all.complain("intake.listen", quote(open[0]) +
                                          " can be reached from other machines: set intake.token_file, or "
                                          "intake.allow_unauthenticated: true where the network is guarded "
                                          "otherwise");
    }
    if (!open.empty() && intake.token_file.empty() && intake.allow_unauthenticated) {
        all.notes.push_back("intake.allow_unauthenticated: whoever reaches " + open[0] + " may post events");
    }
    if (!open.empty() && !intake.token_file.empty() && intake.tls.cert_file.empty()) {
        all.notes.push_back("intake.token_file: the token travels unencrypted to " + open[0] +
                            "; set intake.tls where others could listen in");
    }
    check_group(all, "intake.unix_group", intake.unix_group);
    check_control(all);
    check_tls(all);
}

void check_lanes(assembly& all) {
    const std::vector<lane_section>& lanes = all.values.delivery.lanes;
    if (lanes.empty() || lanes.size() > most_lanes) {
        all.complain("delivery.lanes", "between 1 and " + std::to_string(most_lanes) +
                                           " lanes are needed, not " + std::to_string(lanes.size()));
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        const lane_section& lane = lanes[i];
        const bool last = i + 1 == lanes.size();
        if (!is_lane_name(lane.name)) {
            all.complain("delivery.lanes",
                         "the name " + quote(lane.name) + " is not made of a-z, 0-9 and _ (1 to 32 of them)");
        } else if (!seen.insert(lane.name).second) {
            all.complain("delivery.lanes", "two lanes are named " + quote(lane.name));
        }
        if (lane.names.empty() && !lane.with_amount) {
            all.complain("delivery.lanes",
                         "lane " + quote(lane.name) + " takes nothing; give names, or with_amount: true");
        }
        if (last && !takes_all(lane)) {
            all.complain("delivery.lanes",
                         "the last lane must take all that is left; give it names: [\"*\"]");
        }
        if (!last && takes_all(lane)) {
            all.complain("delivery.lanes", "lane " + quote(lane.name) +
                                               " takes all events, so that none reach the lanes after it");
        }
    }
}

void check_bounds(assembly& all) {
    const settings& s = all.values;
    if (s.intake.max_event > s.intake.max_body) {
        all.complain("intake.max_event", "is larger than intake.max_body (" + print_size(s.intake.max_body) +
                                             "), which holds it");
    }
    if (s.delivery.backoff_initial > s.delivery.backoff_max) {
        all.complain("delivery.backoff.initial",
                     "is longer than delivery.backoff.max (" + print_length(s.delivery.backoff_max) + ")");
    }
    if (s.spool.directory.empty() || s.spool.directory[0] != '/') {
        all.complain("spool.directory", quote(s.spool.directory) + " is not an absolute path");
    }
    if (s.delivery.max_in_flight > s.upstream.connections) {
        all.notes.push_back("delivery.max_in_flight (" + std::to_string(s.delivery.max_in_flight) +
                            ") is more than upstream.connections (" + std::to_string(s.upstream.connections) +
                            "), which bounds the requests under way");
    }
    if (s.intake.max_waiters >= s.intake.max_connections) {
        all.notes.push_back("intake.max_waiters (" + std::to_string(s.intake.max_waiters) +
                            ") can take all of intake.max_connections (" +
                            std::to_string(s.intake.max_connections) + ")");
    }
    if (s.spool.dead_max_bytes > s.spool.max_bytes) {
        all.notes.push_back("spool.dead.max_bytes is more than spool.max_bytes (" +
                            print_size(s.spool.max_bytes) + "), which bounds both");
    }
    if (s.spool.when_full == "drop_oldest") {
        all.notes.push_back("spool.when_full: drop_oldest: a full spool drops events that were answered with "
                            "success");
    }
    if (s.spool.sync != "always") {
        all.notes.push_back("spool.sync: " + s.spool.sync +
                            ": a power cut loses events that were answered with success");
    }
}

} // namespace linkrunner::config
