#include "intake/service.hpp"

#include "base/relay.hpp"
#include "base/utc_text.hpp"
#include "intake/envelope.hpp"
#include "intake/guard.hpp"
#include "intake/inflate.hpp"
#include "intake/slices.hpp"
#include "telemetry/log.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::intake {

namespace {

constexpr long shortest_retry_seconds = 1;
constexpr long longest_retry_seconds = 300;
constexpr long disk_retry_seconds = 5;

std::string_view message_for(const route& where) {
    if (!where.is_drop_in()) {
        return "Event accepted";
    }
    switch (*where.only) {
    case endpoint::capture_event:
        return "Event capture request received!";
    case endpoint::capture_payment:
        return "Payment capture request received!";
    case endpoint::remove_payment:
        return "Payment removal request received!";
    }
    return "";
}

} // namespace

struct service::post {
    post_options options;
    net::responder answer;
    steady_time began;
    wall_time accepted_at;
    std::uint8_t lane = 0; // the slowest lane that its events went into
    std::string listener;
    turns::turn inflated; // until its events are stored
};

service::service(settings options, std::string server_key, ports with)
    : options_(std::move(options)), server_key_(std::move(server_key)), ports_(std::move(with)),
      lanes_(options_.lanes), rules_(std::make_shared<const event::policy>(options_.rules)),
      parse_{options_.limits, options_.add_event_id, ports_.queue.hash_seed(), rules_.get(),
             options_.remove_all_payments},
      spool_name_(spool_name(ports_.queue.hash_seed())), inflations_(ports_.owner, most_inflated_at_once),
      waiters_(ports_.queue, ports_.owner, ports_.time, options_.max_waiters) {}

bool service::may_read() {
    reading_stopped_ = ports_.queue.uncommitted_bytes() > options_.max_uncommitted_bytes;
    return !reading_stopped_;
}

void service::change(settings options) {
    options_ = std::move(options);
    lanes_ = event::lane_rules(options_.lanes);
    rules_ = std::make_shared<const event::policy>(options_.rules);
    parse_ = {options_.limits, options_.add_event_id, ports_.queue.hash_seed(), rules_.get(),
              options_.remove_all_payments};
    waiters_.set_limit(options_.max_waiters);
}

void service::drain(bool draining) {
    draining_ = draining;
    if (draining) {
        waiters_.release_all();
    }
}

void service::stop_waiting() {
    waiting_stopped_ = true;
    waiters_.release_all();
}

std::optional<net::response> service::refuse_early(net::request& head) {
    auto refused = refuse_caller(head, options_);
    if (!refused) {
        auto options = read_options(head);
        if (auto* problem = std::get_if<coded_refusal>(&options)) {
            refused = std::move(*problem);
        }
    }
    if (!refused && head.header(spool_header) == spool_name_) {
        refused = coded(421, "own_events",
                        "these events come from this very linkrunnerd: its upstream.url or shutdown.handoff "
                        "leads back to itself");
    }
    if (!refused && draining_) {
        refused = coded_refusal{
            "draining",
            unavailable("draining",
                        "no new events are taken: linkrunnerd stops, or an operator drains it; send "
                        "again later",
                        shortest_retry_seconds)};
        refused->answer.close = true;
    }
    if (!refused && options_.client_key != client_key_policy::ignore &&
        !client_key_matches(head, server_key_)) {
        if (options_.client_key == client_key_policy::reject) {
            refused =
                coded(401, "wrong_client_key", "the linkrunner-key header differs from the daemon's key");
        } else {
            log::warning("a client sends a linkrunner-key that differs from the daemon's; events go out with "
                         "the daemon's (intake.client_key)",
                         {{"listener", head.listener().name}});
        }
    }
    if (!refused) {
        return std::nullopt;
    }
    ports_.metrics.rejected_at_intake(refused->code);
    return std::move(refused->answer);
}

net::response service::protocol_error(int status, std::string_view code, std::string_view message) {
    ports_.metrics.rejected_at_intake(code);
    if (status == 403) {
        log::warning(
            "a process was turned away from the Unix socket: its user is not in intake.allow_uids and its "
            "groups not in intake.allow_gids");
    }
    if (status == 503) {
        return unavailable(code, message, shortest_retry_seconds);
    }
    return refusal(status, code, message);
}

