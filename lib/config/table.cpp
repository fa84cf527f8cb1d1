#include "config/shapes.hpp"

#include <algorithm>
#include <cctype>

namespace linkrunner::config {
namespace {

constexpr double kB = 1'000;
constexpr double MiB = 1024 * 1024;
constexpr double TiB = MiB * MiB;

void add_intake(std::vector<key>& table) {
    const std::vector<key> section = {
        {"intake.listen", plain(kind::texts),
         "Addresses that take events: host:port, [IPv6]:port, unix:/path or unix:@name (abstract).",
         [](settings& s) -> slot { return &s.intake.listen; }},
        {"intake.unix_mode", plain(kind::mode), "File mode of the Unix sockets: who may connect may post.",
         [](settings& s) -> slot { return &s.intake.unix_mode; }, since::start},
        {"intake.unix_group", plain(kind::text),
         "Group of the Unix sockets, by name or number; empty: the group of the process.",
         [](settings& s) -> slot { return &s.intake.unix_group; }, since::start},
        {"intake.allow_uids", within(kind::counts, 0, 4294967294.0),
         "User ids that may post over the Unix sockets; with both lists empty, all that can connect.",
         [](settings& s) -> slot { return &s.intake.allow_uids; }},
        {"intake.allow_gids", within(kind::counts, 0, 4294967294.0),
         "Group ids that may post over the Unix sockets.",
         [](settings& s) -> slot { return &s.intake.allow_gids; }},
        {"intake.drop_in_status", one_of({"200", "201", "202"}),
         "Status of success on /api/v1/capture-event; the Linkrunner API documents 201.",
         [](settings& s) -> slot { return &s.intake.drop_in_status; }},
        {"intake.client_key", one_of({"ignore", "warn", "reject"}),
         "What a linkrunner-key header of a client that differs from the daemon's key leads to.",
         [](settings& s) -> slot { return &s.intake.client_key; }},
        {"intake.hosts", plain(kind::texts),
         "Names allowed in the Host header on loopback listeners, beside the loopback ones.",
         [](settings& s) -> slot { return &s.intake.hosts; }},
        {"intake.token_file", plain(kind::text),
         "File with the bearer token that clients must send; needed on TCP listeners that are not loopback.",
         [](settings& s) -> slot { return &s.intake.token_file; }},
        {"intake.allow_unauthenticated", plain(kind::flag),
         "Allow a TCP listener that is not loopback without a token: whoever reaches it may post.",
         [](settings& s) -> slot { return &s.intake.allow_unauthenticated; }},
        {"intake.tls.cert_file", plain(kind::text),
         "Certificate chain (PEM) of the TCP listeners; empty: no TLS.",
         [](settings& s) -> slot { return &s.intake.tls.cert_file; }},
        {"intake.tls.key_file", plain(kind::text), "Private key (PEM) of the certificate.",
         [](settings& s) -> slot { return &s.intake.tls.key_file; }},
        {"intake.tls.client_ca_file", plain(kind::text),
         "Authority (PEM) whose certificate clients must show; empty: none asked for.",
         [](settings& s) -> slot { return &s.intake.tls.client_ca_file; }},
        {"intake.max_event", within(kind::size, 256, 16 * MiB),
         "Largest event, measured as it would be sent; the API takes 1 MB.",
         [](settings& s) -> slot { return &s.intake.max_event; }},
        {"intake.max_body", within(kind::size, kB, 256 * MiB),
         "Largest request body, measured inflated when it is gzip.",
         [](settings& s) -> slot { return &s.intake.max_body; }},
        {"intake.max_waiters", within(kind::count, 0, 65'536),
         "Requests that may wait for delivery (?wait=delivered) at once; more are answered 202 at once.",
         [](settings& s) -> slot { return &s.intake.max_waiters; }},
        {"intake.max_batch", within(kind::count, 1, 1'000'000), "Most events in one request.",
         [](settings& s) -> slot { return &s.intake.max_batch; }},
        {"intake.max_depth", within(kind::count, 2, 512),
         "Deepest nesting of objects and arrays in an event.",
         [](settings& s) -> slot { return &s.intake.max_depth; }},
        {"intake.max_connections", within(kind::count, 1, 65'536),
         "Most connections at once; one more is answered 503 and closed.",
         [](settings& s) -> slot { return &s.intake.max_connections; }},
        {"intake.request_timeout", within(kind::duration, 100, hour),
         "Time to receive one request completely; slower ones are answered 408.",
         [](settings& s) -> slot { return &s.intake.request_timeout; }},
        {"intake.idle_timeout", within(kind::duration, 100, day),
         "Time after which a connection without a request is closed.",
         [](settings& s) -> slot { return &s.intake.idle_timeout; }},
        {"intake.dedupe_window", within(kind::duration, 0, 7 * day),
         "How long a repeat of an event (same path, name, user and event_id) is recognised.",
         [](settings& s) -> slot { return &s.intake.dedupe_window; }, since::start},
        {"intake.dedupe_max", within(kind::count, 0, 50'000'000),
         "Most identities remembered to recognise repeats; the oldest are forgotten first.",
         [](settings& s) -> slot { return &s.intake.dedupe_max; }, since::start},
    };
    table.insert(table.end(), section.begin(), section.end());
}

void add_upstream(std::vector<key>& table) {
    const std::vector<key> section = {
        {"upstream.kind", one_of({"linkrunner", "forwarder"}),
         "linkrunner: the Linkrunner API. forwarder: another linkrunnerd, which takes the events over; each "
         "request carries many.",
         [](settings& s) -> slot { return &s.upstream.kind; }, since::start},
        {"upstream.url", plain(kind::text),
         "Base URL of the Linkrunner API, without /capture-event; of kind forwarder http(s)://host:port of "
         "the "
         "other linkrunnerd.",
         [](settings& s) -> slot { return &s.upstream.url; }},
        {"upstream.server_key_file", plain(kind::text),
         "File with the server key; empty: the systemd credential server_key, LINKRUNNER_SERVER_KEY, or "
         "/etc/linkrunnerd/server.key, whichever is found first.",
         [](settings& s) -> slot { return &s.upstream.server_key_file; }},
        {"upstream.token_file", plain(kind::text),
         "Of kind forwarder: file with the bearer token that the other linkrunnerd asks for (its "
         "intake.token_file).",
         [](settings& s) -> slot { return &s.upstream.token_file; }},
        {"upstream.connections", within(kind::count, 1, 1024),
         "Most connections to the API, opened on demand.",
         [](settings& s) -> slot { return &s.upstream.connections; }},
        {"upstream.connect_timeout", within(kind::duration, 10, 5 * minute),
         "Time to resolve, connect, pass the proxy and agree on TLS.",
         [](settings& s) -> slot { return &s.upstream.connect_timeout; }},
        {"upstream.request_timeout", within(kind::duration, 10, 10 * minute),
         "Time from the first byte sent to the last byte of the answer.",
         [](settings& s) -> slot { return &s.upstream.request_timeout; }},
        {"upstream.idle_timeout", within(kind::duration, 100, day),
         "Time after which a connection that is not used is closed.",
         [](settings& s) -> slot { return &s.upstream.idle_timeout; }},
        {"upstream.ca_file", plain(kind::text),
         "Authorities (PEM) that may vouch for the API; empty: the system's.",
         [](settings& s) -> slot { return &s.upstream.ca_file; }},
        {"upstream.client_cert_file", plain(kind::text), "Certificate (PEM) to show to the upstream (mTLS).",
         [](settings& s) -> slot { return &s.upstream.client_cert_file; }},
        {"upstream.client_key_file", plain(kind::text), "Private key (PEM) of that certificate.",
         [](settings& s) -> slot { return &s.upstream.client_key_file; }},
        {"upstream.proxy", plain(kind::text),
         "Proxy to the API, http://[user:password@]host:port; if not given, HTTPS_PROXY and NO_PROXY decide; "
         "\"\" for none.",
         [](settings& s) -> slot { return &s.upstream.proxy; }},
    };
    table.insert(table.end(), section.begin(), section.end());
}

void add_delivery(std::vector<key>& table) {
    const std::vector<key> section = {
        {"delivery.rate", within(kind::optional_rate, 1.0 / 60, 100'000),
         "Most requests per second (29/s) or minute (1740/m), retries and probes included. auto: the limit "
         "is "
         "found by the API's 429s, and shared fairly with others that do so. With upstream.kind: forwarder "
         "the "
         "default is 1000/s.",
         [](settings& s) -> slot { return &s.delivery.rate_per_second; }},
        {"delivery.burst", within(kind::number, 1, 10'000),
         "Requests that may go out at once after idle time.",
         [](settings& s) -> slot { return &s.delivery.burst; }},
        {"delivery.adaptive", plain(kind::flag),
         "Lower the rate when the API answers 429, and raise it again slowly. Must be true where rate is "
         "auto.",
         [](settings& s) -> slot { return &s.delivery.adaptive; }},
        {"delivery.max_in_flight", within(kind::count, 1, 1024), "Most requests under way at once.",
         [](settings& s) -> slot { return &s.delivery.max_in_flight; }},
        {"delivery.ordering", one_of({"user", "none"}),
         "user: events of one user are delivered in the order they were accepted, within a lane.",
         [](settings& s) -> slot { return &s.delivery.ordering; }, since::start},
        {"delivery.ambiguous", one_of({"retry", "dead"}),
         "What follows an attempt that the API may have counted though no success was seen: send it again, "
         "or keep it as a dead letter. events.rules may say otherwise by name.",
         [](settings& s) -> slot { return &s.delivery.ambiguous; }},
        {"delivery.backoff.initial", within(kind::duration, 1, hour),
         "Upper bound of the first wait after a failed attempt; it doubles with each one.",
         [](settings& s) -> slot { return &s.delivery.backoff_initial; }},
        {"delivery.backoff.max", within(kind::duration, 1, day), "Longest wait between two attempts.",
         [](settings& s) -> slot { return &s.delivery.backoff_max; }},
        {"delivery.max_attempts", within(kind::count, 1, 1'000'000),
         "Attempts after which an event becomes a dead letter; those during an outage do not count.",
         [](settings& s) -> slot { return &s.delivery.max_attempts; }},
        {"delivery.max_age", within(kind::optional_duration, second, 3650 * day),
         "Age at which an event becomes a dead letter, or off.",
         [](settings& s) -> slot { return &s.delivery.max_age; }},
        {"delivery.retry_after_max", within(kind::duration, 0, 7 * day),
         "Longest Retry-After that is obeyed as it stands; after it, one probe is sent.",
         [](settings& s) -> slot { return &s.delivery.retry_after_max; }},
        {"delivery.hold_probe", within(kind::duration, 10, day),
         "Time between probes while delivery is held (bad key, suspended account, wrong URL).",
         [](settings& s) -> slot { return &s.delivery.hold_probe; }},
        {"delivery.lanes", records("lane", 1, most_lanes),
         "Queues with weights. The first lane that matches takes the event; the last must take all (\"*\"). "
         "At most 16. Weights and patterns can be reloaded; names, number and order are taken at start only.",
         [](settings& s) -> slot { return &s.delivery.lanes; }},
    };
    table.insert(table.end(), section.begin(), section.end());
}

void add_rest(std::vector<key>& table) {
    const std::vector<key> section = {
        {"spool.directory", plain(kind::text),
         "Directory of the durable queue; if not given, STATE_DIRECTORY (systemd) where that is set.",
         [](settings& s) -> slot { return &s.spool.directory; }, since::start},
        {"spool.max_bytes", within(kind::size, MiB, TiB),
         "Most bytes that the spool's directory may take on disk, everything in it included.",
         [](settings& s) -> slot { return &s.spool.max_bytes; }, since::start},
        {"spool.when_full", one_of({"reject", "drop_oldest"}),
         "reject: new events are answered 503. drop_oldest: the oldest events of the last lane are dropped, "
         "a "
         "segment at a time, but none that is being sent; when nothing is left to drop, 503.",
         [](settings& s) -> slot { return &s.spool.when_full; }, since::start},
        {"spool.sync", one_of({"always", "interval", "never"}),
         "always: answered only after fdatasync. interval, never: faster, and a power cut loses answered "
         "events.",
         [](settings& s) -> slot { return &s.spool.sync; }, since::start},
        {"spool.dead.max_bytes", within(kind::size, 0, TiB),
         "Most bytes of dead letters; beyond it the oldest are dropped and counted.",
         [](settings& s) -> slot { return &s.spool.dead_max_bytes; }, since::start},
        {"spool.dead.max_age", within(kind::duration, minute, 3650 * day),
         "Time after its last attempt at which a dead letter is dropped and counted.",
         [](settings& s) -> slot { return &s.spool.dead_max_age; }, since::start},
        {"shutdown.drain", within(kind::duration, 0, hour),
         "How long delivery goes on after SIGTERM; the rest waits on disk for the next start.",
         [](settings& s) -> slot { return &s.shutdown.drain; }},
        {"shutdown.handoff", plain(kind::text),
         "Base address (http(s)://host:port) of another linkrunnerd, which takes over what still waits when "
         "the "
         "drain time is over; empty: none.",
         [](settings& s) -> slot { return &s.shutdown.handoff; }},
        {"shutdown.handoff_token_file", plain(kind::text),
         "File with the bearer token that it asks for (its intake.token_file).",
         [](settings& s) -> slot { return &s.shutdown.handoff_token_file; }},
        {"shutdown.handoff_ca_file", plain(kind::text),
         "Authorities (PEM) that may vouch for it; empty: the system's.",
         [](settings& s) -> slot { return &s.shutdown.handoff_ca_file; }},
        {"shutdown.handoff_timeout", within(kind::duration, 100, hour),
         "How long the hand-off may take; what is not taken over by then stays on disk.",
         [](settings& s) -> slot { return &s.shutdown.handoff_timeout; }},
        {"observe.listen", plain(kind::texts),
         "Addresses of /healthz, /readyz, /metrics and /status, one or a list; [] for none.",
         [](settings& s) -> slot { return &s.observe_listen; }},
        {"control.listen", plain(kind::text),
         "Unix socket of linkrunnerctl: dead letters, pause, drain, rate, audit. Where it is not set and "
         "cannot be made, "
         "linkrunnerd starts without; \"\" for none.",
         [](settings& s) -> slot { return &s.control.listen; }, since::start},
        {"control.unix_mode", plain(kind::mode),
         "File mode of that socket: who may connect may see events, pause, replay and drop. Root always may.",
         [](settings& s) -> slot { return &s.control.unix_mode; }, since::start},
        {"control.unix_group", plain(kind::text),
         "Group of that socket, by name or number; empty: the group of the process.",
         [](settings& s) -> slot { return &s.control.unix_group; }, since::start},
        {"log.level", one_of({"trace", "debug", "info", "warning", "error"}), "Lowest level that is written.",
         [](settings& s) -> slot { return &s.log_level; }},
        {"log.format", one_of({"text", "json"}), "Text for people, or one JSON object a line.",
         [](settings& s) -> slot { return &s.log_format; }},
    };
    table.insert(table.end(), section.begin(), section.end());
}

std::vector<key> make_table() {
    std::vector<key> table;
    add_intake(table);
    add_upstream(table);
    add_delivery(table);
    add_events(table);
    add_rest(table);
    return table;
}

} // namespace

const std::vector<key>& keys() {
    static const std::vector<key> table = make_table();
    return table;
}

template <>
const record_form<lane_section>& form_of() {
    static const record_form<lane_section> form = {
        "lane",
        "A lane",
        "{name: revenue, weight: 8, names: [\"purchase_*\"]}",
        R"(["name"])",
        {
            {"name", plain(kind::text), "Name in metrics and status: a-z, 0-9 and _, at most 32 characters.",
             [](lane_section& l) -> slot { return &l.name; }},
            {"weight", within(kind::count, 1, 1000), "Share of the requests while other lanes wait too.",
             [](lane_section& l) -> slot { return &l.weight; }},
            {"names", plain(kind::texts), "Event names that it takes, with * ? [a-z] as in fnmatch(3).",
             [](lane_section& l) -> slot { return &l.names; }},
            {"with_amount", plain(kind::flag), "Take events whose event_data has an amount, too.",
             [](lane_section& l) -> slot { return &l.with_amount; }},
        }};
    return form;
}

const key* find_key(std::string_view name) {
    const auto found =
        std::find_if(keys().begin(), keys().end(), [&](const key& k) { return k.name == name; });
    return found == keys().end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
    return std::any_of(keys().begin(), keys().end(), [&](const key& k) {
        return k.name.size() > name.size() && k.name.starts_with(name) && k.name[name.size()] == '.';
    });
}

std::string environment_name(std::string_view name) {
    std::string out = "LINKRUNNERD_";
    for (const char c : name) {
        if (c == '.') {
            out += "__";
        } else {
            out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
    }
    return out;
}

std::string key_name(std::string_view environment_variable) {
    constexpr std::string_view prefix = "LINKRUNNERD_";
    std::string out;
    for (std::size_t i = prefix.size(); i < environment_variable.size(); ++i) {
        if (environment_variable.substr(i).starts_with("__")) {
            out += '.';
            ++i;
        } else {
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(environment_variable[i])));
        }
    }
    return out;
}

} // namespace linkrunner::config
