// What the tests of the policy share: events parsed under one.
#pragma once

#include "event/policy.hpp"
#include "unit/event/parsing.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linkrunner::event {

inline std::string bracketed(std::string_view text) {
    return "<" + std::string(text) + ">";
}

inline constexpr std::string_view intake_time = "2026-11-23T15:00:00.000Z";

inline std::variant<event, violation> parse_under(const policy_settings& settings, std::string_view text) {
    const policy rules(settings, bracketed);
    parse_options options = no_id_added();
    options.rules = &rules;
    counted_ids ids;
    return parse_event(text, "", options, ids, intake_time);
}

inline event taken_under(const policy_settings& settings, std::string_view text) {
    auto parsed = parse_under(settings, text);
    if (const auto* const why = std::get_if<violation>(&parsed)) {
        ADD_FAILURE() << text << "\nwas refused: " << why->code << ": " << why->message;
        return {};
    }
    return std::get<event>(std::move(parsed));
}

inline policy_settings with_check(rule which, action wanted) {
    policy_settings out;
    out.checks[which] = wanted;
    return out;
}

// The words of what was found, each with "!" where it was fixed.
inline std::vector<std::string> found_in(const event& taken) {
    std::vector<std::string> out;
    for (const finding& each : taken.findings) {
        out.push_back(std::string(word_for(each.which)) + (each.fixed ? "!" : ""));
    }
    return out;
}

inline std::string named(std::string_view name) {
    return R"({"event_name":")" + std::string(name) + R"(","user_id":"u"})";
}

inline std::string with_data(std::string_view data) {
    return R"({"event_name":"a","user_id":"u","event_data":)" + std::string(data) + "}";
}

} // namespace linkrunner::event