void service::handle(net::request& whole, net::responder answer) {
    auto work = std::make_shared<post>();
    work->began = ports_.time.steady();
    work->accepted_at = ports_.time.wall();
    work->answer = std::move(answer);
    if (ports_.activity != nullptr) {
        work->listener = whole.listener().name;
    }
    auto options = read_options(whole);
    if (auto* problem = std::get_if<coded_refusal>(&options)) {
        refuse(work, std::move(problem->answer), problem->code);
        return;
    }
    work->options = std::move(std::get<post_options>(options));
    if (work->options.gzip) {
        inflations_.wait([this, work, body = std::move(whole.body())](turns::turn its) mutable {
            work->inflated = std::move(its);
            inflate(work, std::move(body));
        });
    } else {
        accept_body(work, std::move(whole.body()));
    }
}

void service::inflate(const post_ptr& work, std::string compressed) {
    const auto reader = std::make_shared<gzip_reader>(std::move(compressed), options_.max_body_bytes);
    const auto state = std::make_shared<gzip_reader::state>(gzip_reader::state::more);
    in_slices(
        ports_.owner, ports_.time,
        [reader, state] {
            *state = reader->step();
            return *state == gzip_reader::state::more;
        },
        [this, work, reader, state] {
            if (*state == gzip_reader::state::damaged) {
                refuse(work, refusal(400, "bad_gzip", "the body is not a whole gzip stream"), "bad_gzip");
            } else if (*state == gzip_reader::state::too_large) {
                refuse(work,
                       refusal(413, "body_too_large",
                               "the body inflates to more than " + std::to_string(options_.max_body_bytes) +
                                   " bytes (intake.max_body)"),
                       "body_too_large");
            } else {
                accept_body(work, std::move(reader->output()));
            }
        });
}

void service::accept_body(const post_ptr& work, std::string body) {
    if (work->options.format == body_format::ndjson) {
        accept_batch(work, std::move(body), event::batch_format::ndjson);
        return;
    }
    const auto first = body.find_first_not_of(" \t\r\n");
    const bool is_array = first != std::string::npos && body[first] == '[';
    if (is_array && !work->options.where.is_drop_in()) {
        accept_batch(work, std::move(body), event::batch_format::array);
    } else {
        accept_one(work, body);
    }
}

spool::new_event service::to_stored(event::event parsed, const post& work) const {
    spool::new_event out;
    out.relayed = work.options.relayed;
    out.path = parsed.path;
    out.lane = parsed.lane ? *parsed.lane : lanes_.lane_for(parsed.lane_name(), parsed.has_amount);
    out.ambiguous_dead = parsed.ambiguous_dead.value_or(options_.ambiguous_dead);
    out.accepted_at = work.accepted_at;
    out.user_key = parsed.user_key;
    out.identity = parsed.identity;
    out.body_hash = parsed.body_hash;
    out.name = std::move(parsed.name);
    out.event_id = std::move(parsed.event_id);
    out.body = std::move(parsed.body);
    return out;
}

// As the API answers; it documents 201 for what it captures and 200 for what it removes.
int service::success_of(const route& where) const {
    if (!where.is_drop_in()) {
        return 202;
    }
    const bool removes = where.only == endpoint::remove_payment;
    return removes && options_.drop_in_status == 201 ? 200 : options_.drop_in_status;
}

std::string service::stamp_of(const post_ptr& work) const {
    return rules_->additions().stamps() ? utc_text(work->accepted_at) : std::string();
}

