// The calls for payments, capture-payment and remove-payment: what they must hold, how they are told from one
// another, what the rules of quality.hpp find in them. After
// https://docs.linkrunner.io/api-reference/revenue-tracking. Private to this folder.
#pragma once

#include "event/edits.hpp"
#include "event/event.hpp"
#include "event/fields.hpp"
#include "event/policy.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace linkrunner::event {

// A call that says which it is: {"type": "capture-payment", "payload": {...}}.
struct wrapped {
    endpoint path{};
    std::string_view payload; // an object
    std::string event_id;     // for a payload that has none; may be empty
};

inline constexpr std::string_view payload_pointer = "/payload";

// `object` is a valid JSON object. Nothing when its `type` names no call; a violation when the payload is no
// object.
std::optional<std::variant<wrapped, violation>> unwrap(std::string_view object);

struct payment_texts {
    text_value user_id, payment_id, event_id, type, status;
};

// Reads and checks what a payment must have. `remove_all`: a removal may name a user alone.
std::optional<violation> read_payment(const fields& found, endpoint path, std::size_t max_bytes,
                                      bool remove_all, payment_texts& out);

// What makes two payments the same to the API: type and payment_id. Not for one without payment_id.
fingerprint identity_of(const payment_texts& payment, std::uint64_t seed);

// As inspect() for events. An amount that stays no number is a violation: the API refuses it.
std::optional<violation> inspect_payment(const fields& found, endpoint path, const payment_texts& payment,
                                         const actions& checks, std::vector<finding>& findings,
                                         edits& changes);

} // namespace linkrunner::event
