#include "sim/spool_model.hpp"

#include <utility>

namespace linkrunner::test {

using spool::event_state;

namespace {

constexpr spool_model::states pending_states =
    spool_model::bit(event_state::pending) | spool_model::bit(event_state::sending);

std::string text(const std::string& what, spool::sequence number) {
    return what + " (event " + std::to_string(number) + ")";
}

} // namespace

void spool_model::begin(const spool::new_event& one) {
    event& about = in_flight_[one.event_id];
    const bool unknown = about.unknown; // an earlier attempt may have been stored
    about = {one.event_id,
             one.body,
             one.lane,
             one.accepted_at,
             event_state::pending,
             bit(event_state::absent) | bit(event_state::pending),
             unknown};
}

void spool_model::stored(const std::string& id, spool::sequence number) {
    auto found = in_flight_.extract(id);
    if (found.empty()) {
        return;
    }
    found.mapped().possible = bit(event_state::pending);
    events_.emplace(number, std::move(found.mapped()));
}

void spool_model::refused(const std::string& id, bool unknown) {
    const auto found = in_flight_.find(id);
    if (found != in_flight_.end()) {
        found->second.unknown = found->second.unknown || unknown;
        if (!found->second.unknown) {
            in_flight_.erase(found);
        }
    }
}

void spool_model::begin_mark(const spool::mark& one) {
    const auto found = events_.find(one.number);
    if (found != events_.end()) {
        event& about = found->second;
        about.now = after(about.now, one.kind);
        about.possible |= bit(about.now);
    }
}

void spool_model::may_be_dropped(spool::sequence number) {
    events_.at(number).possible |= bit(event_state::dropped);
}

void spool_model::marks_durable(const std::vector<spool::mark>& marks) {
    for (const spool::mark& one : marks) {
        const auto found = events_.find(one.number);
        if (found != events_.end()) {
            found->second.possible = bit(found->second.now);
        }
    }
}

spool_model::observed spool_model::read_all(spool::store& store) {
    observed seen;
    for (std::uint8_t lane = 0; lane < 3; ++lane) {
        spool::sequence from = 0;
        spool::sequence last = 0;
        for (;;) {
            auto got = store.read(lane, from, 16, 8000);
            if (!got) {
                seen.failure = "read: " + got.error().message;
                return seen;
            }
            for (spool::stored_event& each : got->events) {
                if (each.number <= last || each.lane != lane) {
                    seen.failure = text("read out of order or from another lane", each.number);
                    return seen;
                }
                last = each.number;
                seen.pending.emplace(each.number, std::move(each));
            }
            if (got->at_end) {
                break;
            }
            from = got->next;
        }
    }
    return seen;
}

std::optional<std::string> spool_model::differs(spool::store& store, bool after_crash) const {
    const observed seen = read_all(store);
    if (seen.failure) {
        return seen.failure;
    }
    if (auto difference = check_known(store, seen, after_crash)) {
        return difference;
    }
    std::uint64_t surprises = 0;
    if (auto difference = check_pending(seen, surprises)) {
        return difference;
    }
    if (!after_crash && surprises > 0) {
        return "events are pending whose append was refused or not answered";
    }
    return check_ledger(store.status(), events_.size() + surprises, seen.pending.size());
}

std::optional<std::string> spool_model::check_known(spool::store& store, const observed& seen,
                                                    bool after_crash) const {
    for (const auto& [number, about] : events_) {
        const states allowed = after_crash ? about.possible : bit(about.now);
        const auto found = seen.pending.find(number);
        if (found == seen.pending.end()) {
            const auto end = store.end_of(number);
            const states here = allowed & ~pending_states;
            if (here == 0) {
                return text("an accepted event is gone", number);
            }
            if (end && (allowed & bit(after(event_state::pending, *end))) == 0) {
                return text("an end that was never recorded", number);
            }
            continue;
        }
        const event_state state = found->second.sending_marked ? event_state::sending : event_state::pending;
        if ((allowed & bit(state)) == 0) {
            return text("pending, against what was recorded", number);
        }
        if (found->second.body != about.body || found->second.event_id != about.id ||
            found->second.lane != about.lane || found->second.accepted_at != about.accepted_at) {
            return text("not the event that was accepted", number);
        }
    }
    return {};
}

std::optional<std::string> spool_model::check_pending(const observed& seen, std::uint64_t& surprises) const {
    for (const auto& [number, one] : seen.pending) {
        if (events_.contains(number)) {
            continue;
        }
        const auto unknown = in_flight_.find(one.event_id);
        if (unknown == in_flight_.end() || unknown->second.body != one.body) {
            return text("an event that nobody was promised", number);
        }
        ++surprises;
    }
    return {};
}

std::optional<std::string> spool_model::check_ledger(const spool::status& status, std::uint64_t accepted,
                                                     std::uint64_t pending) {
    const spool::ledger& all = status.events;
    if (all.accepted != all.delivered + all.handed_off + all.dead + all.dropped + all.lost + all.pending) {
        return "the ledger does not add up";
    }
    if (all.lost != 0) {
        return std::to_string(all.lost) + " events counted as lost without damage";
    }
    if (all.accepted != accepted || all.pending != pending) {
        return "the ledger says " + std::to_string(all.accepted) + " accepted, " +
               std::to_string(all.pending) + " pending; there are " + std::to_string(accepted) + ", " +
               std::to_string(pending);
    }
    std::uint64_t by_lane = 0;
    for (const std::uint64_t lane : status.pending_by_lane) {
        by_lane += lane;
    }
    return by_lane == pending ? std::nullopt : std::optional<std::string>("pending by lane does not add up");
}

void spool_model::adopt(spool::store& store) {
    const observed seen = read_all(store);
    for (const auto& [number, one] : seen.pending) {
        if (!events_.contains(number)) {
            stored(one.event_id, number);
            events_.at(number).accepted_at = one.accepted_at; // of one attempt among several
        }
    }
    in_flight_.clear();
    for (auto& [number, about] : events_) {
        const auto found = seen.pending.find(number);
        if (found != seen.pending.end()) {
            about.now = found->second.sending_marked ? event_state::sending : event_state::pending;
        } else if (const auto end = store.end_of(number)) {
            about.now = after(event_state::pending, *end);
        }
        // Marks that were read may still be in the page cache only, if this was no power cut.
        about.possible |= bit(about.now);
    }
}

} // namespace linkrunner::test
