// The pure heart of delivery: handed facts (events that wait, ends of attempts, the time, random numbers), it
// says what to do next. No Asio, no clock, no log, no file. One owner, the forwarder (lib/forward), on the
// loop's thread.
//
// It composes the smaller rules of this folder: token_bucket, backoff, outcome classes, retry_after, adaptive
// rate, breaker, holds, lanes, per-user order. Contract section 5 is its specification.
#pragma once

#include "base/endpoint.hpp"
#include "delivery/outcome.hpp"
#include "delivery/settings.hpp"
#include "delivery/time.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::delivery {

// An event that waits.
struct candidate {
    sequence number = 0;
    std::uint8_t lane = 0;
    endpoint path = endpoint::capture_event;
    std::uint64_t user_key = 0;
    std::uint64_t payment_key = 0; // of a payment and of its removal: the same for the same payment_id
    wall_time accepted_at{};
    std::optional<std::chrono::milliseconds> max_age; // in the place of settings::max_age; age_off: never
    bool ambiguous_dead = false;                      // an ambiguous attempt ends in the dead letters
    bool was_sending = false; // has a `sending` mark from before a crash: that attempt was ambiguous
};

enum class admission : std::uint8_t {
    taken,       // the scheduler will name it in next() one day
    passed_over, // its user is blocked (ordering: user): forget it; wanted() will ask for it again from its
                 // number
    known,       // taken earlier, and still here or ended meanwhile: forget this copy
    ambiguous_dead, // was_sending under `ambiguous: dead`: to the dead letters as "ambiguous", one attempt
};

// What the owner is to do.
struct send_event {
    sequence number = 0;
    std::uint32_t attempt = 1; // 1 for the first
    bool probe = false;
    bool mark_sending = false; // a durable `sending` mark first (ambiguous: dead)
};

enum class verdict_kind : std::uint8_t { delivered, dead, retry };

struct verdict {
    verdict_kind kind = verdict_kind::retry;
    std::string reason;                  // of dead: "rejected", "attempts", "age", "ambiguous"
    std::uint32_t attempts = 0;          // how often it was sent, 429s not counted
    wall_time first_attempt{};           // of dead
    bool ambiguous = false;              // of dead: some attempt may have been counted by the API
    std::optional<steady_time> retry_at; // of retry, where it is known
};

// An event that leaves memory though no attempt of its own ends now. Dead: of age, or because another's
// success has shown that its last failure was one too many (letters then name its last attempt). Otherwise it
// only makes room and is asked for again: forget this copy.
struct dismissal {
    sequence number = 0;
    std::optional<verdict> dead;
};

// States of the contract, in the order of precedence in which one is shown for the whole upstream.
enum class upstream_state : std::uint8_t {
    paused,
    held_unauthorized,
    held_suspended,
    held_misconfigured,
    held_rejecting,
    outage,
    throttled,
    draining,
    healthy
};

const char* word_for(upstream_state state) noexcept;
bool is_held(upstream_state state) noexcept; // one of held_*

class scheduler {
  public:
    virtual ~scheduler() = default;

    // Room for candidates of a lane: where to read from and how many are wanted now; nothing when the lane's
    // window is full or the lane is at its end (until stored() says that there is more).
    struct request_for_more {
        std::uint8_t lane = 0;
        sequence from = 1;
        std::size_t count = 0;
    };
    // One read of a lane at a time; asking again replaces a read that failed. To be asked whenever anything
    // else was called: events also make room by next(), when they die of age.
    virtual std::optional<request_for_more> wanted(std::uint8_t lane) = 0;

    // The read that wanted() asked for last is done: its events were offered in order, the next read starts
    // at `next`; `at_end` as the queue said.
    virtual void read_done(std::uint8_t lane, sequence next, bool at_end) = 0;
    virtual void stored(std::uint8_t lane) = 0; // the lane has more behind its end