void service::accept_one(const post_ptr& work, std::string_view text) {
    auto parsed = event::parse_event(text, work->options.idempotency_key, parse_, ports_.ids, stamp_of(work),
                                     work->options.where.only);
    if (const auto* bad = std::get_if<event::violation>(&parsed)) {
        refuse(work, *bad);
        return;
    }
    event::event& good = std::get<event::event>(parsed);
    if (good.filtered) {
        ports_.metrics.filtered(1);
        answer(work, envelope(success_of(work->options.where), "Event filtered, not accepted",
                              R"({"event_id":null,"duplicate":false,"filtered":true})"));
        return;
    }
    count(good.findings);
    accepted_event one{good.path, good.event_id, std::move(good.findings)};
    std::vector<spool::new_event> stored;
    stored.push_back(to_stored(std::move(good), *work));
    work->lane = stored.front().lane;
    auto labels = labels_of(stored);
    ports_.queue.append(std::move(stored), [this, work, one = std::move(one), labels = std::move(labels)](
                                               const result<std::vector<spool::appended>>& done) {
        appended(work);
        if (done.has_error()) {
            refuse_append(work, done.error());
        } else {
            tell(work, labels, *done);
            one_appended(work, one, done->front());
        }
    });
}

void service::one_appended(const post_ptr& work, const accepted_event& one, const spool::appended& how) {
    if (how.outcome == spool::append_outcome::conflict) {
        refuse(work, identity_conflict(one.path));
        return;
    }
    remember_trace(work, how);
    const bool duplicate = how.outcome == spool::append_outcome::duplicate;
    duplicate ? ports_.metrics.duplicate(1) : ports_.metrics.accepted(1);
    const int status = success_of(work->options.where);
    const std::string_view message = message_for(work->options.where);
    if (!work->options.wait) {
        answer(work, envelope(status, message, data_of(one, duplicate, {})));
        return;
    }
    wait_for_end(work, {how.number}, [one, duplicate, message](const waiters::ends& ends) {
        const auto& end = ends.front();
        return end ? envelope(200, "The end of the event is known",
                              data_of(one, duplicate, word_for_end(*end)))
                   : envelope(202, message, data_of(one, duplicate, "pending"));
    });
}

void service::accept_batch(const post_ptr& work, std::string body, event::batch_format format) {
    const auto items = std::make_shared<batch>(
        std::move(body), format, work->options.idempotency_key, parse_, options_.max_batch, ports_.ids,
        stamp_of(work), [this, work, rules = rules_](event::event parsed) {
            spool::new_event stored = to_stored(std::move(parsed), *work);
            work->lane = std::max(work->lane, stored.lane);
            return stored;
        });
    in_slices(
        ports_.owner, ports_.time, [items] { return items->step(); },
        [this, work, items] {
            if (items->refused()) {
                refuse(work, *items->refused(), items->refused_code());
            } else {
                append_batch(work, items);
            }
        });
}

void service::append_batch(const post_ptr& work, const std::shared_ptr<batch>& items) {
    if (items->events().empty()) {
        batch_appended(work, items, {});
        return;
    }
    auto labels = labels_of(items->events());
    ports_.queue.append(std::move(items->events()), [this, work, items, labels = std::move(labels)](
                                                        const result<std::vector<spool::appended>>& done) {
        appended(work);
        if (done.has_error()) {
            refuse_append(work, done.error());
        } else {
            tell(work, labels, *done);
            batch_appended(work, items, *done);
        }
    });
}

void service::batch_appended(const post_ptr& work, const std::shared_ptr<batch>& whole,
                             std::vector<spool::appended> outcomes) {
    for (const spool::appended& each : outcomes) {
        remember_trace(work, each);
    }
    const auto report = std::make_shared<batch_reporter>(
        whole->items(), std::move(outcomes), [this](const batch::item& item) {
            count(item.findings);
            if (item.violation) {
                ports_.metrics.rejected_at_intake(item.violation->code);
            }
        });
    in_slices(
        ports_.owner, ports_.time, [report] { return report->step(); },
        [this, work, whole, report] { batch_settled(work, whole, report->take(), report->outcomes()); });
}

void service::batch_settled(const post_ptr& work, const std::shared_ptr<batch>& whole, batch_report made,
                            const std::vector<spool::appended>& outcomes) {
    ports_.metrics.accepted(made.stored);
    ports_.metrics.duplicate(made.duplicates);
    ports_.metrics.filtered(made.filtered);
    if (!work->options.wait || made.stored + made.duplicates == 0) {
        answer(work, made.answer());
        return;
    }
    std::vector<spool::sequence> numbers;
    for (const spool::appended& each : outcomes) {
        if (each.outcome != spool::append_outcome::conflict) {
            numbers.push_back(each.number);
        }
    }
    wait_for_end(work, std::move(numbers), [whole, made = std::move(made)](const waiters::ends& ends) {
        return made.answer(whole->items(), ends);
    });
}

