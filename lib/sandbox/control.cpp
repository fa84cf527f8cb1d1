#include "sandbox/control.hpp"

#include "base/json_text.hpp"
#include "sandbox/http_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fnmatch.h>
#include <vector>

namespace linkrunner::sandbox {

namespace {

constexpr std::size_t default_limit = 1000;

reply json(std::string body) {
    reply out;
    out.body = std::move(body);
    return out;
}

reply text(int status, std::string body) {
    reply out;
    out.status = status;
    out.content_type = "text/plain";
    out.body = std::move(body) + "\n";
    return out;
}

reply not_allowed(std::string_view allowed) {
    reply out = text(405, "only " + std::string(allowed));
    out.headers = "Allow: " + std::string(allowed) + "\r\n";
    return out;
}

std::uint64_t number_or(const std::string& text, std::uint64_t otherwise) {
    std::uint64_t value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

bool matches(const std::string& pattern, const std::string& value) {
    return pattern.empty() || fnmatch(pattern.c_str(), value.c_str(), 0) == 0;
}

// ?limit=N (the last N; the first N behind ?after=NUMBER), ?name=, ?user=, ?event_id= (globs), ?format=ndjson
reply list_events(const api& state, std::string_view query) {
    const std::uint64_t limit = number_or(query_value(query, "limit"), default_limit);
    const std::uint64_t after = number_or(query_value(query, "after"), 0);
    const std::string name = query_value(query, "name");
    const std::string user = query_value(query, "user");
    const std::string event_id = query_value(query, "event_id");
    const bool lines = query_value(query, "format") == "ndjson";
    std::vector<const received_event*> chosen;
    const auto& recent = state.events().recent();
    for (const received_event& each : recent) {
        if (each.number > after && matches(name, each.name) && matches(user, each.user) &&
            matches(event_id, each.event_id)) {
            chosen.push_back(&each);
        }
    }
    const std::size_t surplus = chosen.size() - std::min<std::size_t>(chosen.size(), limit);
    const auto from = after == 0 ? chosen.begin() : chosen.end() - static_cast<std::ptrdiff_t>(surplus);
    chosen.erase(from, from + static_cast<std::ptrdiff_t>(surplus));
    reply out = json(lines ? "" : "[");
    if (lines) {
        out.content_type = "application/x-ndjson";
    }
    for (const received_event* event : chosen) {
        if (!lines && event != chosen.front()) {
            out.body += ",\n";
        }
        out.body += event_json(*event);
        if (lines) {
            out.body += '\n';
        }
    }
    if (!lines) {
        out.body += "]\n";
    }
    return out;
}

// The payments that are held: ?payment_id=, ?user= (globs)
reply list_payments(const api& state, std::string_view query) {
    const std::string payment_id = query_value(query, "payment_id");
    const std::string user = query_value(query, "user");
    std::string body = "[";
    for (const payment& each : state.paid().held()) {
        if (!matches(payment_id, each.payment_id) || !matches(user, each.user_id)) {
            continue;
        }
        body += body.size() > 1 ? ",\n{\"user_id\":" : "{\"user_id\":";
        append_json_string(body, each.user_id);
        body += ",\"payment_id\":";
        append_json_string(body, each.payment_id);
        body += ",\"type\":";
        append_json_string(body, each.type);
        body += ",\"status\":";
        append_json_string(body, each.status);
        body += ",\"amount\":" + each.amount + "}";
    }
    return json(body + "]\n");
}

reply list_faults(api& state) {
    std::string body = "[";
    for (const fault_plan::state& rule : state.faults().states()) {
        body += body.size() > 1 ? ",{\"rule\":" : "{\"rule\":";
        append_json_string(body, rule.text);
        body += ",\"matched\":" + std::to_string(rule.matched) + ",\"hit\":" + std::to_string(rule.hit) + "}";
    }
    return json(body + "]\n");
}

reply change_faults(api& state, const incoming& request, steady_time now) {
    if (request.method == "DELETE") {
        state.faults().clear();
        return list_faults(state);
    }
    if (request.method == "POST" || request.method == "PUT") {
        auto rules = parse_faults(request.body);
        if (!rules) {
            return text(400, rules.error().message);
        }
        if (request.method == "PUT") {
            state.faults().clear();
        }
        state.faults().add(std::move(*rules), now);
        return list_faults(state);
    }
    return request.method == "GET" ? list_faults(state) : not_allowed("GET, POST, PUT, DELETE");
}

std::string_view one_line(std::string_view body) {
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' ')) {
        body.remove_suffix(1);
    }
    return body;
}

reply change_key(api& state, const incoming& request) {
    if (request.method != "PUT" && request.method != "DELETE") {
        return not_allowed("PUT, DELETE");
    }
    state.set_key(request.method == "PUT" ? std::string(one_line(request.body)) : "");
    return text(200, state.settings().key.empty() ? "any key is accepted" : "the key was changed");
}

reply change_rate(api& state, const incoming& request) {
    if (request.method != "PUT" && request.method != "DELETE") {
        return not_allowed("PUT, DELETE");
    }
    const auto rate = parse_rate(request.method == "PUT" ? one_line(request.body) : "off");
    if (!rate) {
        return text(400, rate.error().message);
    }
    state.set_rate(*rate);
    return text(200, "the rate limit was changed");
}

reply route(api& state, const incoming& request, steady_time now) {
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    const std::string_view query =
        path.size() < request.target.size() ? request.target.substr(path.size() + 1) : std::string_view{};
    if (path == "/events") {
        return request.method == "GET" ? list_events(state, query) : not_allowed("GET");
    }
    if (path == "/payments") {
        return request.method == "GET" ? list_payments(state, query) : not_allowed("GET");
    }
    if (path == "/summary") {
        return request.method == "GET" ? json(summary_json(state) + "\n") : not_allowed("GET");
    }
    if (path == "/faults") {
        return change_faults(state, request, now);
    }
    if (path == "/key") {
        return change_key(state, request);
    }
    if (path == "/rate") {
        return change_rate(state, request);
    }
    if (path == "/reset") {
        if (request.method != "POST") {
            return not_allowed("POST");
        }
        state.reset();
        return text(200, "events, sums and faults were forgotten");
    }
    reply out;
    out.status = 404;
    out.body = envelope(404, message_for(404));
    return out;
}

} // namespace

