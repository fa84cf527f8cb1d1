#include "spool/identity_index.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace linkrunner::spool {

namespace {

constexpr std::uint64_t end_mask = 7;
constexpr std::size_t first_table_slots = 1024;

// The same event may have been noted several times, in files of different age. Of two ends the one that
// nothing comes after is the later one.
int rank_of_end(std::uint64_t end) {
    return end == 0 ? 2 : end == static_cast<std::uint64_t>(mark_kind::dead) ? 1 : 0;
}

} // namespace

identity_index::entry identity_index::make(const fingerprint& identity, std::uint64_t body_hash,
                                           sequence number, wall_time accepted_at) {
    const auto since_epoch = std::max<std::int64_t>(accepted_at.time_since_epoch().count(), 0);
    return {key_of(identity), static_cast<std::uint32_t>(body_hash), static_cast<std::uint32_t>(number),
            static_cast<std::uint64_t>(since_epoch) << 3};
}

wall_time identity_index::time_of(const entry& one) {
    return wall_time(std::chrono::milliseconds(one.time_and_end >> 3));
}

sequence identity_index::widen(std::uint32_t low, sequence near) {
    const auto away = static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near));
    return near + static_cast<sequence>(static_cast<std::int64_t>(away));
}

std::optional<identity_index::known> identity_index::find(const fingerprint& identity,
                                                          std::uint64_t body_hash, wall_time now) const {
    if (table_.empty()) {
        return {};
    }
    const entry wanted = make(identity, body_hash, 0, {});
    for (std::size_t slot = slot_of(wanted.key); table_[slot] != 0; slot = slot_of(slot + 1)) {
        if (is_of(table_[slot], wanted.key)) {
            const entry& one = ring_[index_of(table_[slot])];
            if (time_of(one) < now - window_) {
                return {};
            }
            return known{number_of(one), one.body == wanted.body};
        }
    }
    return {};
}

void identity_index::add(const entry& one, sequence number) {
    if (!enabled()) {
        return;
    }
    load(one, number);
    if ((std::max(used_, ring_.size()) + 1) * 4 > table_.size() * 3) {
        make_table();
    } else {
        insert(ring_.size() - 1);
    }
}

void identity_index::load(const entry& one, sequence number) {
    if (!enabled()) {
        return;
    }
    while (ring_.size() >= std::min(limit_, most_entries)) {
        pop_oldest();
    }
    newest_ = number;
    ring_.push_back(one);
    ring_.back().number_low = static_cast<std::uint32_t>(number);
}

void identity_index::forget_from(sequence number) {
    while (!ring_.empty() && number_of(ring_.back()) >= number) {
        ring_.pop_back();
    }
}

void identity_index::expire(wall_time now) {
    while (!ring_.empty() && time_of(ring_.front()) < now - window_) {
        pop_oldest();
    }
}

const identity_index::entry* identity_index::entry_of(sequence number) const {
    const std::size_t index = lower_bound(number);
    return index < ring_.size() && number_of(ring_[index]) == number ? &ring_[index] : nullptr;
}

std::optional<wall_time> identity_index::accepted_at(sequence number) const {
    const entry* one = entry_of(number);
    return one == nullptr ? std::nullopt : std::optional(time_of(*one));
}

std::optional<mark_kind> identity_index::end_of(sequence number) const {
    const entry* one = entry_of(number);
    if (one == nullptr || (one->time_and_end & end_mask) == 0) {
        return {};
    }
    return static_cast<mark_kind>(one->time_and_end & end_mask);
}

std::vector<identity_index::entry> identity_index::end_range(sequence first, sequence last,
                                                             const ask_end& end_of_each) {
    std::vector<entry> out;
    for (std::size_t index = lower_bound(first); index < ring_.size(); ++index) {
        entry& one = ring_[index];
        const sequence number = number_of(one);
        if (number >= last) {
            break;
        }
        const std::uint64_t noted = one.time_and_end & end_mask;
        const auto how =
            end_of_each(number, noted == 0 ? std::nullopt : std::optional(static_cast<mark_kind>(noted)));
        one.time_and_end &= ~end_mask;
        one.time_and_end |= how ? static_cast<std::uint64_t>(*how) : 0;
        out.push_back(one);
    }
    return out;
}

void identity_index::merge(std::vector<std::pair<sequence, entry>> late) {
    for (const entry& one : ring_) {
        late.emplace_back(number_of(one), one);
    }
    std::ranges::sort(late, {}, [](const auto& each) {
        return std::pair(each.first, rank_of_end(each.second.time_and_end & end_mask)); // the later one first
    });
    *this = identity_index(limit_, window_);
    for (const auto& [number, one] : late) {
        if (number > newest_) { // an event may stand in a segment and in an identities file
            load(one, number);
        }
    }
    make_table();
}

std::size_t identity_index::lower_bound(sequence number) const {
    const auto found =
        std::ranges::lower_bound(ring_, number, {}, [this](const entry& one) { return number_of(one); });
    return static_cast<std::size_t>(found - ring_.begin());
}

void identity_index::insert(std::size_t index) {
    const std::uint64_t key = ring_[index].key;
    std::size_t slot = slot_of(key);
    std::optional<std::size_t> left; // the first slot on the way that may be taken again
    for (; table_[slot] != 0; slot = slot_of(slot + 1)) {
        if (is_of(table_[slot], key)) { // of an entry that is too old: the newer one is found
            left = slot;
            break;
        }
        if (!left && is_left(table_[slot])) {
            left = slot;
        }
    }
    used_ += left ? 0 : 1;
    table_[left.value_or(slot)] = word_of(key, index);
}

void identity_index::pop_oldest() {
    ring_.pop_front();
    ++popped_;
}

void identity_index::make_table() {
    const std::size_t slots = std::bit_ceil(2 * (ring_.size() + 1));
    table_.assign(std::max(first_table_slots, slots), 0);
    used_ = 0;
    constexpr std::size_t ahead = 16;
    for (std::size_t index = 0; index < ring_.size(); ++index) {
        if (index + ahead < ring_.size()) {
            __builtin_prefetch(&table_[slot_of(ring_[index + ahead].key)], 1);
        }
        insert(index);
    }
}

} // namespace linkrunner::spool
