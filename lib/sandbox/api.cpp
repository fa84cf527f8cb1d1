#include "sandbox/api.hpp"

#include "base/json_text.hpp"
#include "sandbox/call.hpp"
#include "sandbox/http_text.hpp"

namespace linkrunner::sandbox {

namespace {

std::string retry_after_line(std::chrono::seconds wait, bool as_date, wall_time at) {
    return "Retry-After: " + (as_date ? http_date(at + wait) : std::to_string(wait.count())) + "\r\n";
}

// The header lines that a rule adds to an answer.
std::string scripted_lines(const misbehaviour& what, wall_time at) {
    std::string lines;
    if (what.retry_after) {
        lines = retry_after_line(*what.retry_after, what.retry_after_as_date, at);
    }
    if (!what.header.empty()) {
        lines += what.header + "\r\n";
    }
    return lines;
}

bool is_json(std::string_view content_type) {
    std::string_view media = content_type.substr(0, content_type.find(';'));
    while (!media.empty() && media.back() == ' ') {
        media.remove_suffix(1);
    }
    return equals_without_case(media, "application/json");
}

std::string_view success_for(endpoint path) {
    switch (path) {
    case endpoint::capture_event:
        return message_for(201);
    case endpoint::capture_payment:
        return "Payment captured";
    case endpoint::remove_payment:
        return "Payment entry deleted";
    }
    return "";
}

reply plain(int status, std::string_view message, wall_time at) {
    reply out;
    out.status = status;
    out.body = envelope(status, message);
    out.at = at;
    return out;
}

} // namespace

std::string envelope(int status, std::string_view message) {
    std::string out = R"({"msg":)";
    append_json_string(out, message);
    out += R"(,"status":)";
    out += std::to_string(status);
    out += R"(,"data":null})";
    return out;
}

std::string_view message_for(int status) noexcept {
    switch (status) {
    case 400:
        return "Missing required parameters";
    case 401:
        return "Invalid server key";
    case 402:
        return "Account suspended, please settle the outstanding invoice";
    case 403:
        return "Forbidden";
    case 404:
        return "Not found";
    case 405:
        return "Method not allowed";
    case 413:
        return "Request body over 1 MB";
    case 415:
        return "Content-Type must be application/json";
    case 429:
        return "Rate limit exceeded, please try again later";
    case 500:
        return "Internal server error, contact support if this persists";
    case 503:
        return "Service unavailable";
    default:
        return status < 300 ? "Event capture request received!" : "Scripted answer of the sandbox";
    }
}

api::api(api_settings options)
    : options_(std::move(options)), rate_(options_.rate),
      events_(options_.keep_events, options_.keep_identities), payments_(options_.keep_identities) {}

void api::set_rate(const rate_settings& rate) {
    options_.rate = rate;
    rate_ = rate_limit(rate);
}

void api::reset() {
    events_.clear();
    payments_ = payments(options_.keep_identities);
    faults_.clear();
    peak_ = {};
    const std::uint64_t open = sums_.open_connections;
    sums_ = {};
    sums_.open_connections = open;
}

std::optional<endpoint> api::call_at(std::string_view target) const {
    target = target.substr(0, target.find('?'));
    if (!target.starts_with(options_.prefix)) {
        return std::nullopt;
    }
    target.remove_prefix(options_.prefix.size());
    return target.starts_with('/') ? endpoint_named(target.substr(1)) : std::nullopt;
}

misbehaviour api::on_accept(steady_time now) {
    return faults_.empty() ? misbehaviour{} : faults_.decide(fault_stage::accepted, {}, now);
}

std::optional<reply> api::on_head(const incoming& head, steady_time now, wall_time at) {
    if (faults_.empty() || !call_at(head.target)) {
        return std::nullopt;
    }
    const misbehaviour what = faults_.decide(fault_stage::head, {}, now);
    if (what.only_delays()) {
        return std::nullopt;
    }
    ++sums_.requests;
    peak_.note(now);
    reply out = scripted(what, at + options_.clock_skew);
    finish(out);
    return out;
}

reply api::limited(std::chrono::nanoseconds wait, wall_time at) const {
    reply out = plain(429, message_for(429), at);
    const auto exact = std::chrono::ceil<std::chrono::seconds>(wait);
    switch (options_.retry_after) {
    case retry_after_kind::none:
        break;
    case retry_after_kind::fixed:
        out.headers = retry_after_line(options_.retry_after_seconds, false, at);
        break;
    case retry_after_kind::exact:
        out.headers = retry_after_line(exact, false, at);
        break;
    case retry_after_kind::date: // dates have whole seconds: one more, so as not to be early
        out.headers = retry_after_line(exact + std::chrono::seconds(1), true, at);
        break;
    }
    return out;
}

reply api::scripted(const misbehaviour& what, wall_time at) const {
    const int status = what.status == 0 ? options_.status : what.status;
    reply out =
        plain(status, what.message.empty() ? message_for(status) : std::string_view(what.message), at);
    out.headers += scripted_lines(what, at);
    if (!what.location.empty()) {
        out.headers += "Location: " + what.location + "\r\n";
    }
    out.how = what;
    return out;
}

reply api::judge(const incoming& request, const parsed_call& body, const misbehaviour& what, wall_time at) {
    if (request.key.empty() || (!options_.key.empty() && request.key != options_.key)) {
        return plain(401, message_for(401), at);
    }
    if (!is_json(request.content_type)) {
        return plain(415, message_for(415), at);
    }
    if (request.oversized || request.body.size() > options_.max_body_bytes) {
        return plain(413, message_for(413), at);
    }
    if (!body.fault.empty()) {
        return plain(400, body.fault, at);
    }
    const int status = status_of(body.path);
    received_event event;
    event.at = at;
    event.path = body.path;
    event.name = body.name;
    event.user = body.user;
    event.event_id = body.event_id;
    event.body = request.body;
    event.status = what.status == 0 ? status : what.status;
    event.answered = what.ending == fault_ending::answer && !what.garbage && !what.truncated &&
                     event.status >= 200 && event.status < 300;
    if (body.path == endpoint::remove_payment &&
        payments_.remove(body.paid.payment_id, body.paid.user_id) == 0) {
        return plain(400, "No payment found with the given payment id or user id", at);
    }
    if (body.path == endpoint::capture_payment) {
        event.duplicate = !payments_.capture(body.paid);
    }
    events_.record(std::move(event));
    return plain(status, success_for(body.path), at);
}

// What is removed is answered with 200, as the API documents it.
int api::status_of(endpoint path) const {
    return path == endpoint::remove_payment ? 200 : options_.status;
}

reply api::handle(const incoming& request, steady_time now, wall_time at) {
    at += options_.clock_skew;
    ++sums_.requests;
    peak_.note(now);
    if (request.method != "POST") {
        reply out = plain(405, message_for(405), at);
        out.headers = "Allow: POST\r\n";
        finish(out);
        return out;
    }
    if (const auto wait = rate_.refuse(now)) {
        reply out = limited(*wait, at);
        finish(out);
        return out;
    }
    const parsed_call body =
        parse_call(call_at(request.target).value_or(endpoint::capture_event), request.body);
    const misbehaviour what =
        faults_.empty() ? misbehaviour{} : faults_.decide(fault_stage::request, {body.name, body.user}, now);
    const bool replaced = what.status != 0 || what.garbage || what.ending != fault_ending::answer;
    reply out;
    if (!replaced || what.processed) {
        out = judge(request, body, what, at);
    }
    if (replaced) {
        out = scripted(what, at);
    } else {
        out.headers += scripted_lines(what, at);
        if (!what.message.empty()) {
            out.body = envelope(out.status, what.message);
        }
        out.how = what;
    }
    finish(out);
    return out;
}

void api::finish(reply& answer) {
    if (answer.how.big_bytes > answer.body.size()) {
        answer.body.resize(answer.how.big_bytes, ' ');
    }
    if (answer.how.ending == fault_ending::answer && !answer.how.garbage) {
        ++sums_.answers[answer.status];
    } else {
        ++sums_.unanswered;
    }
}

} // namespace linkrunner::sandbox
