#include "control/explain.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"
#include "base/utf8.hpp"
#include "control/letter_json.hpp"
#include "control/pending.hpp"
#include "control/selection.hpp"
#include "net/envelope.hpp"

#include <algorithm>
#include <memory>

namespace linkrunner::control {

namespace {

constexpr std::size_t most_told = 20; // of each kind

void add_text(std::string& out, const char* name, std::string_view value) {
    out += std::string(",\"") + name + "\":";
    append_json_string(out, as_utf8(value));
}

void add_text_or_null(std::string& out, const char* name, std::string_view value) {
    if (value.empty()) {
        out += std::string(",\"") + name + "\":null";
    } else {
        add_text(out, name, value);
    }
}

void add_attempts(std::string& out, const story* known) {
    out += ",\"attempts_known\":[";
    for (std::size_t index = 0; known != nullptr && index < known->attempts.size(); ++index) {
        const attempt_note& each = known->attempts[index];
        out += index == 0 ? "{\"at\":\"" : ",{\"at\":\"";
        out += utc_text(each.at) + "\",\"attempt\":" + std::to_string(each.number);
        add_text(out, "outcome", each.outcome);
        out += ",\"status\":" + std::to_string(each.status) +
               ",\"duration_ms\":" + std::to_string(each.duration.count()) +
               ",\"ambiguous\":" + (each.ambiguous ? "true" : "false");
        add_text(out, "answer", each.answer);
        out += '}';
    }
    out += ']';
}

// An answer on its way: what waits is asked for first and what has ended last, so that an event that ends
// meanwhile is not missed.
struct asking {
    explain_parts with;
    std::string event_id;
    net::responder answer;
    std::vector<spool::sequence> told;
    std::string stories;

