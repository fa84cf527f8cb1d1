#include "sandbox/api.hpp"

#include "base/json_text.hpp"
#include "sandbox/http_text.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include <array>

namespace linkrunner::sandbox {

namespace {

// Deeper than the daemon lets through, so that a refusal here is never about depth first.
constexpr std::size_t max_json_depth = 1000;

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

// What the body says, as far as it can be read; `fault` is empty when it is as documented.
struct api::parsed_body {
    std::string name, user, event_id, fault;

    explicit parsed_body(std::string_view text);

  private:
    void read(const boost::json::object& root);
};

api::parsed_body::parsed_body(std::string_view text) {
    std::array<unsigned char, 8192> space;
    boost::json::monotonic_resource memory(space.data(), space.size());
    boost::json::parse_options options;
    options.max_depth = max_json_depth;
    boost::system::error_code failure;
    const boost::json::value root = boost::json::parse(text, failure, &memory, options);
    if (failure) {
        fault = "Malformed JSON: " + failure.message();
    } else if (!root.is_object()) {
        fault = "The body must be a JSON object";
    } else {
        read(root.get_object());
    }
}

void api::parsed_body::read(const boost::json::object& root) {
    const auto text_of = [&](std::string_view key, std::string& out) {
        const boost::json::value* found = root.if_contains(key);
        if (found == nullptr || found->is_null()) { // null says the same as leaving it out
            return;
        }
        if (const boost::json::string* text = found->if_string()) {
            out.assign(text->data(), text->size());
        } else if (fault.empty()) {
            fault = std::string(key) + " must be a string";
        }
    };
    std::string install;
    text_of("event_name", name);
    text_of("user_id", user);
    text_of("install_instance_id", install);
    text_of("event_id", event_id);
    if (user.empty()) {
        user = std::move(install);
    }
    if (!fault.empty()) {
        return;
    }
    if (name.empty()) {
        fault = "Missing required parameter: event_name";
    } else if (user.empty()) {
        fault = "Missing required parameter: user_id";
    } else if (const boost::json::value* data = root.if_contains("event_data");
               data != nullptr && !data->is_object() && !data->is_null()) {
        fault = "event_data must be an object";
    }
}

api::api(api_settings options)
    : options_(std::move(options)), capture_path_(options_.prefix + "/capture-event"), rate_(options_.rate),
      events_(options_.keep_events, options_.keep_identities) {}

void api::set_rate(const rate_settings& rate) {
    options_.rate = rate;
    rate_ = rate_limit(rate);
}

void api::reset() {
    events_.clear();
    faults_.clear();
    peak_ = {};
    const std::uint64_t open = sums_.open_connections;
    sums_ = {};
    sums_.open_connections = open;
}

bool api::is_capture(std::string_view target) const {
    return target.substr(0, target.find('?')) == capture_path_;
}

misbehaviour api::on_accept(steady_time now) {
    return faults_.empty() ? misbehaviour{} : faults_.decide(fault_stage::accepted, {}, now);
}

std::optional<reply> api::on_head(const incoming& head, steady_time now, wall_time at) {
    if (faults_.empty() || !is_capture(head.target)) {
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

reply api::judge(const incoming& request, const parsed_body& body, const misbehaviour& what, wall_time at) {
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
    received_event event;
    event.at = at;
    event.name = body.name;
    event.user = body.user;
    event.event_id = body.event_id;
    event.body = request.body;
    event.status = what.status == 0 ? options_.status : what.status;
    event.answered = what.ending == fault_ending::answer && !what.garbage && !what.truncated &&
                     event.status >= 200 && event.status < 300;
    events_.record(std::move(event));
    return plain(options_.status, message_for(options_.status), at);
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
    const parsed_body body(request.body);
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
