// A deep look at a spool directory: every header, frame and mark is read, and what a start would make of them
// is worked out, without changing anything. Beside a running daemon it shows one moment of what moves: marks
// are taken before frames, so that it looks like the moment of a power cut.
#pragma once

#include "env/clock.hpp"
#include "env/disk.hpp"
#include "spool/audit.hpp"
#include "spool/queue.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace linkrunner::spool {

struct segment_facts {
    std::string name;
    sequence first = 0;
    sequence last = 0; // first - 1: empty
    std::uint64_t bytes = 0;
    std::uint64_t marks_bytes = 0;
    bool sparse = false; // compaction left only some of the numbers
    std::uint64_t pending = 0;
    std::uint64_t dead = 0;
    std::uint64_t ended = 0; // delivered, handed off, dropped
    std::uint64_t lost = 0;
};

struct inspection {
    std::vector<segment_facts> segments;
    std::uint64_t bytes = 0; // of all files
    ledger events;
    std::array<std::uint64_t, max_lanes> pending_by_lane{};
    sequence next = 1;
    audit_report audit;
    std::vector<damage> damaged;    // something is wrong
    std::vector<std::string> notes; // worth knowing, but in order

    bool well() const noexcept { return damaged.empty() && audit.holds(); }
};

// `in_use`: a daemon writes to the directory. Errors: the directory cannot be listed, or was written by a
// newer version.
result<inspection> inspect(const settings& options, disk& files, const clock& time, bool in_use);

} // namespace linkrunner::spool