    void begin_story() { stories += stories.empty() ? "" : ","; }
};

// `object` is what a list shows of it, and goes on with what else is known.
void open_up(std::string& object, const char* state) {
    object.pop_back();
    add_text(object, "state", state);
}

void tell_pending(asking& one, const spool::pending_event& event) {
    std::string text;
    append_pending(text, event, one.with.lanes, false);
    open_up(text, "pending");
    add_text_or_null(text, "listener", one.with.stories.listener_of(event.event.number));
    const story* known = one.with.stories.waiting(event.event.number);
    add_attempts(text, known);
    const auto next = known != nullptr ? known->next_attempt : std::nullopt;
    add_text(text, "waits_for", one.with.daemon.waits_for(event.event.number, event.event.lane, next));
    one.begin_story();
    one.stories += text + "}";
    one.told.push_back(event.event.number);
}

const story* last_of(const std::vector<const story*>& all, spool::sequence number) {
    const auto found = std::ranges::find_if(all.rbegin(), all.rend(),
                                            [number](const story* each) { return each->number == number; });
    return found == all.rend() ? nullptr : *found;
}

void tell_dead(asking& one, const spool::dead_event& event) {
    std::string text;
    append_letter(text, event, one.with.lanes);
    open_up(text, "dead");
    add_text_or_null(text, "listener", one.with.stories.listener_of(event.event.number));
    add_attempts(text, last_of(one.with.stories.ended(one.event_id), event.event.number));
    one.begin_story();
    one.stories += text + "}";
    one.told.push_back(event.event.number);
}

void tell_ended(asking& one, const story& event) {
    if (event.end == event_end::dead && std::ranges::find(one.told, event.number) != one.told.end()) {
        return; // told as a dead letter, or pending again
    }
    std::string text = "{\"number\":" + std::to_string(event.number);
    const auto& lanes = one.with.lanes;
    add_text(text, "lane", event.lane < lanes.size() ? lanes[event.lane] : std::to_string(event.lane));
    add_text(text, "event_id", event.event_id);
    add_text(text, "event_name", event.name);
    add_text(text, "accepted_at", utc_text(event.accepted_at));
    add_text(text, "state", event.end == event_end::dead ? "was_dead" : word_for(event.end));
    add_text(text, "ended_at", utc_text(event.ended_at));
    add_text_or_null(text, "reason", event.reason);
    add_text_or_null(text, "listener", one.with.stories.listener_of(event.number));
    add_attempts(text, &event);
    one.begin_story();
    one.stories += text + "}";
}

void finish(const std::shared_ptr<asking>& one) {
    for (const story* each : one->with.stories.ended(one->event_id)) {
        tell_ended(*one, *each);
    }
    std::string data = "{\"event_id\":";
    append_json_string(data, as_utf8(one->event_id));
    data += ",\"stories\":[" + one->stories + "]}";
    one->answer(
        net::envelope(200, one->stories.empty() ? "Nothing is known of such an event" : "Explained", data));
}

void ask_for_dead(const std::shared_ptr<asking>& one) {
    spool::dead_query what;
    what.filter.event_id = one->event_id;
    what.max_events = most_told;
    one->with.spool.list(std::move(what), [one](const result<spool::dead_page>& page) {
        if (!page) {
            one->answer(spool_failed(page.error()));
            return;
        }
        for (const spool::dead_event& each : page->events) {
            tell_dead(*one, each);
        }
        finish(one);
    });
}

result<follow_filter> read_filter(std::string_view query) {
    follow_filter out;
    for (auto& [name, value] : query_fields(query)) {
        if (name == "event_name") {
            out.name = std::move(value);
        } else if (name == "user_id") {
            out.user = std::move(value);
        } else if (name == "event_id") {
            out.event_id = std::move(value);
        } else if (name == "outcome") {
            out.accepted = out.delivered = out.dead = out.failed = false;
            for (std::size_t begin = 0; begin <= value.size();) {
                const std::size_t end = std::min(value.find(',', begin), value.size());
                const std::string_view word = std::string_view(value).substr(begin, end - begin);
                bool* const wanted = word == "accepted"    ? &out.accepted
                                     : word == "delivered" ? &out.delivered
                                     : word == "dead"      ? &out.dead
                                     : word == "failed"    ? &out.failed
                                                           : nullptr;
                if (wanted == nullptr) {
                    return make_error(std::errc::invalid_argument,
                                      "outcome is a list of accepted, delivered, dead, failed");
                }
                *wanted = true;
                begin = end + 1;
            }
        } else {
            return make_error(std::errc::invalid_argument,
                              "there is no parameter '" + name +
                                  "'; outcome, event_name, user_id, event_id are known");
        }
    }
    return out;
}

} // namespace

void explain(const explain_parts& with, std::string_view query, const net::responder& answer) {
    const auto fields = query_fields(query);
    if (fields.size() != 1 || fields.front().first != "event_id" || fields.front().second.empty()) {
        answer(net::refusal(400, "bad_request", "say which event: ?event_id=..."));
        return;
    }
    const auto one = std::make_shared<asking>(asking{with, fields.front().second, answer, {}, {}});
    spool::pending_query what;
    what.filter.event_id = one->event_id;
    what.max_events = most_told;
    with.spool.list_pending(std::move(what), [one](const result<spool::pending_page>& page) {
        if (!page) {
            one->answer(spool_failed(page.error()));
            return;
        }
        for (const spool::pending_event& each : page->events) {
            tell_pending(*one, each);
        }
        ask_for_dead(one);
    });
}

void tail(journal& stories, std::string_view query, const net::responder& answer) {
    auto wanted = read_filter(query);
    if (!wanted) {
        answer(net::refusal(400, "bad_request", wanted.error().message));
        return;
    }
    if (stories.full()) {
        answer(net::refusal(503, "too_many_followers",
                            std::to_string(journal::most_followers) + " follow already; end one of them"));
        return;
    }
    net::response out;
    out.content_type = "application/x-ndjson";
    out.stream = [&stories, wanted = std::move(*wanted)](std::shared_ptr<net::body_stream> to) {
        stories.follow(wanted, std::move(to));
    };
    answer(std::move(out));
}

} // namespace linkrunner::control
