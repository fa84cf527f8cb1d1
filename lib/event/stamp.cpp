#include "event/stamp.hpp"

#include "base/json_text.hpp"
#include "event/fields.hpp"
#include "event/scan.hpp"
#include "event/syntax.hpp"

#include <array>
#include <cstdio>
#include <variant>

namespace linkrunner::event {

namespace {

struct contents {
    bool empty = true;
    bool has_key = false;
};

contents look_into(std::string_view data, std::string_view key) {
    const char* const end = data.data() + data.size();
    contents out;
    scan::for_each_member(data.data(), end, [&](std::string_view name, const char* value) {
        out.empty = false;
        out.has_key = out.has_key || unescape(name) == key;
        return scan::skip_value(value, end);
    });
    return out;
}

} // namespace

std::string rfc3339(std::chrono::sys_time<std::chrono::milliseconds> when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss<std::chrono::milliseconds> time(when - day);
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()),
                  unsigned(date.month()), unsigned(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return text.data();
}

std::string with_stamp(std::string object, std::string_view key, std::string_view value) {
    const auto members = find_fields(object);
    const auto* const found = std::get_if<fields>(&members);
    if (found == nullptr) {
        return object;
    }
    std::string stamp;
    append_json_string(stamp, key);
    stamp += ':';
    append_json_string(stamp, value);
    const member& data = (*found)[field::event_data];
    const auto at = data.literal.empty() ? 0 : static_cast<std::size_t>(data.literal.data() - object.data());
    switch (data.kind) {
    case value_kind::object: {
        const contents inside = look_into(data.literal, key);
        if (!inside.has_key) {
            object.insert(at + 1, inside.empty ? stamp : stamp + ",");
        }
        break;
    }
    case value_kind::null:
        object.replace(at, data.literal.size(), "{" + stamp + "}");
        break;
    default: // absent: an event has other members, so a comma follows
        object.insert(1, "\"event_data\":{" + stamp + "},");
        break;
    }
    return object;
}

} // namespace linkrunner::event
