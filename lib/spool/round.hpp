// What the loop hands to the disk thread and gets back, in one piece per round. Callbacks travel along, but
// are called and destroyed on the loop's thread only.
#pragma once

#include "spool/store.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::spool {

struct read_job {
    std::uint8_t lane = 0;
    sequence from = 0;
    std::size_t max_events = 0;
    std::size_t max_bytes = 0;
    result<batch> outcome;
    read_callback done;
};

struct lookup_job {
    sequence number = 0;
    watch_id watch = 0;
    std::optional<mark_kind> ended;
};

struct disk_task {
    std::function<void(store&)> work;
    std::function<void(const result<void>&)> done;
};

struct drop_job {
    number_range range;
    std::vector<sequence> held;
    std::vector<sequence> dropped;
};

struct round {
    std::vector<append_job> appends;
    std::vector<std::pair<append_callback, std::uint64_t>> appended; // and the bytes, for each of appends
    std::vector<mark_job> marks;
    std::vector<mark_callback> marked; // for each of marks
    std::vector<read_job> reads;
    std::vector<lookup_job> lookups;
    std::vector<disk_task> tasks;
    std::vector<drop_job> drops;

    // The answer.
    spool::status status;
    std::uint32_t lanes_stored = 0;
    std::optional<double> sync_seconds;
    std::vector<std::string> findings;
    std::optional<number_range> room_wanted;

    std::size_t requests() const noexcept {
        return appends.size() + marks.size() + reads.size() + lookups.size() + drops.size() + tasks.size();
    }
};

} // namespace linkrunner::spool
