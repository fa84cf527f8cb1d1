#include "translate.hpp"

#include "event/pattern.hpp"
#include "net/keyed_hash.hpp"

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <unistd.h>

namespace linkrunner::daemon {

namespace {

using std::chrono::milliseconds;

intake::client_key_policy client_key_policy(const std::string& word) {
    return word == "ignore"   ? intake::client_key_policy::ignore
           : word == "reject" ? intake::client_key_policy::reject
                              : intake::client_key_policy::warn;
}

spool::sync_policy sync_policy(const std::string& word) {
    return word == "never"      ? spool::sync_policy::never
           : word == "interval" ? spool::sync_policy::interval
                                : spool::sync_policy::always;
}

log::level log_level(const std::string& word) {
    return word == "trace"     ? log::level::trace
           : word == "debug"   ? log::level::debug
           : word == "warning" ? log::level::warning
           : word == "error"   ? log::level::error
                               : log::level::info;
}

// The addresses as configured, or the sockets in place of them.
std::vector<net::listen_address> addresses(const std::vector<std::string>& configured,
                                           const inherited_list& inherited) {
    std::vector<net::listen_address> out;
    for (const net::inherited_socket& each : inherited) {
        net::listen_address& made = out.emplace_back();
        made.text = each.address.empty() ? each.name : each.address;
        made.inherited_fd = each.descriptor;
    }
    if (inherited.empty()) {
        for (const std::string& text : configured) {
            out.emplace_back().text = text;
        }
    }
    return out;
}

event::action action_for(const std::string& word) {
    return word == "off"      ? event::action::off
           : word == "fix"    ? event::action::fix
           : word == "reject" ? event::action::reject
                              : event::action::warn;
}

event::name_rule name_rule(const config::rule_section& rule, const std::vector<config::lane_section>& lanes) {
    event::name_rule out;
    out.names = rule.names;
    out.drop = rule.drop;
    if (!rule.lane.empty()) {
        const auto lane = std::ranges::find(lanes, rule.lane, &config::lane_section::name);
        out.lane = static_cast<std::uint8_t>(lane - lanes.begin());
    }
    if (rule.ambiguous != "inherit") {
        out.ambiguous_dead = rule.ambiguous == "dead";
    }
    const auto& words = rule.checks.words;
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(words)>> == event::rule_count);
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] != "inherit") {
            out.checks[i] = action_for(words[i]);
        }
    }
    return out;
}

// The max_age of a name, by the first rule that matches it. Empty where no rule has one.
std::function<std::optional<milliseconds>(std::string_view)>
ages_by_name(const std::vector<config::rule_section>& rules) {
    const auto has_age = [](const config::rule_section& each) { return each.max_age.has_value(); };
    if (std::ranges::none_of(rules, has_age)) {
        return {};
    }
    std::vector<std::pair<event::patterns, std::optional<milliseconds>>> ages;
    for (const config::rule_section& each : rules) {
        const auto own =
            each.max_age ? std::optional(each.max_age->value_or(delivery::age_off)) : std::nullopt;
        ages.emplace_back(event::patterns(each.names), own);
    }
    return [ages = std::move(ages)](std::string_view name) {
        const auto found =
            std::ranges::find_if(ages, [&](const auto& each) { return each.first.match(name); });
        return found == ages.end() ? std::nullopt : found->second;
    };
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

} // namespace

event::policy event_policy(const config::settings& all) {
    const config::events_section& events = all.events;
    event::policy_settings out;
    const auto& words = events.checks.words;
    for (std::size_t i = 0; i < words.size(); ++i) {
        out.checks.all[i] = action_for(words[i]);
    }
    out.revenue_names = events.revenue_names;
    for (const config::rule_section& each : events.rules) {
        out.rules.push_back(name_rule(each, all.delivery.lanes));
    }
    for (const config::redact_section& each : events.redact) {
        const auto what = each.action == "hash"   ? event::redaction_kind::hash
                          : each.action == "mask" ? event::redaction_kind::mask
                                                  : event::redaction_kind::remove;
        out.redact.push_back({each.key, each.pointer, what, each.names});
    }
    for (const config::add_section& each : events.add) {
        out.add.push_back({each.key, each.value, each.names});
    }
    if (!events.host.empty()) {
        out.add.push_back({events.host, host_name(), {}});
    }
    out.stamp = events.stamp;
    out.overwrite = events.overwrite;
    return {out, [key = all.redact_key](std::string_view text) { return net::keyed_hash(key, text); }};
}

