// Which events were accepted lately: the window in which a repeat is recognised (contract, promise 3). The
// newest `limit` identities accepted within `window`, in the order of their numbers.
// Memory: 24 bytes per identity, and 4 bytes per slot of a table that is at most three quarters full and
// doubles, so 30 to 35 bytes per identity. Of the 128 bits of an identity 64 are kept, and 32 of the body's
// hash: by chance alone a repeat is seen where there is none once in 2^64 / limit events, and is then
// reported as a conflict but for one case in 2^32. Disk thread.
#pragma once

#include "spool/mark.hpp"
#include "spool/record.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace linkrunner::spool {

class identity_index {
  public:
    struct entry {
        std::uint64_t key = 0;
        std::uint32_t body = 0;
        std::uint32_t number_low = 0; // of the accept number; the window is shorter than 2^32 numbers
        std::uint64_t time_and_end =
            0; // milliseconds of acceptance << 3 | mark_kind of the end, 0: not ended
    };
    static_assert(sizeof(entry) == 24);

    identity_index(std::size_t limit, std::chrono::milliseconds window) : limit_(limit), window_(window) {}

    bool enabled() const noexcept { return limit_ > 0 && window_.count() > 0; }

    struct known {
        sequence number = 0;
        bool same_body = false;
    };
    // The newest entry of this identity, if it was accepted within the window that ends now.
    std::optional<known> find(const fingerprint& identity, std::uint64_t body_hash, wall_time now) const;

    // Numbers must grow from call to call.
    void add(const entry& one, sequence number);

    // Forgets all entries with this number or a later one: their group failed.
    void forget_from(sequence number);

    // Forgets what has left the window.
    void expire(wall_time now);

    // How an event ended, if that was noted and the entry is still there.
    std::optional<mark_kind> end_of(sequence number) const;

    // The entries with first <= number < last, in order: copies, after `end_of_each` was asked for the end of
    // each, told the one noted so far, and its answer was noted (nothing: not ended).
    using ask_end = std::function<std::optional<mark_kind>(sequence, std::optional<mark_kind>)>;
    std::vector<entry> end_range(sequence first, sequence last, const ask_end& end_of_each);

    // Adds entries whose numbers lie between those that are there.
    void merge(std::vector<std::pair<sequence, entry>> late);

    std::size_t size() const noexcept { return ring_.size(); }
    sequence oldest() const noexcept { return ring_.empty() ? 0 : number_of(ring_.front()); }

    static entry make(const fingerprint& identity, std::uint64_t body_hash, sequence number,
                      wall_time accepted_at);
    static wall_time time_of(const entry& one);
    sequence newest() const noexcept { return newest_; }
    // The whole number, from its low half and any number less than 2^31 away.
    static sequence widen(std::uint32_t low, sequence near);

  private:
    sequence number_of(const entry& one) const { return widen(one.number_low, newest_); }
    std::size_t slot_of(std::uint64_t key) const noexcept { return key & (table_.size() - 1); }
    const entry& at(std::uint32_t slot) const { return ring_[(slot - popped_) & position_mask]; }
    std::uint32_t slot_for(std::size_t index) const noexcept {
        return ((popped_ + static_cast<std::uint32_t>(index)) & position_mask) | taken;
    }
    std::size_t lower_bound(sequence number) const;
    void insert(std::uint64_t key, std::uint32_t slot);
    void erase(std::uint64_t key, std::uint32_t slot);
    void pop_oldest();
    void grow();

    static constexpr std::uint32_t taken = 1u << 31;
    static constexpr std::uint32_t position_mask = taken - 1;

    std::size_t limit_;
    std::chrono::milliseconds window_;
    std::deque<entry> ring_;           // by number
    std::uint32_t popped_ = 0;         // entries ever removed from the front, modulo 2^31
    std::vector<std::uint32_t> table_; // taken | position, counted from the first entry ever; 0: free
    std::size_t used_ = 0;
    sequence newest_ = 0;
};

} // namespace linkrunner::spool
