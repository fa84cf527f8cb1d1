// What became of an event: a mark is a checksummed, idempotent record beside the event's segment.
// A mark may be lost in a crash (the event is sent again, with the same event_id), never invented.
#pragma once

#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::spool {

// The numbers are stored on disk.
enum class mark_kind : std::uint8_t {
    sending = 1, // an attempt is about to begin (ambiguous: dead)
    delivered = 2,
    dead = 3,       // in the dead-letter store, with a letter
    dropped = 4,    // by an operator or a policy
    replayed = 5,   // pending again: a dead letter, or one that was `sending` and surely was not counted
    handed_off = 6, // taken over by another linkrunnerd
};

// Why an event is dead; the words are label values of linkrunnerd_events_dead_total.
enum class dead_reason : std::uint8_t { rejected = 1, attempts = 2, age = 3, ambiguous = 4 };

const char* word_for(dead_reason reason) noexcept;
std::optional<dead_reason> dead_reason_from(std::string_view word) noexcept;

struct dead_letter {
    dead_reason reason = dead_reason::rejected;
    int last_status = 0; // HTTP status of the last attempt; 0 where there was no answer
    std::uint32_t attempts = 0;
    wall_time first_attempt{};
    wall_time last_attempt{};
    bool ambiguous = false; // some attempt may have been counted by the API
    std::string excerpt;    // of the last answer's body or the last error, at most 512 bytes
};

struct mark {
    sequence number = 0;
    mark_kind kind = mark_kind::delivered;
    dead_letter letter; // for `dead`
    std::string reason; // for `dropped`: a word for the counter, as "operator"
};

} // namespace linkrunner::spool