event::parse_options parse_options(const config::settings& all, const event::policy& rules) {
    event::parse_options out;
    out.limits.max_event_bytes = all.intake.max_event;
    out.limits.max_depth = all.intake.max_depth;
    out.add_event_id = all.events.add_event_id;
    out.remove_all_payments = all.events.remove_all_payments;
    out.rules = &rules;
    return out;
}

std::vector<event::lane_rule> lane_rules(const config::settings& all) {
    std::vector<event::lane_rule> out;
    for (const config::lane_section& lane : all.delivery.lanes) {
        out.push_back({lane.names, lane.with_amount});
    }
    return out;
}

spool::settings spool_settings(const config::settings& all) {
    spool::settings out;
    out.directory = all.spool.directory;
    out.max_bytes = all.spool.max_bytes;
    out.sync = sync_policy(all.spool.sync);
    out.when_full =
        all.spool.when_full == "drop_oldest" ? spool::full_policy::drop_oldest : spool::full_policy::reject;
    out.last_lane = static_cast<std::uint8_t>(all.delivery.lanes.size() - 1);
    out.dead_max_bytes = all.spool.dead_max_bytes;
    out.dead_max_age = all.spool.dead_max_age;
    out.dedupe_window = all.intake.dedupe_window;
    out.dedupe_max = all.intake.dedupe_max;
    return out;
}

intake::settings intake_settings(const config::settings& all) {
    const config::intake_section& intake = all.intake;
    intake::settings out;
    out.drop_in_status = intake.drop_in_status;
    out.client_key = all.upstream.is_forwarder() ? intake::client_key_policy::ignore // there is none
                                                 : client_key_policy(intake.client_key);
    out.hosts = intake.hosts;
    out.token = all.intake_token;
    out.allow_unauthenticated = intake.allow_unauthenticated;
    out.limits.max_event_bytes = intake.max_event;
    out.limits.max_depth = intake.max_depth;
    out.add_event_id = all.events.add_event_id;
    out.remove_all_payments = all.events.remove_all_payments;
    out.rules = event_policy(all);
    out.ambiguous_dead = all.delivery.ambiguous == "dead";
    out.max_body_bytes = intake.max_body;
    out.max_batch = intake.max_batch;
    out.max_waiters = intake.max_waiters;
    out.lanes = lane_rules(all);
    return out;
}

net::server_settings intake_server_settings(const config::settings& all, const inherited_list& inherited) {
    const config::intake_section& intake = all.intake;
    net::server_settings out;
    out.listen = addresses(intake.listen, inherited);
    for (net::listen_address& address : out.listen) {
        address.unix_mode = intake.unix_mode;
        address.unix_group = intake.unix_group;
        address.allow_uids = intake.allow_uids;
        address.allow_gids = intake.allow_gids;
        if (!address.text.starts_with("unix:") && !intake.tls.cert_file.empty()) {
            address.tls = net::server_tls{intake.tls.cert_file, intake.tls.key_file, "1.2", "1.3",
                                          intake.tls.client_ca_file};
        }
    }
    out.max_connections = intake.max_connections;
    out.max_body_bytes = intake.max_body;
    out.request_timeout = intake.request_timeout;
    out.idle_timeout = intake.idle_timeout;
    return out;
}

net::server_settings observe_server_settings(const config::settings& all, const inherited_list& inherited) {
    constexpr std::size_t monitors = 64; // connections; a monitoring system needs few
    net::server_settings out;
    out.listen = addresses(all.observe_listen, inherited);
    out.max_connections = monitors;
    out.max_body_bytes = 0;
    return out;
}

