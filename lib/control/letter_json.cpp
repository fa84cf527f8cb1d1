#include "control/letter_json.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"

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

// The length of the UTF-8 character at the beginning (RFC 3629), 0 where there is none.
std::size_t character_bytes(std::string_view text) {
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const auto first = at(0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xC2 ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t index = 1; index < length; ++index) {
        if ((at(index) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (first == 0xE0 && at(1) < 0xA0) || (first == 0xF0 && at(1) < 0x90);
    const bool surrogate = first == 0xED && at(1) > 0x9F;
    const bool beyond = first == 0xF4 && at(1) > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
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

std::string as_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = character_bytes(text);
        length == 0 ? out += "\xEF\xBF\xBD" : out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

} // namespace linkrunner::control
