// The attempts: begun, sent, ended, and what their ends leave behind in the spool.
#include "forward/item.hpp"
#include "spool/dead_letters.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace linkrunner::forward {

namespace {

constexpr std::size_t excerpt_bytes = 512;
constexpr const char* filtered_by_peer = "filtered_by_peer"; // why an event is dropped: label of a counter
constexpr std::size_t most_stretches = 16; // of the dead letters, to find a payment; the disk thread waits

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

delivery::attempt_end facts_of(const net::answer& how) {
    delivery::attempt_end out;
    out.status = how.failure == net::transport_error::none ? how.status : 0;
    out.sent_whole = how.sent_whole;
    out.stale = how.failure == net::transport_error::reset && how.reused && !how.answer_begun;
    out.transport = net::word_for(how.failure);
    out.retry_after = how.retry_after;
    out.date = how.date;
    out.ratelimit = how.ratelimit;
    out.ratelimit_policy = how.ratelimit_policy;
    out.ratelimit_limit = how.ratelimit_limit;
    out.ratelimit_remaining = how.ratelimit_remaining;
    out.ratelimit_reset = how.ratelimit_reset;
    return out;
}

void forwarder::begin(const delivery::send_event& what) {
    if (options_.to_forwarder) {
        begin_request(what);
        return;
    }
    if (!take_off(what)) {
        return;
    }
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
        not_begun(number);
        pump();
        check_drained();
    });
}

// False, and it waits again, for one that the spool may be dropping.
bool forwarder::take_off(const delivery::send_event& what) {
    item& chosen = *items_.at(what.number);
    if (chosen.held_back) {
        scheduler_->not_sent(what.number, ports_.time.steady());
        return false;
    }
    chosen.attempt = what.attempt;
    chosen.in_flight = true;
    ++in_flight_;
    return true;
}

void forwarder::not_begun(spool::sequence number) {
    --in_flight_;
    item& tried = *items_.at(number);
    tried.in_flight = false;
    not_counted(tried);
    scheduler_->not_sent(number, ports_.time.steady());
}

void forwarder::send(spool::sequence number) {
    const spool::stored_event& event = items_.at(number)->event;
    net::outgoing request;
    request.path = path_of(event.path);
    request.headers.emplace_back("linkrunner-key", secret_);
    request.body = event.body;
    ports_.upstream.send(std::move(request), [this, number](net::answer how) { ended(number, how); });
}

std::string forwarder::excerpt_of(const net::answer& how) const {
    std::string text = how.status == 0 ? how.detail : how.body;
    hide(text, secret_);
    hide(text, former_secret_); // of an attempt that was under way when it changed
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
    account(how);
    settle(number, how);
    pump();
    check_drained();
}

// What a request says, whatever became of its events.
void forwarder::account(const net::answer& how) {
    const delivery::attempt_end facts = facts_of(how);
    const delivery::outcome outcome = delivery::classify(facts);
    ports_.metrics.attempt(delivery::word_for(outcome), how.duration, delivery::is_ambiguous(facts));
    if (outcome == delivery::outcome::delivered) {
        const wall_time wall = ports_.time.wall();
        ports_.metrics.set_last_success(static_cast<double>(wall.time_since_epoch().count()) / 1000.0);
    }
}

void forwarder::settle(spool::sequence number, const net::answer& how, bool filtered) {
    const delivery::attempt_end facts = facts_of(how);
    const delivery::outcome outcome = delivery::classify(facts);
    const wall_time wall = ports_.time.wall();
    const delivery::verdict verdict = scheduler_->ended(number, facts, ports_.time.steady(), wall);
    item& tried = *items_.at(number);
    const bool failed = outcome != delivery::outcome::delivered;
    if (failed) {
        tried.last_status = facts.status;
        tried.last_attempt = wall;
        tried.excerpt = excerpt_of(how);
        const std::string status = facts.status == 0 ? "" : std::to_string(facts.status) + " ";
        error_ = last_error{wall, status + tried.excerpt};
    }
    log_attempt(tried, facts, how);
    if (ports_.activity != nullptr) {
        tell(tried,
             {tried.attempt, delivery::word_for(outcome), facts.status, how.duration,
              failed ? std::string_view(tried.excerpt) : std::string_view(), delivery::is_ambiguous(facts)},
             verdict, filtered);
    }
    conclude(number, verdict, filtered);
}

