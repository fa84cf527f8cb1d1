#include "intake/envelope.hpp"

#include "base/json_text.hpp"

namespace linkrunner::intake {

namespace {

void append_place(std::string& out, const event::violation& why) {
    if (!why.pointer.empty()) {
        out += ",\"pointer\":";
        append_json_string(out, why.pointer);
    }
    if (why.line != 0) {
        out += ",\"line\":" + std::to_string(why.line) + ",\"column\":" + std::to_string(why.column);
    }
}

} // namespace

net::response refusal(const event::violation& why) {
    std::string data = "{\"code\":";
    append_json_string(data, why.code);
    append_place(data, why);
    data += '}';
    const int status = why.code == "event_too_large" ? 413 : why.code == "identity_conflict" ? 409 : 400;
    return envelope(status, why.message, data);
}

coded_refusal coded(int status, std::string_view code, std::string_view message) {
    return {code, refusal(status, code, message)};
}

net::response unavailable(std::string_view code, std::string_view message, long retry_after_seconds) {
    net::response out = refusal(503, code, message);
    out.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
    return out;
}

void append_violation(std::string& out, const event::violation& why) {
    out += "\"code\":";
    append_json_string(out, why.code);
    out += ",\"msg\":";
    append_json_string(out, why.message);
    append_place(out, why);
}

void append_finding(std::string& out, const event::finding& what) {
    out += "\"code\":";
    append_json_string(out, event::word_for(what.which));
    out += ",\"msg\":";
    append_json_string(out, what.message);
    out += ",\"pointer\":";
    append_json_string(out, what.pointer);
    out += what.fixed ? ",\"fixed\":true" : ",\"fixed\":false";
}

std::string data_of(const accepted_event& one, bool duplicate, std::string_view outcome) {
    std::string data = "{\"event_id\":";
    append_json_string(data, one.event_id);
    data += duplicate ? ",\"duplicate\":true" : ",\"duplicate\":false";
    if (!outcome.empty()) {
        data += ",\"outcome\":\"";
        data += outcome;
        data += '"';
    }
    if (!one.findings.empty()) {
        data += ",\"warnings\":[";
        for (const event::finding& each : one.findings) {
            data += &each == &one.findings.front() ? "{" : ",{";
            append_finding(data, each);
            data += '}';
        }
        data += ']';
    }
    data += '}';
    return data;
}

} // namespace linkrunner::intake
