// Takes sensitive values out of an event before anything of it reaches disk or log: by key, at any depth, or
// by place. Immutable once made, so any thread may use it.
#pragma once

#include "event/pattern.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::event {

enum class redaction_kind : std::uint8_t {
    remove, // the member with its key; null in the place of an item of an array
    mask,   // "***"
    hash    // the keyed hash, of a text what it stands for, of other values their bytes
};

struct redaction {
    std::string key;     // pattern of fnmatch(3) on the key, whatever its case; or
    std::string pointer; // RFC 6901, from the event's root
    redaction_kind what = redaction_kind::mask;
    std::vector<std::string> names; // events that it applies to, patterns on event_name; empty: all
};

class redactor {
  public:
    using keyed_hash = std::function<std::string(std::string_view)>; // gives hexadecimal digits

    redactor() = default;
    redactor(const std::vector<redaction>& all, keyed_hash hash);

    bool empty() const noexcept { return all_.empty(); }

    // The event without what is to be redacted; nothing when it holds none of that. `object` is a valid JSON
    // object without whitespace around it. The members that make an event one (event_name, event_id, and
    // event_data as a whole) stay; a user_id or install_instance_id is only ever hashed.
    std::optional<std::string> apply(std::string_view object, std::string_view event_name) const;

  private:
    struct compiled {
        std::string key; // in small letters
        bool key_is_glob = false;
        std::vector<std::string> path; // the pointer's parts
        redaction_kind what = redaction_kind::mask;
        bool every_name = true;
        patterns names;
    };
    class walk;

    std::vector<compiled> all_;
    keyed_hash hash_;
};

} // namespace linkrunner::event
