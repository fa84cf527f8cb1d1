// Which events were accepted lately: the window in which a repeat is recognised (contract, promise 3). The
// newest `limit` identities accepted within `window`, in the order of their numbers.
// Memory: 24 bytes per identity, and 4 bytes per slot of a table that is at most half full of them when it is
// made, so 32 to 40 bytes per identity. What has left the window stays in the table until that is three
// quarters full and made anew (3 to 5 ms for 500,000 identities, once in some hundred thousand events). Of
// the 128 bits of an identity 64 are kept, and 32 of the body's hash: by chance alone a repeat is seen where
// there is none once in 2^64 / limit events, and is then reported as a conflict but for one case in 2^32.
// Disk thread.
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

    // That find() will be asked for this identity soon: its place in the table is fetched into the cache.
    void expect(const fingerprint& identity) const noexcept {
        if (!table_.empty()) {
            __builtin_prefetch(&table_[slot_of(key_of(identity))]);
        }
    }

    // Numbers must grow from call to call.
    void add(const entry& one, sequence number);

    // The same for many at start; make_table() is to be called before the first find().
    void load(const entry& one, sequence number);
    void make_table();

    // Forgets all entries with this number or a later one: their group failed.
    void forget_from(sequence number);

    // Forgets what has left the window.
    void expire(wall_time now);

    // When an event was accepted, if its entry is still there.
    std::optional<wall_time> accepted_at(sequence number) const;

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
    static std::uint64_t key_of(const fingerprint& identity) noexcept { return identity.low ^ identity.high; }
    std::uint32_t mask() const noexcept { return static_cast<std::uint32_t>(table_.size() - 1); }
    std::size_t slot_of(std::uint64_t key) const noexcept { return key & mask(); }
    // What the table says of an entry: where it is in the ring, and of its key as much as there is room for,
    // so that few entries are looked at in vain.
    std::uint32_t tag_of(std::uint64_t key) const noexcept {
        return (static_cast<std::uint32_t>(key >> 32) & ~mask()) | taken;
    }
    std::uint32_t word_of(std::uint64_t key, std::size_t index) const noexcept {
        return tag_of(key) | ((popped_ + static_cast<std::uint32_t>(index)) & mask());
    }
    std::size_t index_of(std::uint32_t word) const noexcept { return (word - popped_) & mask(); }
    bool is_left(std::uint32_t word) const noexcept { return index_of(word) >= ring_.size(); }
    bool is_of(std::uint32_t word, std::uint64_t key) const {
        return (word & ~mask()) == tag_of(key) && !is_left(word) && ring_[index_of(word)].key == key;
    }
    const entry* entry_of(sequence number) const;
    std::size_t lower_bound(sequence number) const;
    void insert(std::size_t index);
    void pop_oldest();

    static constexpr std::uint32_t taken = 1u << 31;
    static constexpr std::size_t most_entries = std::size_t{1} << 29; // or there would be no bit for `taken`

    std::size_t limit_;
    std::chrono::milliseconds window_;
    std::deque<entry> ring_;           // by number
    std::uint32_t popped_ = 0;         // entries ever removed from the front, modulo 2^32
    std::vector<std::uint32_t> table_; // tag and position, counted from the first entry ever; 0: free
    std::size_t used_ = 0;             // slots that are not free
    sequence newest_ = 0;
};

} // namespace linkrunner::spool