std::string_view forwarder::trace_of(spool::sequence number) const {
    return ports_.traces == nullptr ? std::string_view() : ports_.traces->of(number);
}

void forwarder::forget_trace(spool::sequence number) {
    if (ports_.traces != nullptr) {
        ports_.traces->forget(number);
    }
}

void forwarder::conclude(spool::sequence number, const delivery::verdict& verdict, bool filtered) {
    item& done = *items_.at(number);
    switch (verdict.kind) {
    case delivery::verdict_kind::delivered:
        leave(done, filtered);
        forget_trace(number);
        forget(number);
        break;
    case delivery::verdict_kind::dead:
        if (done.event.path == endpoint::remove_payment && verdict.reason == "rejected") {
            bury_removal(done, verdict);
        } else {
            bury(done, verdict);
        }
        forget(number);
        break;
    case delivery::verdict_kind::retry:
        not_counted(done);
        break;
    }
}

void forwarder::leave(const item& done, bool filtered) {
    spool::mark mark;
    mark.number = done.event.number;
    const auto age = ports_.time.wall() - done.event.accepted_at;
    if (filtered) {
        mark.kind = spool::mark_kind::dropped;
        mark.reason = filtered_by_peer;
        ports_.metrics.dropped(filtered_by_peer, 1);
    } else if (options_.to_forwarder) {
        mark.kind = spool::mark_kind::handed_off;
        ports_.metrics.handed_off(age);
    } else {
        mark.kind = spool::mark_kind::delivered;
        ports_.metrics.delivered(age);
    }
    record(std::move(mark));
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
    log::warning("event moved to the dead letters",
                 {{"event_id", dead.event.event_id},
                  {"event_name", dead.event.name},
                  {"reason", verdict.reason},
                  {"status", dead.last_status},
                  {"attempts", verdict.attempts},
                  {"answer", dead.excerpt},
                  {"lane", options_.delivery.lanes.at(dead.event.lane).name},
                  log::field::if_any("trace_id", trace_of(mark.number))});
    forget_trace(mark.number);
    record(std::move(mark));
}

// A removal that found no payment: whoever reads its letter should know when the payment is a letter, too.
void forwarder::bury_removal(const item& dead, const delivery::verdict& verdict) {
    const auto payment = std::make_shared<std::optional<spool::sequence>>();
    spool::dead_query what;
    what.filter.name = name_of(endpoint::capture_payment);
    what.filter.event_id = dead.event.event_id;
    what.max_events = 1;
    ports_.queue.on_disk(
        [payment, what](spool::store& from) mutable {
            for (std::size_t stretch = 0; stretch < most_stretches && !*payment; ++stretch) {
                const auto page = spool::read_dead(from, what);
                if (!page || page->at_end || !page->events.empty()) {
                    *payment = page && !page->events.empty()
                                   ? std::optional(page->events.front().event.number)
                                   : std::nullopt;
                    return;
                }
                what.from = page->next;
            }
        },
        [this, payment, verdict, letter = std::make_shared<item>(dead)](const result<void>&) {
            if (*payment) {
                letter->excerpt.insert(0, "its payment never reached the API: it is dead letter " +
                                              std::to_string(**payment) +
                                              "; replay that one and then this, or drop both; answer: ");
                letter->excerpt.resize(std::min(letter->excerpt.size(), excerpt_bytes));
            }
            bury(*letter, verdict);
        });
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

} // namespace linkrunner::forward
