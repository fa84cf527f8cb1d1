#include "intake/service.hpp"

#include "base/json_text.hpp"
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

// The words of ?wait=delivered for how an event ended.
std::string_view word_for_end(spool::mark_kind how) {
    switch (how) {
    case spool::mark_kind::delivered:
        return "delivered";
    case spool::mark_kind::dead:
        return "dead";
    case spool::mark_kind::handed_off:
        return "handed_off";
    default:
        return "dropped";
    }
}

std::string one_data(const std::string& event_id, bool duplicate, std::string_view outcome) {
    std::string data = "{\"event_id\":";
    append_json_string(data, event_id);
    data += duplicate ? ",\"duplicate\":true" : ",\"duplicate\":false";
    if (!outcome.empty()) {
        data += ",\"outcome\":\"";
        data += outcome;
        data += '"';
    }
    data += '}';
    return data;
}

} // namespace

struct service::post {
    post_options options;
    net::responder answer;
    steady_time began;
    wall_time accepted_at;
    std::uint8_t lane = 0; // the slowest lane that its events went into
};

service::service(settings options, std::string server_key, ports with)
    : options_(std::move(options)), server_key_(std::move(server_key)), ports_(std::move(with)),
      lanes_(options_.lanes),
      ambiguity_(
          {{options_.ambiguous_dead_names, false}, {options_.ambiguous_retry_names, false}, {{"*"}, false}}),
      parse_{options_.limits, options_.add_event_id, ports_.queue.hash_seed(), options_.stamp, {}},
      waiters_(ports_.queue, ports_.owner, ports_.time, options_.max_waiters) {}

bool service::may_read() {
    reading_stopped_ = ports_.queue.uncommitted_bytes() > options_.max_uncommitted_bytes;
    return !reading_stopped_;
}

void service::drain() {
    draining_ = true;
    waiters_.release_all();
}

std::optional<net::response> service::refuse_early(net::request& head) {
    auto refused = refuse_caller(head, options_);
    if (!refused) {
        auto options = read_options(head);
        if (auto* problem = std::get_if<net::response>(&options)) {
            refused = std::move(*problem);
        }
    }
    if (!refused && draining_) {
        refused = unavailable("draining", "linkrunnerd is stopping; send again to its successor",
                              shortest_retry_seconds);
        refused->close = true;
    }
    if (!refused && options_.client_key != client_key_policy::ignore &&
        !client_key_matches(head, server_key_)) {
        if (options_.client_key == client_key_policy::reject) {
            refused =
                refusal(401, "wrong_client_key", "the linkrunner-key header differs from the daemon's key");
        } else {
            log::warning("a client sends a linkrunner-key that differs from the daemon's; events go out with "
                         "the daemon's (intake.client_key)",
                         {{"listener", head.listener().name}});
        }
    }
    if (refused) {
        ports_.metrics.rejected_at_intake(refused->status == 503 ? "draining" : "request");
    }
    return refused;
}

