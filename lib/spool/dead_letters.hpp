// Dead letters, read from the files of a running store a page at a time: the event from its frame, the reason
// from its mark. Memory is that of a page, however many there are. Disk thread.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "spool/mark.hpp"
#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

class segment;
class store;

// All that is set must be met.
struct dead_filter {
    std::optional<dead_reason> reason;
    std::optional<std::string> name; // event_name
    std::optional<std::string> event_id;
    std::optional<wall_time> accepted_before, accepted_since;
    std::vector<sequence> numbers; // in order; empty: any
    sequence before = ~sequence{0};
};

struct dead_event {
    stored_event event; // the number alone where its frame does not read; without the body unless asked for
    std::uint64_t body_bytes = 0;
    bool readable = false;
    std::optional<dead_letter> letter; // nothing where its mark does not read
};

struct dead_query {
    dead_filter filter;
    sequence from = 0;
    std::size_t max_events = 100;
    std::size_t max_bytes = 1 << 20; // of bodies; one is returned at least
    bool bodies = false;
};

struct dead_page {
    std::vector<dead_event> events; // in the order of their numbers
    sequence next = 0;              // ask from here to go on
    bool at_end = false;            // there is none from `next` on
};

// A stretch of work that is short enough to be done between two commits: it may end before the page is full,
// and even empty, without being at the end.
result<dead_page> read_dead(const store& from, const dead_query& what);

// Numbers and lanes only, for what is done to many: as read_dead, but files are read only as far as the
// filter needs them.
struct dead_numbers {
    std::vector<std::pair<std::uint8_t, sequence>> lanes_and_numbers;
    sequence next = 0;
    bool at_end = false;
};
result<dead_numbers> select_dead(const store& from, const dead_filter& filter, sequence first);

} // namespace linkrunner::spool
