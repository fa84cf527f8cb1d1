// The table of configuration keys. It drives the parser, the suggestions, print(), the JSON schema, the
// example file and the reference in docs/, so that none of them can disagree with another. Constant data; any
// thread.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linkrunner::config {

// Where a value is kept. The type decides how it is kept, `kind` how it is written.
using slot = std::variant<std::string*, bool*, std::uint64_t*, unsigned*, int*, double*, milliseconds*,
                          std::optional<milliseconds>*, std::optional<double>*, std::vector<std::string>*,
                          std::vector<unsigned>*, std::vector<lane_section>*>;

enum class kind {
    text,
    choice,            // one of `choices`; a number where the slot is an int
    flag,              // true or false
    count,             // a whole number
    number,            // with or without a fraction
    size,              // bytes with a unit
    duration,          // with a unit
    optional_duration, // or "off"
    optional_rate,     // per second or minute, or "auto"
    mode,              // file mode, octal
    texts,             // list of text
    counts,            // list of whole numbers
    lanes              // list of maps, see lane_keys()
};

struct shape {
    kind type = kind::text;
    // Bounds, both allowed: of count, number, size (bytes), duration (milliseconds), rate (per second).
    double least = 0;
    double most = 0;
    std::vector<std::string_view> choices;
};

enum class since { reload, start }; // when a changed value can take effect at the earliest

template <class Owner>
struct basic_key {
    std::string_view name; // dotted: "delivery.backoff.max"
    shape form;
    std::string_view description;
    slot (*at)(Owner&);
    since effect = since::reload;
};

using key = basic_key<settings>;
using lane_key = basic_key<lane_section>;

const std::vector<key>& keys();
const std::vector<lane_key>& lane_keys();

inline constexpr std::size_t most_lanes = 16;

const key* find_key(std::string_view name);

// True for a name that has keys below it: "delivery", "delivery.backoff".
bool is_section(std::string_view name);

// "upstream.url" -> "LINKRUNNERD_UPSTREAM__URL", and back.
std::string environment_name(std::string_view name);
std::string key_name(std::string_view environment_variable);

} // namespace linkrunner::config
