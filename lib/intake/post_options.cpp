#include "intake/post_options.hpp"

#include "base/duration.hpp"
#include "base/relay.hpp"
#include "intake/envelope.hpp"
#include "intake/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace linkrunner::intake {

namespace {

constexpr std::size_t max_key_bytes = 255;

struct media_type {
    std::string_view name;
    body_format format;
    bool drop_in; // accepted on the drop-in path
};

constexpr std::array<media_type, 4> media_types = {{
    {"application/json", body_format::json, true},
    {"application/x-ndjson", body_format::ndjson, false},
    {"application/jsonl", body_format::ndjson, false},
    {"application/ndjson", body_format::ndjson, false},
}};

std::string lower_token(std::string_view header) {
    std::string out(header.substr(0, header.find(';')));
    while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) {
        out.pop_back();
    }
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// Answers the problem with ?wait= and ?timeout=, or an empty string.
std::string read_wait(std::string_view query, post_options& into) {
    std::optional<std::chrono::milliseconds> timeout;
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
        const auto equals = pair.find('=');
        const std::string_view name = pair.substr(0, equals);
        const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
        if (name == "wait") {
            if (value != "delivered") {
                return "wait takes the value 'delivered'";
            }
            into.wait = default_wait;
        } else if (name == "timeout") {
            timeout = parse_duration(value);
            if (!timeout) {
                return "timeout takes a duration with a unit, as 5s or 500ms";
            }
        }
    }
    if (into.wait && timeout) {
        into.wait = std::min(*timeout, longest_wait);
    }
    return {};
}

} // namespace

std::optional<route> find_route(std::string_view path) noexcept {
    constexpr std::string_view drop_in = "/api/v1/";
    if (path == "/v1/events") {
        return route{};
    }
    const event::call only =
        path.starts_with(drop_in) ? endpoint_named(path.substr(drop_in.size())) : std::nullopt;
    return only ? std::optional<route>(route{only}) : std::nullopt;
}

std::variant<post_options, coded_refusal> read_options(const net::request& head) {
    const auto where = find_route(head.path());
    if (!where) {
        return coded(404, "not_found",
                     "events are posted to /v1/events or /api/v1/capture-event, payments to /v1/events, "
                     "/api/v1/capture-payment or /api/v1/remove-payment");
    }
    if (head.method() != "POST") {
        coded_refusal out = coded(405, "method_not_allowed", "events are sent with POST");
        out.answer.headers.emplace_back("Allow", "POST");
        return out;
    }
    post_options out;
    out.where = *where;
    const std::string type = lower_token(head.header("Content-Type"));
    if (!type.empty()) {
        const auto known = std::ranges::find(media_types, type, &media_type::name);
        if (known == media_types.end() || (out.where.is_drop_in() && !known->drop_in)) {
            return coded(415, "unsupported_media_type",
                         out.where.is_drop_in()
                             ? "send Content-Type: application/json"
                             : "send Content-Type: application/json or application/x-ndjson");
        }
        out.format = known->format;
    }
    const std::string encoding = lower_token(head.header("Content-Encoding"));
    out.gzip = encoding == "gzip" || encoding == "x-gzip";
    if (!out.gzip && !encoding.empty() && encoding != "identity") {
        return coded(415, "unsupported_encoding", "send the body plain or with Content-Encoding: gzip");
    }
    if (const std::string problem = read_wait(head.query(), out); !problem.empty()) {
        return coded(400, "bad_parameter", problem);
    }
    out.relayed = head.header_count(spool_header) != 0;
    out.idempotency_key = head.header("Idempotency-Key");
    const bool readable =
        std::ranges::all_of(out.idempotency_key, [](char c) { return c > 0x20 && c < 0x7f; });
    const bool given = head.header_count("Idempotency-Key") != 0;
    if (!readable || out.idempotency_key.size() > max_key_bytes || (given && out.idempotency_key.empty())) {
        return coded(400, "bad_idempotency_key",
                     "Idempotency-Key takes 1 to 255 printable ASCII characters without spaces");
    }
    if (head.header_count("traceparent") == 1) {
        out.trace = telemetry::trace_id_of(head.header("traceparent"));
    }
    return out;
}

} // namespace linkrunner::intake