// `respond` gets the ends that are known when the waiting is over.
void service::wait_for_end(const post_ptr& work, std::vector<spool::sequence> numbers,
                           std::function<net::response(const waiters::ends&)> respond) {
    const std::chrono::milliseconds timeout = *work->options.wait;
    const auto forecast = ports_.forecast(work->lane);
    const bool hopeless = draining_ || waiting_stopped_ || !forecast || *forecast > timeout;
    const waiters::ends unknown(numbers.size());
    const bool waiting =
        !hopeless && waiters_.wait(
                         std::move(numbers), timeout, [work] { return work->answer.client_waits(); },
                         [this, work, respond](const waiters::ends& ends) { answer(work, respond(ends)); });
    if (!waiting) {
        answer(work, respond(unknown));
    }
}

// A repeat belongs to the trace of the first.
void service::remember_trace(const post_ptr& work, const spool::appended& how) {
    if (ports_.traces != nullptr && work->options.trace && how.outcome == spool::append_outcome::stored) {
        ports_.traces->remember(how.number, *work->options.trace);
    }
}

// Only while somebody follows: they cost a copy of each event.
std::vector<telemetry::event_label> service::labels_of(const std::vector<spool::new_event>& events) const {
    std::vector<telemetry::event_label> out;
    if (ports_.activity != nullptr && ports_.activity->followed()) {
        for (const spool::new_event& each : events) {
            out.push_back({each.event_id, each.name, each.body, each.lane});
        }
    }
    return out;
}

void service::tell(const post_ptr& work, const std::vector<telemetry::event_label>& labels,
                   const std::vector<spool::appended>& outcomes) {
    for (std::size_t index = 0; ports_.activity != nullptr && index < outcomes.size(); ++index) {
        if (outcomes[index].outcome == spool::append_outcome::stored) {
            ports_.activity->accepted(outcomes[index].number, work->listener,
                                      index < labels.size() ? &labels[index] : nullptr);
        }
    }
}

void service::appended(const post_ptr& work) {
    work->inflated.reset();
    if (reading_stopped_ && may_read()) {
        ports_.resume_reading();
    }
}

void service::count(const std::vector<event::finding>& findings) {
    for (const event::finding& each : findings) {
        const std::string_view rule = event::word_for(each.which);
        ports_.metrics.quality(rule, each.fixed);
        log::warning(
            "data quality: an event was taken that the API would not count as it was meant; its answer "
            "says more",
            {{"rule", rule}, {"pointer", each.pointer}, {"fixed", each.fixed}});
    }
}

void service::refuse(const post_ptr& work, net::response with, std::string_view code) {
    ports_.metrics.rejected_at_intake(code);
    answer(work, std::move(with));
}

void service::refuse(const post_ptr& work, const event::violation& why) {
    refuse(work, refusal(why), why.code);
}

void service::refuse_append(const post_ptr& work, const error& failure) {
    const spool::refusal why = spool::refusal_of(failure);
    const std::string_view code =
        why == spool::refusal::none ? "disk_error" : std::string_view(spool::word_for(why));
    long seconds = disk_retry_seconds;
    if (why == spool::refusal::queue_full) {
        const auto forecast = ports_.forecast(work->lane);
        seconds = forecast ? static_cast<long>(forecast->count() / 1000) : longest_retry_seconds;
        seconds = std::clamp(seconds, shortest_retry_seconds, longest_retry_seconds);
    }
    const std::string message =
        why == spool::refusal::disk_error || why == spool::refusal::none
            ? "unknown whether the event was stored: send it again with the same event_id (" +
                  failure.message + ")"
            : failure.message;
    refuse(work, unavailable(code, message, seconds), code);
}

void service::answer(const post_ptr& work, net::response with) {
    ports_.metrics.intake_duration(ports_.time.steady() - work->began);
    work->answer(std::move(with));
}

} // namespace linkrunner::intake
