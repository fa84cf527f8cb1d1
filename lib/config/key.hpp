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
                          std::optional<milliseconds>*, std::optional<std::optional<milliseconds>>*,
                          std::optional<double>*, std::vector<std::string>*, std::vector<unsigned>*,
                          std::vector<lane_section>*, std::vector<redact_section>*, std::vector<add_section>*,
                          std::vector<rule_section>*>;

enum class kind {
    text,
    choice,             // one of `choices`; a number where the slot is an int
    flag,               // true or false
    count,              // a whole number
    number,             // with or without a fraction
    size,               // bytes with a unit
    duration,           // with a unit
    optional_duration,  // or "off"
    inherited_duration, // or "off", or "inherit": as for all
    optional_rate,      // per second or minute, or "auto"
    mode,               // file mode, octal
    texts,              // list of text
    counts,             // list of whole numbers
    records             // list of maps, see record_form
};

struct shape {
    kind type = kind::text;
    // Bounds, both allowed: of count, number, size (bytes), duration (milliseconds), rate (per second), and
    // of the number of records.
    double least = 0;
    double most = 0;
    std::vector<std::string_view> choices; // of records: their form's name
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

const std::vector<key>& keys();

// One map of a list of them: a lane, a redaction, an addition, a rule per event name.
template <class Record>
struct record_form {
    std::string_view name;     // "lane"
    std::string_view title;    // "A lane"
    std::string_view example;  // YAML in flow style
    std::string_view required; // the schema's list of members that must be there, JSON
    std::vector<basic_key<Record>> keys;
};

template <class Record>
const record_form<Record>& form_of();
template <>
const record_form<lane_section>& form_of();
template <>
const record_form<redact_section>& form_of();
template <>
const record_form<add_section>& form_of();
template <>
const record_form<rule_section>& form_of();

// Calls what(form, record with its defaults) for each kind of record.
template <class What>
void for_each_record_form(What what) {
    what(form_of<lane_section>(), lane_section());
    what(form_of<redact_section>(), redact_section());
    what(form_of<add_section>(), add_section());
    what(form_of<rule_section>(), rule_section());
}

inline constexpr std::size_t most_lanes = 16;
inline constexpr std::size_t most_event_rules = 256; // of rules, redactions and additions each

const key* find_key(std::string_view name);

// True for a name that has keys below it: "delivery", "delivery.backoff".
bool is_section(std::string_view name);

// "upstream.url" -> "LINKRUNNERD_UPSTREAM__URL", and back.
std::string environment_name(std::string_view name);
std::string key_name(std::string_view environment_variable);

} // namespace linkrunner::config
