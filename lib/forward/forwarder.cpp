#include "forward/forwarder.hpp"

#include "forward/item.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::forward {

namespace {

constexpr std::size_t excerpt_bytes = 512;

// An API may echo the key that it refuses.
void hide(std::string& text, const std::string& secret) {
    constexpr std::string_view shown = "********";
    if (secret.empty()) {
        return;
    }
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + shown.size())) {
        text.replace(at, secret.size(), shown);
    }
}

delivery::attempt_end facts_of(const net::answer& how) {
    delivery::attempt_end out;
    out.status = how.failure == net::transport_error::none ? how.status : 0;
    out.sent_whole = how.sent_whole;
    out.stale = how.failure == net::transport_error::reset && how.reused && !how.answer_begun;
    out.transport = net::word_for(how.failure);
    out.retry_after = how.retry_after;
    out.date = how.date;
    out.ratelimit_limit = how.ratelimit_limit;
    out.ratelimit_remaining = how.ratelimit_remaining;
    out.ratelimit_reset = how.ratelimit_reset;
    return out;
}

spool::dead_reason reason_of(const std::string& word) {
    for (const auto reason : {spool::dead_reason::rejected, spool::dead_reason::attempts,
                              spool::dead_reason::age, spool::dead_reason::ambiguous}) {
        if (word == spool::word_for(reason)) {
            return reason;
        }
    }
    return spool::dead_reason::rejected;
}

} // namespace

forwarder::forwarder(settings options, std::string server_key, ports with)
    : options_(std::move(options)), server_key_(std::move(server_key)), ports_(with),
      scheduler_(delivery::scheduler::make(
          options_.delivery, [this] { return ports_.random.uniform(); }, with.time.steady())) {}

forwarder::~forwarder() {
    stop();
}

void forwarder::start() {
    started_ = true;
    ports_.queue.on_stored([this](std::uint32_t lanes) {
        for (std::uint8_t lane = 0; lane < options_.delivery.lanes.size(); ++lane) {
            if ((lanes >> lane & 1) != 0) {
                scheduler_->stored(lane);
            }
        }
        pump();
    });
    ports_.queue.on_drop(
        {[this](spool::sequence first, spool::sequence last) { return hold_back(first, last); },
         [this](spool::sequence first, spool::sequence last, const std::vector<spool::sequence>& gone) {
             let_go(first, last, gone);
         }});
    pump();
}

void forwarder::drain(steady_time no_more_after, std::function<void()> idle) {
    idle_ = std::move(idle);
    drain_end_ = no_more_after;
    scheduler_->drain();
    ports_.owner.call_at(no_more_after, [this] {
        stop();
        check_drained();
    });
    pump();
}

void forwarder::stop() {
    if (stopped_) {
        return;
    }
    stopped_ = true;
    if (started_) {
        ports_.queue.on_stored({});
        ports_.queue.on_drop({});
    }
    if (timer_ != 0) {
        ports_.owner.cancel(std::exchange(timer_, 0));
    }
}

void forwarder::pump() {
    if (stopped_) {
        return;
    }
    read_more();
    const steady_time now = ports_.time.steady();
    const wall_time wall = ports_.time.wall();
    while (const auto what = scheduler_->next(now, wall)) {
        begin(*what);
    }
    dismiss();
    arm();
    tell_state();
    check_drained();
}

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
        candidate.accepted_at = event.accepted_at;
        candidate.ambiguous_dead = event.ambiguous_dead;
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

