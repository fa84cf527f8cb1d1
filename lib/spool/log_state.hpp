// The log as it is known in memory: what recovery makes of the files and what the store keeps up to date.
// Disk thread.
#pragma once

#include "spool/header.hpp"
#include "spool/identity_index.hpp"
#include "spool/segment.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::spool {

struct retained_identities {
    sequence last = 0; // one past
    std::uint64_t bytes = 0;
};

struct log_state {
    explicit log_state(identity_index index) : identities(std::move(index)) {}

    std::uint64_t hash_seed = 0;
    std::uint32_t salt = 0;
    sequence next = 1;
    std::map<sequence, std::unique_ptr<segment>> segments;  // by first number
    std::map<sequence, retained_identities> identity_files; // by first number
    retired_totals totals;
    identity_index identities;
    // Files whose content a compacted segment holds; to be removed when that is there for sure.
    std::vector<std::string> superseded;
    std::uint64_t superseded_bytes = 0;
    std::uint64_t reserve_bytes = 0;
    std::uint64_t other_bytes = 0; // files of the directory that are none of the above

    segment* find(sequence number) noexcept {
        auto after = segments.upper_bound(number);
        if (after == segments.begin()) {
            return nullptr;
        }
        segment* found = std::prev(after)->second.get();
        return found->holds(number) ? found : nullptr;
    }
};

} // namespace linkrunner::spool