    // A dead letter is pending again: the lane is read again from it. Other than that, an event that has
    // ended never comes back.
    virtual void replayed(std::uint8_t lane, sequence number) = 0;

    virtual admission offer(const candidate& event) = 0;

    // An event ended elsewhere (dropped by an operator), and its mark is recorded: forget it. One that is in
    // flight is forgotten when its attempt has ended, unless that delivers it.
    virtual void forget(sequence number) = 0;

    // The next attempt to begin now; pays its token and counts it as in flight. Nothing when none may begin
    // now.
    virtual std::optional<send_event> next(steady_time now, wall_time wall) = 0;

    // Where one request carries many events (settings::events_per_request): the event that goes along with
    // those which next() and this have named for a request, `before` the last of them and `so_far` their
    // number. A request holds them in the order in which they were named: so it may hold several events of a
    // user. It is one attempt and pays one token, however many go along. Nothing goes along with a probe or
    // with an event that is suspected of having failed by itself. The ends of all of them are to be told in
    // the same order, with nothing in between: ended() or not_sent() for each, or refused_together().
    virtual std::optional<send_event> next_along(sequence before, std::size_t so_far, steady_time now,
                                                 wall_time wall) = 0;

    // A request with several events was refused as a whole, maybe for one of them: that is no attempt of any.
    // They wait again, and fewer go along until requests succeed.
    virtual void refused_together(const std::vector<sequence>& numbers) = 0;

    // To be asked until nothing is left, after each call of next(), ended() and not_sent().
    virtual std::optional<dismissal> dismissed() = 0;

    // When next() should be asked again though nothing else happens; steady_time::max() for never.
    virtual steady_time wake_at(steady_time now) const = 0;

    // The attempt that next() began has ended.
    virtual verdict ended(sequence number, const attempt_end& how, steady_time now, wall_time wall) = 0;

    // An attempt that could not be begun after all (the `sending` mark failed, the daemon stops): no attempt,
    // no outcome; it waits again, a second. The token stays spent.
    virtual void not_sent(sequence number, steady_time now) = 0;

    // Other settings from now on. Ordering, the number of lanes and the bounds of memory stay as they were
    // made.
    virtual void change(const settings& options, steady_time now) = 0;

    // The server key has changed: holds for authorization are probed at once.
    virtual void key_changed(steady_time now) = 0;
    // An operator says that something may be better now: every hold is probed at once.
    virtual void probe_holds(steady_time now) = 0;
    virtual void pause(bool paused) = 0;
    // In place of settings::rate_per_second from now on.
    virtual void set_ceiling(std::optional<double> rate_per_second, steady_time now) = 0;
    // Draining: no waiting events are asked for beyond what is needed to keep sending; the state says so.
    virtual void drain(bool draining = true) = 0;

    struct view {
        upstream_state state = upstream_state::healthy;
        std::string reason;                       // in words: "429 with Retry-After: 5 at ..., until ..."
        std::optional<steady_time> until;         // end of a pause or time of the next probe
        double rate_per_second = 0;               // in force
        std::optional<double> ceiling_per_second; // configured; nothing where it is to be found
        std::size_t in_flight = 0;
        std::size_t waiting = 0;       // candidates in memory
        std::size_t blocked_users = 0; // with events that are read again later
        std::string expiry_note;       // why max_age is suspended; empty while it is not
    };
    virtual view look(steady_time now) const = 0;

    // How long an event accepted now would wait, given how many are pending in each lane. Empty when it
    // cannot be said (held, paused, outage).
    virtual std::optional<std::chrono::milliseconds>
    forecast(std::uint8_t lane, const std::vector<std::uint64_t>& pending_by_lane, steady_time now) const = 0;

    // `random` gives numbers uniform in [0, 1).
    static std::unique_ptr<scheduler> make(const settings& options, random_numbers random, steady_time now);
};

} // namespace linkrunner::delivery
