// Events that wait, read from the files of a running store a page at a time, for people who look into the
// queue. Memory is that of a page, however many wait. Disk thread.
#pragma once

#include "base/error.hpp"
#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::spool {

class store;

// All that is set must be met.
struct pending_filter {
    std::optional<std::uint8_t> lane;
    std::optional<std::string> name; // event_name
    std::optional<std::string> event_id;
    std::optional<sequence> number;
    std::optional<wall_time> accepted_before;
    sequence before = ~sequence{0};
};

struct pending_event {
    stored_event event; // the number and lane alone where its frame does not read
    bool readable = false;
};

struct pending_query {
    pending_filter filter;
    sequence from = 0;
    std::size_t max_events = 100;
    std::size_t max_bytes = 4 << 20; // of bodies; one is returned at least
};

struct pending_page {
    std::vector<pending_event> events; // in the order of their numbers
    sequence next = 0;                 // ask from here to go on
    bool at_end = false;               // there is none from `next` on
};

// A stretch of work that is short enough to be done between two commits: it may end before the page is full,
// and even empty, without being at the end. Errors: a file cannot be read.
result<pending_page> read_pending(const store& from, const pending_query& what);

} // namespace linkrunner::spool
