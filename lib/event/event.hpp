// From the bytes that a caller sent to an event that can be stored: syntax, fields, bounds, the operator's
// policy, identity. Pure: no clock, no I/O. The bytes of the event go through as they came, but for an
// event_id where there was none and for what the policy changes.
#pragma once

#include "base/endpoint.hpp"
#include "base/hash.hpp"
#include "event/quality.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linkrunner::event {

struct bounds {
    std::size_t max_event_bytes = 1'000'000; // as it would be sent (the API's 1 MB)
    std::size_t max_depth = 64;              // nesting of objects and arrays
    std::size_t max_key_field_bytes = 1024;  // event_name, user_id, install_instance_id, event_id, unescaped
};

// Why an event is refused. `code` is a stable word (codes.hpp; docs/intake-json.md says when); `pointer` (RFC
// 6901) names the field, "" for the whole; line and column (from 1, column in bytes) only for malformed_json,
// invalid_utf8 and too_deep, within the text that was parsed.
struct violation {
    std::string code;
    std::string message;
    std::string pointer;
    std::size_t line = 0;
    std::size_t column = 0;
};

struct event {
    endpoint path = endpoint::capture_event;
    std::string body;        // what will be sent
    std::string name;        // event_name, unescaped; of a payment its endpoint's (name_of)
    std::string event_id;    // unescaped; of a payment its payment_id, where it has one
    bool has_amount = false; // event_data.amount is present, or it is a payment: for lanes
    std::uint64_t user_key = 0;
    fingerprint identity;
    std::uint64_t body_hash = 0; // of what the caller sent, without what was redacted

    // By the policy:
    std::vector<finding> findings;
    bool filtered = false; // to be answered so and not accepted; nothing else is set then
    std::optional<std::uint8_t> lane;
    std::optional<bool> ambiguous_dead;

    // By which its lane is found. A removal goes where its payment goes, for order is kept within a lane.
    std::string_view lane_name() const noexcept {
        return path == endpoint::remove_payment ? name_of(endpoint::capture_payment) : std::string_view(name);
    }
};

class policy;

struct parse_options {
    bounds limits;
    bool add_event_id =
        true; // events.add_event_id: put a made or derived event_id into the body that is sent
    std::uint64_t hash_seed = 0;
    const policy* rules = nullptr;    // none: as it comes
    bool remove_all_payments = false; // a remove-payment with a user_id alone is accepted
};

// Where a text came in: at the drop-in path of one call; or where every call is taken, and one other than
// capture-event says in a wrapper which it is: {"type": "capture-payment", "payload": {...}}.
using call = std::optional<endpoint>;
inline constexpr call any_call = std::nullopt;

// Makes an event_id for an event that came without one.
class id_source {
  public:
    virtual ~id_source() = default;
    virtual std::string make() = 0;
};

// One event from `text`, which holds exactly one JSON value, perhaps with whitespace around it.
// `fallback_id`, if not empty, is the event_id for an event that has none (from Idempotency-Key); else `ids`
// makes one. `time` is what the policy stamps events with.
std::variant<event, violation> parse_event(std::string_view text, std::string_view fallback_id,
                                           const parse_options& options, id_source& ids,
                                           std::string_view time = {}, call from = endpoint::capture_event);

// The event_id of event `index` of a batch that came with an Idempotency-Key: the same for the same (key,
// index), on every machine.
std::string derived_id(std::string_view key, std::size_t index);

} // namespace linkrunner::event