net::response service::protocol_error(int status, std::string_view code, std::string_view message) {
    ports_.metrics.rejected_at_intake(code);
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
    auto options = read_options(whole);
    if (auto* problem = std::get_if<net::response>(&options)) {
        refuse(work, std::move(*problem), "request");
        return;
    }
    work->options = std::move(std::get<post_options>(options));
    if (work->options.gzip) {
        inflate(work, std::move(whole.body()));
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
    if (is_array && work->options.where == route::events) {
        accept_batch(work, std::move(body), event::batch_format::array);
    } else {
        accept_one(work, body);
    }
}

spool::new_event service::to_stored(event::event parsed, wall_time now) const {
    spool::new_event out;
    out.path = parsed.path;
    out.lane = lanes_.lane_for(parsed.name, parsed.has_amount);
    const std::uint8_t named = ambiguity_.lane_for(parsed.name, false);
    out.ambiguous_dead = named == 0 || (named == 2 && options_.ambiguous_dead);
    out.accepted_at = now;
    out.user_key = parsed.user_key;
    out.identity = parsed.identity;
    out.body_hash = parsed.body_hash;
    out.name = std::move(parsed.name);
    out.event_id = std::move(parsed.event_id);
    out.body = std::move(parsed.body);
    return out;
}

void service::accept_one(const post_ptr& work, std::string_view text) {
    parse_.now = work->accepted_at;
    auto parsed = event::parse_event(text, work->options.idempotency_key, parse_, ports_.ids);
    if (const auto* bad = std::get_if<event::violation>(&parsed)) {
        refuse(work, *bad);
        return;
    }
    std::vector<spool::new_event> one;
    one.push_back(to_stored(std::move(std::get<event::event>(parsed)), work->accepted_at));
    work->lane = one.front().lane;
    std::string event_id = one.front().event_id;
    ports_.queue.append(std::move(one), [this, work, event_id = std::move(event_id)](
                                            const result<std::vector<spool::appended>>& done) {
        appended();
        if (done.has_error()) {
            refuse_append(work, done.error());
        } else {
            one_appended(work, event_id, done->front());
        }
    });
}

void service::one_appended(const post_ptr& work, const std::string& event_id, const spool::appended& how) {
    if (how.outcome == spool::append_outcome::conflict) {
        refuse(work, identity_conflict());
        return;
    }
    const bool duplicate = how.outcome == spool::append_outcome::duplicate;
    duplicate ? ports_.metrics.duplicate(1) : ports_.metrics.accepted(1);
    const bool drop_in = work->options.where == route::drop_in;
    const int status = drop_in ? options_.drop_in_status : 202;
    const std::string_view message = drop_in ? "Event capture request received!" : "Event accepted";
    if (!work->options.wait) {
        answer(work, envelope(status, message, one_data(event_id, duplicate, {})));
        return;
    }
    wait_for_end(
        work, {how.number},
        [event_id, duplicate](const waiters::ends& ends) {
            return envelope(200, "The end of the event is known",
                            one_data(event_id, duplicate, word_for_end(*ends.front())));
        },
        envelope(202, message, one_data(event_id, duplicate, "pending")));
}

void service::accept_batch(const post_ptr& work, std::string body, event::batch_format format) {
    parse_.now = work->accepted_at;
    const auto items =
        std::make_shared<batch>(std::move(body), format, work->options.idempotency_key, parse_,
                                options_.max_batch, ports_.ids, [this, work](event::event parsed) {
                                    spool::new_event stored = to_stored(std::move(parsed), work->accepted_at);
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
        batch_appended(work, *items, {});
        return;
    }
    ports_.queue.append(std::move(items->events()),
                        [this, work, items](const result<std::vector<spool::appended>>& done) {
                            appended();
                            if (done.has_error()) {
                                refuse_append(work, done.error());
                            } else {
                                batch_appended(work, *items, *done);
                            }
                        });
}

void service::batch_appended(const post_ptr& work, batch& items,
                             const std::vector<spool::appended>& outcomes) {
    batch_answer made = answer_batch(items.items(), outcomes);
    ports_.metrics.accepted(made.stored);
    ports_.metrics.duplicate(made.duplicates);
    for (const batch::item& item : items.items()) {
        if (item.violation) {
            ports_.metrics.rejected_at_intake(item.violation->code);
        }
    }
    if (!work->options.wait || made.stored + made.duplicates == 0) {
        answer(work, std::move(made.answer));
        return;
    }
    std::vector<spool::sequence> numbers;
    for (const spool::appended& each : outcomes) {
        if (each.outcome != spool::append_outcome::conflict) {
            numbers.push_back(each.number);
        }
    }
    wait_for_end(
        work, std::move(numbers),
        [](const waiters::ends& ends) {
            std::string data = "{\"outcomes\":[";
            for (std::size_t i = 0; i < ends.size(); ++i) {
                data += i == 0 ? "\"" : ",\"";
                data += word_for_end(*ends[i]);
                data += '"';
            }
            return envelope(200, "The ends of the events are known", data + "]}");
        },
        std::move(made.answer));
}

void service::wait_for_end(const post_ptr& work, std::vector<spool::sequence> numbers,
                           std::function<net::response(const waiters::ends&)> finished,
                           net::response pending) {
    const std::chrono::milliseconds timeout = *work->options.wait;
    const auto forecast = ports_.forecast(work->lane);
    const bool hopeless = draining_ || !forecast || *forecast > timeout;
    const auto unfinished = std::make_shared<net::response>(std::move(pending));
    const bool waiting =
        !hopeless &&
        waiters_.wait(std::move(numbers), timeout,
                      [this, work, unfinished, finished = std::move(finished)](const waiters::ends& ends) {
                          const bool all =
                              std::ranges::all_of(ends, [](const auto& end) { return end.has_value(); });
                          answer(work, all ? finished(ends) : std::move(*unfinished));
                      });
    if (!waiting) {
        answer(work, std::move(*unfinished));
    }
}

void service::appended() {
    if (reading_stopped_ && may_read()) {
        ports_.resume_reading();
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