void forwarder::begin(const delivery::send_event& what) {
    item& chosen = *items_.at(what.number);
    if (chosen.held_back) {
        scheduler_->not_sent(what.number, ports_.time.steady());
        return;
    }
    chosen.attempt = what.attempt;
    chosen.in_flight = true;
    ++in_flight_;
    if (!what.mark_sending) {
        send(what.number);
        return;
    }
    flush_marks(); // one that takes an earlier `sending` back must not come after this one
    items_.at(what.number)->marked_sending = true;
    spool::mark sending;
    sending.number = what.number;
    sending.kind = spool::mark_kind::sending;
    ports_.queue.record({std::move(sending)}, [this, number = what.number](const result<void>& durable) {
        if (!stopped_ && durable.has_value()) {
            send(number);
            return;
        }
        --in_flight_;
        not_counted(*items_.at(number));
        items_.at(number)->in_flight = false;
        scheduler_->not_sent(number, ports_.time.steady());
        pump();
        check_drained();
    });
}

void forwarder::send(spool::sequence number) {
    const spool::stored_event& event = items_.at(number)->event;
    net::outgoing request;
    request.path = path_of(event.path);
    request.headers.emplace_back("linkrunner-key", server_key_);
    request.body = event.body;
    ports_.upstream.send(std::move(request), [this, number](net::answer how) { ended(number, how); });
}

std::string forwarder::excerpt_of(const net::answer& how) const {
    std::string text = how.status == 0 ? how.detail : how.body;
    hide(text, server_key_);
    hide(text, former_key_); // of an attempt that was under way when it changed
    text.resize(std::min(text.size(), excerpt_bytes));
    return text;
}

void forwarder::ended(spool::sequence number, const net::answer& how) {
    --in_flight_;
    items_.at(number)->in_flight = false;
    if (how.failure == net::transport_error::stopped) {
        if (!how.sent_whole) {
            not_counted(*items_.at(number));
        }
        scheduler_->not_sent(number, ports_.time.steady());
        check_drained();
        return;
    }
    const delivery::attempt_end facts = facts_of(how);
    const delivery::outcome outcome = delivery::classify(facts);
    const wall_time wall = ports_.time.wall();
    const delivery::verdict verdict = scheduler_->ended(number, facts, ports_.time.steady(), wall);
    ports_.metrics.attempt(delivery::word_for(outcome), how.duration, delivery::is_ambiguous(facts));
    if (outcome == delivery::outcome::delivered) {
        ports_.metrics.set_last_success(static_cast<double>(wall.time_since_epoch().count()) / 1000.0);
    } else {
        item& tried = *items_.at(number);
        tried.last_status = facts.status;
        tried.last_attempt = wall;
        tried.excerpt = excerpt_of(how);
        const std::string status = facts.status == 0 ? "" : std::to_string(facts.status) + " ";
        error_ = last_error{wall, status + tried.excerpt};
    }
    if (ports_.activity != nullptr) {
        const item& tried = *items_.at(number);
        const bool failed = outcome != delivery::outcome::delivered;
        tell(tried,
             {tried.attempt, delivery::word_for(outcome), facts.status, how.duration,
              failed ? std::string_view(tried.excerpt) : std::string_view(), delivery::is_ambiguous(facts)},
             verdict);
    }
    conclude(number, verdict);
    pump();
    check_drained();
}

void forwarder::conclude(spool::sequence number, const delivery::verdict& verdict) {
    item& done = *items_.at(number);
    switch (verdict.kind) {
    case delivery::verdict_kind::delivered: {
        ports_.metrics.delivered(ports_.time.wall() - done.event.accepted_at);
        spool::mark mark;
        mark.number = number;
        mark.kind = spool::mark_kind::delivered;
        record(std::move(mark));
        forget(number);
        break;
    }
    case delivery::verdict_kind::dead:
        bury(done, verdict);
        forget(number);
        break;
    case delivery::verdict_kind::retry:
        not_counted(done);
        if (log::enabled(log::level::debug)) {
            log::debug("attempt failed", {{"event_id", done.event.event_id},
                                          {"attempt", done.attempt},
                                          {"status", done.last_status},
                                          {"answer", done.excerpt}});
        }
        break;
    }
}

