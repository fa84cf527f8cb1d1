// What the tests of this folder share: parsing with ids that can be told in advance.
#pragma once

#include "event/event.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

namespace linkrunner::event {

class counted_ids final : public id_source {
  public:
    std::string make() override { return "made-" + std::to_string(++made_); }
    int made() const { return made_; }

  private:
    int made_ = 0;
};

inline std::variant<event, violation> parse(std::string_view text, const parse_options& options = {},
                                            std::string_view fallback_id = "") {
    counted_ids ids;
    return parse_event(text, fallback_id, options, ids);
}

// The event; the test fails and gets an empty one where the text is refused.
inline event accepted(std::string_view text, const parse_options& options = {},
                      std::string_view fallback_id = "") {
    auto parsed = parse(text, options, fallback_id);
    if (const auto* const why = std::get_if<violation>(&parsed)) {
        ADD_FAILURE() << text << "\nwas refused: " << why->code << " " << why->pointer << ": "
                      << why->message;
        return {};
    }
    return std::get<event>(std::move(parsed));
}

// The violation; the test fails and gets an empty one where the text is taken.
inline violation refused(std::string_view text, const parse_options& options = {},
                         std::string_view fallback_id = "") {
    auto parsed = parse(text, options, fallback_id);
    if (!std::holds_alternative<violation>(parsed)) {
        ADD_FAILURE() << text << "\nwas taken";
        return {};
    }
    return std::get<violation>(std::move(parsed));
}

inline parse_options no_id_added() {
    parse_options options;
    options.add_event_id = false;
    return options;
}

// An acceptable event with `members` (and a comma of their own) in front of the required ones.
inline std::string event_with(std::string_view members) {
    return "{" + std::string(members) + R"("event_name":"a","user_id":"u"})";
}

// An acceptable event whose event_data.x is `value`.
inline std::string data_with(std::string_view value) {
    return event_with(R"("event_data":{"x":)" + std::string(value) + "},");
}

} // namespace linkrunner::event
