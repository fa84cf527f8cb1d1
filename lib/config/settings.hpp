// The whole configuration as one checked struct, in the shape of the YAML (contract section 6). Plain data,
// no library types.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::config {

using milliseconds = std::chrono::milliseconds;

struct tls_files {
    std::string cert_file, key_file, client_ca_file;
    bool operator==(const tls_files&) const = default;
};

struct intake_section {
    std::vector<std::string> listen = {"127.0.0.1:7417", "unix:/run/linkrunnerd/intake.sock"};
    unsigned unix_mode = 0660;
    std::string unix_group;
    std::vector<unsigned> allow_uids, allow_gids;
    int drop_in_status = 201;        // 200 | 201 | 202
    std::string client_key = "warn"; // ignore | warn | reject
    std::vector<std::string> hosts;
    std::string token_file;
    bool allow_unauthenticated = false;
    tls_files tls; // on TCP listeners; empty: none
    std::uint64_t max_event = 1'000'000;
    std::uint64_t max_body = 4 << 20;
    std::uint64_t max_waiters = 256;
    std::uint64_t max_batch = 10'000;
    std::uint64_t max_depth = 64;
    std::uint64_t max_connections = 1024;
    milliseconds request_timeout{10'000};
    milliseconds idle_timeout{75'000};
    milliseconds dedupe_window{600'000};
    std::uint64_t dedupe_max = 500'000;
    bool operator==(const intake_section&) const = default;
};

struct upstream_section {
    std::string kind = "linkrunner"; // linkrunner | forwarder
    std::string url = "https://api.linkrunner.io/api/v1";
    // Empty: the systemd credential "server_key", LINKRUNNER_SERVER_KEY, or /etc/linkrunnerd/server.key.
    std::string server_key_file;
    std::string token_file; // of kind forwarder
    std::uint64_t connections = 32;
    milliseconds connect_timeout{5'000};
    milliseconds request_timeout{15'000};
    milliseconds idle_timeout{55'000};
    std::string ca_file, client_cert_file, client_key_file;
    std::string proxy; // default from HTTPS_PROXY / https_proxy unless NO_PROXY / no_proxy names the host
    bool is_forwarder() const { return kind == "forwarder"; }
    bool operator==(const upstream_section&) const = default;
};

struct lane_section {
    std::string name;
    unsigned weight = 1;
    std::vector<std::string> names;
    bool with_amount = false;
    bool operator==(const lane_section&) const = default;
};

struct delivery_section {
    std::optional<double> rate_per_second = 29; // "29/s", "1740/m", "auto"
    double burst = 1;
    bool adaptive = true;
    std::uint64_t max_in_flight = 32;
    std::string ordering = "user";       // user | none
    std::string ambiguous = "retry";     // retry | dead
    milliseconds backoff_initial{1'000}; // backoff: {initial, max}
    milliseconds backoff_max{300'000};
    std::uint64_t max_attempts = 20;
    std::optional<milliseconds> max_age; // "off" or a duration
    milliseconds retry_after_max{600'000};
    milliseconds hold_probe{60'000};
    std::vector<lane_section> lanes = {{"revenue", 8, {"purchase_*"}, true}, {"default", 1, {"*"}, false}};
    bool operator==(const delivery_section&) const = default;
};

struct redact_section {
    std::string key;               // or
    std::string pointer;           // one of the two
    std::string action = "remove"; // remove | mask | hash
    std::vector<std::string> names;
    bool operator==(const redact_section&) const = default;
};

struct add_section {
    std::string key, value;
    std::vector<std::string> names;
    bool operator==(const add_section&) const = default;
};

// Of data quality: off | warn | reject, some also fix; in a rule per name also "inherit".
struct check_section {
    std::array<std::string, 11>
        words; // in the order of check_rows in table_events.cpp, which is event::rule's
    bool operator==(const check_section&) const = default;
};

struct rule_section {
    std::vector<std::string> names;
    bool drop = false;
    std::string lane;                                   // empty: as delivery.lanes says
    std::string ambiguous = "inherit";                  // inherit | retry | dead
    std::optional<std::optional<milliseconds>> max_age; // nothing: inherit; nothing in it: off
    check_section checks = {{"inherit", "inherit", "inherit", "inherit", "inherit", "inherit", "inherit",
                             "inherit", "inherit", "inherit", "inherit"}};
    bool operator==(const rule_section&) const = default;
};

struct events_section {
    bool add_event_id = true;
    check_section checks = {
        {"fix", "warn", "warn", "warn", "warn", "warn", "warn", "warn", "warn", "warn", "warn"}};
    std::vector<std::string> revenue_names = {"purchase_completed", "order_completed", "order_paid",
                                              "payment_completed",  "payment_success", "*_purchased"};
    std::vector<redact_section> redact;
    std::string redact_key_file; // for `hash`
    std::vector<add_section> add;
    std::string stamp, host; // keys of event_data
    bool overwrite = false;
    std::vector<rule_section> rules;
    bool remove_all_payments = false;
    bool operator==(const events_section&) const = default;
};

struct spool_section {
    std::string directory = "/var/lib/linkrunnerd"; // or STATE_DIRECTORY under systemd
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    std::string when_full = "reject";                        // reject | drop_oldest
    std::string sync = "always";                             // always | interval | never
    std::uint64_t dead_max_bytes = std::uint64_t{128} << 20; // dead: {max_bytes, max_age}
    milliseconds dead_max_age = std::chrono::hours(24 * 30);
    bool operator==(const spool_section&) const = default;
};

struct shutdown_section {
    milliseconds drain{10'000};
    std::string handoff; // base address of another linkrunnerd; empty: none
    std::string handoff_token_file, handoff_ca_file;
    milliseconds handoff_timeout{15'000};
    bool operator==(const shutdown_section&) const = default;
};

struct control_section {
    std::string listen = "unix:/run/linkrunnerd/control.sock"; // empty: none
    unsigned unix_mode = 0600;
    std::string unix_group;
    bool operator==(const control_section&) const = default;
};

struct settings {
    intake_section intake;
    upstream_section upstream;
    delivery_section delivery;
    events_section events;
    spool_section spool;
    shutdown_section shutdown;
    std::vector<std::string> observe_listen = {"127.0.0.1:7418"}; // observe: {listen}, one or a list
    control_section control;
    std::string log_level = "info";  // trace | debug | info | warning | error
    std::string log_format = "text"; // text | json

    // Not from YAML: the key itself, resolved from file, environment or credential; and the file to watch (""
    // for environment).
    std::string server_key;
    std::string server_key_path;
    std::string intake_token;   // content of intake.token_file
    std::string upstream_token; // content of upstream.token_file
    std::string handoff_token;  // content of shutdown.handoff_token_file
    std::string redact_key;     // content of events.redact_key_file
    // What opens the upstream, and the file that it was read from, if there is one.
    const std::string& upstream_secret() const {
        return upstream.is_forwarder() ? upstream_token : server_key;
    }
    const std::string& upstream_secret_path() const {
        return upstream.is_forwarder() ? upstream.token_file : server_key_path;
    }
    bool operator==(const settings&) const = default;
};

} // namespace linkrunner::config