net::server_settings control_server_settings(const config::settings& all, const inherited_list& inherited) {
    constexpr std::size_t operators = 16;                // connections: each may have a long task under way
    constexpr std::uint64_t selection_bytes = 256 << 10; // a list of numbers
    net::server_settings out;
    out.listen = addresses({all.control.listen}, inherited);
    for (net::listen_address& address : out.listen) {
        address.unix_mode = all.control.unix_mode;
        address.unix_group = all.control.unix_group;
    }
    out.max_connections = operators;
    out.max_body_bytes = selection_bytes;
    return out;
}

namespace {

// Another linkrunnerd takes many events with each request.
constexpr std::size_t events_per_request = 1'000;
constexpr std::size_t events_in_flight = 4 * events_per_request;

net::client_settings forwarder_client() {
    net::client_settings out;
    out.max_answer_bytes = 4 << 20; // says something of each event
    return out;
}

void set_forwarder(forward::settings& into) {
    into.to_forwarder = true;
    into.read_events = events_per_request;
    into.delivery.events_per_request = events_per_request;
    into.delivery.max_in_flight = events_in_flight;
    into.delivery.window = events_in_flight;
}

} // namespace

net::client_settings upstream_settings(const config::settings& all) {
    const config::upstream_section& upstream = all.upstream;
    net::client_settings out = upstream.is_forwarder() ? forwarder_client() : net::client_settings();
    out.url = upstream.url;
    out.connections = upstream.connections;
    out.connect_timeout = upstream.connect_timeout;
    out.request_timeout = upstream.request_timeout;
    out.idle_timeout = upstream.idle_timeout;
    out.ca_file = upstream.ca_file;
    out.client_cert_file = upstream.client_cert_file;
    out.client_key_file = upstream.client_key_file;
    out.proxy = upstream.proxy;
    return out;
}

forward::settings forward_settings(const config::settings& all) {
    const config::delivery_section& delivery = all.delivery;
    forward::settings out;
    delivery::settings& into = out.delivery;
    into.rate_per_second = delivery.rate_per_second;
    into.burst = delivery.burst;
    into.adaptive = delivery.adaptive;
    into.max_in_flight = delivery.max_in_flight;
    into.order_by_user = delivery.ordering == "user";
    into.backoff_initial = delivery.backoff_initial;
    into.backoff_max = delivery.backoff_max;
    into.max_attempts = static_cast<std::uint32_t>(delivery.max_attempts);
    into.max_age = delivery.max_age;
    out.max_age_of = ages_by_name(all.events.rules);
    into.retry_after_max = delivery.retry_after_max;
    into.hold_probe = delivery.hold_probe;
    into.lanes.clear();
    for (const config::lane_section& lane : delivery.lanes) {
        into.lanes.push_back({lane.name, lane.weight, lane.names, lane.with_amount});
    }
    if (all.upstream.is_forwarder()) {
        set_forwarder(out);
    }
    return out;
}

net::client_settings handoff_client_settings(const config::settings& all) {
    net::client_settings out = forwarder_client();
    out.url = all.shutdown.handoff;
    out.ca_file = all.shutdown.handoff_ca_file;
    out.connect_timeout = std::min(all.upstream.connect_timeout, all.shutdown.handoff_timeout);
    out.request_timeout = std::min(all.upstream.request_timeout, all.shutdown.handoff_timeout);
    return out;
}

// There are seconds only: what failed is tried again soon, and what the API has answered so far is no reason
// to wait.
forward::settings handoff_settings(const config::settings& all) {
    forward::settings out = forward_settings(all);
    set_forwarder(out);
    out.delivery.rate_per_second = 1'000;
    out.delivery.backoff_initial = milliseconds(100);
    out.delivery.backoff_max = milliseconds(1'000);
    out.delivery.hold_probe = milliseconds(1'000);
    return out;
}

log::settings log_settings(const config::settings& all) {
    return {log_level(all.log_level), all.log_format == "json" ? log::format::json : log::format::text};
}

} // namespace linkrunner::daemon
