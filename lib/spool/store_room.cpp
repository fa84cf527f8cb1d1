// Room: what of the limit is used, and what is set aside for a full disk.
#include "spool/recovery.hpp"
#include "spool/store.hpp"

#include <algorithm>

namespace linkrunner::spool {

namespace {
constexpr std::uint64_t least_given_bytes = 64 << 10;
}

// What deliveries and retirement need must have room whatever happens: a mark for each pending event, a marks
// file for each segment, the identities of the largest segment (each pays for the next one by its removal),
// and a segment to write the totals to.
std::uint64_t store::reserve_wanted() const {
    std::uint64_t most_numbers = planned_.size();
    for (const auto& [first, one] : log_.segments) {
        most_numbers = std::max(most_numbers, one->numbers() + (one.get() == active_ ? planned_.size() : 0));
    }
    const std::uint64_t identities = std::min<std::uint64_t>(most_numbers, log_.identities.size());
    const std::uint64_t per_segment = 2 * marks_ahead_bytes(options_);
    return min_mark_bytes * (count().pending + planned_.size()) + sizeof(identity_index::entry) * identities +
           per_segment * (log_.segments.size() + (active_ != nullptr ? 1 : 2)) + header_area_bytes +
           segment_ahead_bytes(options_);
}

std::uint64_t store::bytes() const {
    std::uint64_t sum = log_.other_bytes + log_.superseded_bytes + reserve_.bytes();
    for (const auto& [first, one] : log_.segments) {
        sum += one->file_bytes + one->marks.bytes();
    }
    for (const auto& [first, file] : log_.identity_files) {
        sum += file.bytes;
    }
    return sum;
}

// What would be used with the reserve as large as it should be.
std::uint64_t store::bytes_with_reserve() const {
    const std::uint64_t wanted = reserve_wanted();
    return bytes() + (wanted > reserve_.bytes() ? reserve_.size_for(wanted) - reserve_.bytes() : 0);
}

// Before a file of the directory grows for what the reserve is there for: both together stay in the limit.
void store::make_way(std::uint64_t growth) {
    const std::uint64_t after = bytes() + growth;
    if (after > options_.max_bytes) {
        (void)reserve_.give(after - options_.max_bytes);
    }
}

// Makes a call, again and again as long as it fails for want of room and the reserve has some to give. Once
// that was touched, events are refused until it is whole again.
result<void> store::with_reserve(const std::function<result<void>()>& call) {
    auto done = call();
    for (std::uint64_t part = least_given_bytes; !done && refusal_for(done.error()) == refusal::disk_full;
         part *= 2) {
        if (status_.refusing != refusal::disk_full) {
            refuse(refusal::disk_full, done.error().message);
        }
        if (!reserve_.give(part)) {
            break;
        }
        done = call();
    }
    return done;
}

// On a full disk the segment being written is given up as well once it is done with.
void store::make_room() {
    if (status_.refusing == refusal::disk_full && active_ != nullptr && active_->numbers() > 0 &&
        active_->finished()) {
        seal_tail();
        retire_finished();
    }
}

} // namespace linkrunner::spool
