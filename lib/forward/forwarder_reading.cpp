// How events come into the forwarder's memory, and how they leave it without an attempt.
#include "base/hash.hpp"
#include "forward/item.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::forward {

void forwarder::read_more() {
    for (std::uint8_t lane = 0; lane < options_.delivery.lanes.size(); ++lane) {
        if (!reading_[lane] && held_bytes_ < options_.max_held_bytes) {
            read_lane(lane);
        }
    }
}

void forwarder::read_lane(std::uint8_t lane) {
    const auto wanted = scheduler_->wanted(lane);
    if (!wanted || wanted->count == 0) {
        return;
    }
    flush_marks(); // what has ended must not be read again
    reading_[lane] = true;
    ports_.queue.read(
        lane, wanted->from, std::min(wanted->count, options_.read_events), options_.read_bytes,
        [this, lane](result<spool::batch> read) {
            reading_[lane] = false;
            if (read.has_error()) {
                log::error("reading from the spool failed; delivery of this lane tries again",
                           {{"lane", options_.delivery.lanes[lane].name}, {"error", read.error().message}});
                ports_.owner.call_at(ports_.time.steady() + std::chrono::seconds(1), [this] { pump(); });
                return;
            }
            take(lane, std::move(*read));
        });
}

void forwarder::take(std::uint8_t lane, spool::batch batch) {
    for (spool::stored_event& event : batch.events) {
        delivery::candidate candidate;
        candidate.number = event.number;
        candidate.lane = event.lane;
        candidate.path = event.path;
        candidate.user_key = event.user_key;
        if (event.path != endpoint::capture_event) { // whose event_id is their payment_id
            candidate.payment_key = hash64(ports_.queue.hash_seed(), event.event_id);
        }
        candidate.accepted_at = event.accepted_at;
        if (options_.max_age_of) {
            candidate.max_age = options_.max_age_of(event.name);
        }
        // Another linkrunnerd recognises a repeat: only what the API may have counted before is ambiguous.
        candidate.ambiguous_dead = event.ambiguous_dead && (!options_.to_forwarder || event.sending_marked);
        candidate.was_sending = event.sending_marked;
        switch (scheduler_->offer(candidate)) {
        case delivery::admission::taken:
            keep(std::move(event));
            break;
        case delivery::admission::ambiguous_dead: {
            item cut;
            cut.event = std::move(event);
            cut.excerpt = "the daemon ended between sending this event and recording the answer";
            cut.last_attempt = ports_.time.wall();
            bury(cut, {delivery::verdict_kind::dead, "ambiguous", 1, cut.last_attempt, true, {}});
            if (ports_.activity != nullptr) {
                ports_.activity->dead(event_view_of(cut.event), "ambiguous", nullptr);
            }
            break;
        }
        case delivery::admission::passed_over:
        case delivery::admission::known:
            break;
        }
    }
    scheduler_->read_done(lane, batch.next, batch.at_end);
    pump();
}

void forwarder::keep(spool::stored_event event) {
    held_bytes_ += event.body.size();
    auto kept = std::make_unique<item>();
    kept->event = std::move(event);
    const spool::sequence number = kept->event.number;
    items_.insert_or_assign(number, std::move(kept));
}

// The spool is full and is about to drop events: those in flight stay, the others wait for what it says.
std::vector<spool::sequence> forwarder::hold_back(spool::sequence first, spool::sequence last) {
    flush_marks(); // what has ended is known by its mark alone
    std::vector<spool::sequence> stay;
    for (const auto& [number, kept] : items_) {
        if (number >= first && number < last) {
            kept->held_back = !kept->in_flight;
            if (kept->in_flight) {
                stay.push_back(number);
            }
        }
    }
    return stay;
}

void forwarder::let_go(spool::sequence first, spool::sequence last,
                       const std::vector<spool::sequence>& gone) {
    for (const spool::sequence number : gone) {
        forget_trace(number);
        if (items_.contains(number)) {
            scheduler_->forget(number);
            forget(number);
        }
    }
    for (const auto& [number, kept] : items_) {
        if (number >= first && number < last) {
            kept->held_back = false;
        }
    }
    pump();
}

// Events that leave memory without an attempt of their own.
void forwarder::dismiss() {
    while (const auto gone = scheduler_->dismissed()) {
        if (gone->dead) {
            const item& dead = *items_.at(gone->number);
            bury(dead, *gone->dead);
            if (ports_.activity != nullptr) {
                ports_.activity->dead(event_view_of(dead.event), gone->dead->reason, nullptr);
            }
        }
        forget(gone->number);
    }
}

} // namespace linkrunner::forward
