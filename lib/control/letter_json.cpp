#include "control/letter_json.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"
#include "base/utf8.hpp"

#include <chrono>
#include <cstdint>

namespace linkrunner::control {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
    out += ",\"";
    out += name;
    out += "\":";
    append_json_string(out, as_utf8(text));
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
    out += ",\"";
    out += name;
    out += "\":" + std::to_string(number);
}

void append_null(std::string& out, std::string_view name) {
    out += ",\"";
    out += name;
    out += "\":null";
}

void append_time(std::string& out, std::string_view name, wall_time when) {
    when == wall_time{} ? append_null(out, name) : append_member(out, name, utc_text(when));
}

void append_reason(std::string& out, const std::optional<spool::dead_letter>& letter) {
    if (!letter) {
        append_null(out, "reason");
        return;
    }
    append_member(out, "reason", spool::word_for(letter->reason));
    append_member(out, "status", static_cast<std::uint64_t>(letter->last_status));
    append_member(out, "attempts", letter->attempts);
    append_time(out, "first_attempt", letter->first_attempt);
    append_time(out, "last_attempt", letter->last_attempt);
    out += letter->ambiguous ? ",\"ambiguous\":true" : ",\"ambiguous\":false";
    append_member(out, "answer", letter->excerpt);
}

} // namespace

void append_letter(std::string& out, const spool::dead_event& one, const std::vector<std::string>& lanes) {
    out += "{\"number\":" + std::to_string(one.event.number);
    if (one.readable) {
        append_member(out, "event_id", one.event.event_id);
        append_member(out, "event_name", one.event.name);
        append_member(out, "lane",
                      one.event.lane < lanes.size() ? lanes[one.event.lane] : std::to_string(one.event.lane));
        append_member(out, "path", path_of(one.event.path));
        append_time(out, "accepted_at", one.event.accepted_at);
        append_member(out, "body_bytes", one.body_bytes);
    } else {
        append_null(out, "event_id"); // its frame has gone bad
    }
    append_reason(out, one.letter);
    if (!one.event.body.empty()) {
        out += ",\"body\":" + one.event.body;
    }
    out += '}';
}

} // namespace linkrunner::control