// The API has surely not counted the attempt: takes the `sending` mark back, or a restart would see it as
// ambiguous. If this is lost in a crash, that is what happens: on the safe side.
void forwarder::not_counted(item& tried) {
    if (std::exchange(tried.marked_sending, false)) {
        spool::mark mark;
        mark.number = tried.event.number;
        mark.kind = spool::mark_kind::replayed;
        record(std::move(mark));
    }
}

void forwarder::bury(const item& dead, const delivery::verdict& verdict) {
    spool::mark mark;
    mark.number = dead.event.number;
    mark.kind = spool::mark_kind::dead;
    mark.letter.reason = reason_of(verdict.reason);
    mark.letter.last_status = dead.last_status;
    mark.letter.attempts = verdict.attempts;
    mark.letter.first_attempt = verdict.first_attempt;
    mark.letter.last_attempt = dead.last_attempt;
    mark.letter.ambiguous = verdict.ambiguous;
    mark.letter.excerpt = dead.excerpt;
    ports_.metrics.dead(verdict.reason);
    log::warning("event moved to the dead letters", {{"event_id", dead.event.event_id},
                                                     {"event_name", dead.event.name},
                                                     {"reason", verdict.reason},
                                                     {"status", dead.last_status},
                                                     {"attempts", verdict.attempts},
                                                     {"answer", dead.excerpt}});
    record(std::move(mark));
}

void forwarder::forget(spool::sequence number) {
    const auto found = items_.find(number);
    held_bytes_ -= found->second->event.body.size();
    items_.erase(found);
}

void forwarder::record(spool::mark mark) {
    if (marks_.empty()) {
        ports_.owner.post([this] { flush_marks(); });
    }
    marks_.push_back(std::move(mark));
}

void forwarder::flush_marks() {
    if (!marks_.empty()) {
        ports_.queue.record(std::exchange(marks_, {}));
    }
}

void forwarder::arm() {
    const steady_time when = scheduler_->wake_at(ports_.time.steady());
    if (timer_ != 0 && timer_at_ == when) {
        return;
    }
    if (timer_ != 0) {
        ports_.owner.cancel(std::exchange(timer_, 0));
    }
    if (when == steady_time::max()) {
        return;
    }
    timer_at_ = when;
    timer_ = ports_.owner.call_at(when, [this] {
        timer_ = 0;
        pump();
    });
}

void forwarder::tell_state() {
    const delivery::scheduler::view now = view();
    if (now.state == told_) {
        return;
    }
    const bool well =
        now.state == delivery::upstream_state::healthy || now.state == delivery::upstream_state::draining;
    log::write(
        well ? log::level::info : log::level::warning, "upstream state changed",
        {{"from", delivery::word_for(told_)}, {"to", delivery::word_for(now.state)}, {"reason", now.reason}});
    told_ = now.state;
    ports_.metrics.set_upstream_state(delivery::word_for(now.state));
}

void forwarder::check_drained() {
    if (!idle_ || in_flight_ != 0) {
        return;
    }
    const bool nothing_waits = ports_.queue.status().events.pending == 0;
    const bool too_late = scheduler_->wake_at(ports_.time.steady()) > drain_end_ &&
                          std::ranges::none_of(reading_, std::identity{});
    if (stopped_ || nothing_waits || too_late) {
        stop();
        ports_.owner.post(std::exchange(idle_, {}));
    }
}

delivery::scheduler::view forwarder::view() const {
    return scheduler_->look(ports_.time.steady());
}

std::optional<std::chrono::milliseconds> forwarder::forecast(std::uint8_t lane) const {
    const spool::status& status = ports_.queue.status();
    const std::vector<std::uint64_t> pending(status.pending_by_lane.begin(),
                                             status.pending_by_lane.begin() +
                                                 static_cast<std::ptrdiff_t>(options_.delivery.lanes.size()));
    return scheduler_->forecast(lane, pending, ports_.time.steady());
}

} // namespace linkrunner::forward
