// What the spool promised so far, as plain maps: the model that a store is held against after each step and
// after each crash.
#pragma once

#include "spool/segment.hpp"
#include "spool/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::test {

class spool_model {
  public:
    // A set of event_state, one bit each: what may be true of an event, as far as anybody was told.
    using states = std::uint32_t;
    static constexpr states bit(spool::event_state one) { return 1u << static_cast<unsigned>(one); }

    struct event {
        std::string id;
        std::string body;
        std::uint8_t lane = 0;
        wall_time accepted_at{};
        spool::event_state now = spool::event_state::pending; // as the store keeps it in memory
        states possible = 0;                                  // after a crash now
        bool unknown = false;                                 // its append was answered with "not known"
    };

    // An append begins: until it is answered, its new events may be stored or not.
    void begin(const spool::new_event& one);
    void stored(const std::string& id, spool::sequence number);
    // Refused: not stored for sure, or not known.
    void refused(const std::string& id, bool unknown);

    void begin_mark(const spool::mark& one);
    void may_be_dropped(spool::sequence number); // from now on, after a crash
    void marks_durable(const std::vector<spool::mark>& marks);

    // Holds a store against the model; the first difference in words.
    std::optional<std::string> differs(spool::store& store, bool after_crash) const;

    // After a crash that the test goes on from: what the recovered store says is true from now on.
    void adopt(spool::store& store);

    const std::map<spool::sequence, event>& events() const { return events_; }
    const std::map<std::string, event>& in_flight() const { return in_flight_; }

  private:
    struct observed {
        std::map<spool::sequence, spool::stored_event> pending;
        std::optional<std::string> failure;
    };
    static observed read_all(spool::store& store);
    std::optional<std::string> check_known(spool::store& store, const observed& seen, bool after_crash) const;
    std::optional<std::string> check_pending(const observed& seen, std::uint64_t& surprises) const;
    static std::optional<std::string> check_ledger(const spool::status& status, std::uint64_t accepted,
                                                   std::uint64_t pending);

    std::map<spool::sequence, event> events_; // answered as stored, or found after a crash
    std::map<std::string, event> in_flight_;  // by id: appended, and their answer not known
};

} // namespace linkrunner::test