reply answer_control(api& state, const incoming& request, steady_time now, wall_time at) {
    reply out = route(state, request, now);
    out.at = at + state.settings().clock_skew;
    return out;
}

std::string event_json(const received_event& event) {
    std::string out = "{\"number\":" + std::to_string(event.number) + ",\"at\":\"" + iso_time(event.at) +
                      "\",\"status\":" + std::to_string(event.status) +
                      ",\"duplicate\":" + (event.duplicate ? "true" : "false") +
                      ",\"answered\":" + (event.answered ? "true" : "false") + ",\"path\":\"" +
                      std::string(path_of(event.path)) + "\",\"event\":";
    for (const char c : event.body) { // line ends in JSON are only ever between its tokens
        out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out + "}";
}

std::string summary_json(api& state) {
    const ledger& events = state.events();
    const counters& sums = state.sums();
    std::string out = "{";
    const auto add = [&out](std::string_view key, std::uint64_t value) {
        out += out.size() > 1 ? ",\"" : "\"";
        out.append(key).append("\":").append(std::to_string(value));
    };
    add("requests", sums.requests);
    add("events", events.total());
    add("unique", events.unique());
    add("duplicates", events.duplicates());
    add("payments", state.paid().held().size());
    add("payments_ignored", state.paid().ignored());
    add("payments_removed", state.paid().removed());
    add("without_event_id", events.without_id());
    add("recorded_unanswered", events.unanswered());
    add("unanswered", sums.unanswered);
    add("peak_per_second", state.peak_per_second());
    add("connections", sums.connections);
    add("open_connections", sums.open_connections);
    add("tls_resumed", sums.tls_resumed);
    add("tls_failed", sums.tls_failed);
    add("forgotten_identities", events.forgotten_identities());
    out += ",\"answers\":{";
    const char* gap = "";
    for (const auto& [status, times] : sums.answers) {
        out += gap;
        out += "\"" + std::to_string(status) + "\":" + std::to_string(times);
        gap = ",";
    }
    return out + "}}";
}

result<rate_settings> parse_rate(std::string_view text) {
    rate_settings out;
    if (text == "off") {
        return out;
    }
    const error wrong =
        make_error(std::errc::invalid_argument, "'" + std::string(text) +
                                                    "' is not a rate such as 30/s, with one of the words "
                                                    "bucket [BURST], window, sliding behind it");
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out.per_second);
    std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (failure != std::errc{} || !rest.starts_with("/s") || !(out.per_second > 0)) {
        return wrong;
    }
    rest.remove_prefix(2);
    std::array<std::string_view, 2> words;
    for (std::string_view& word : words) {
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(word.size());
    }
    if (!words[0].empty()) {
        const auto kind = rate_kind_from(words[0]);
        if (!kind) {
            return wrong;
        }
        out.kind = *kind;
    }
    if (!words[1].empty()) {
        const auto [stop, bad] =
            std::from_chars(words[1].data(), words[1].data() + words[1].size(), out.burst);
        if (bad != std::errc{} || stop != words[1].data() + words[1].size() || !(out.burst >= 1)) {
            return wrong;
        }
    }
    return out;
}

} // namespace linkrunner::sandbox
