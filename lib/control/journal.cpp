#include "control/journal.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"
#include "base/utf8.hpp"
#include "control/letter_json.hpp"
#include "control/pending.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace linkrunner::control {

namespace {

constexpr std::array<std::pair<event_end, const char*>, 5> end_words = {
    {{event_end::none, "none"},
     {event_end::delivered, "delivered"},
     {event_end::handed_off, "handed_off"},
     {event_end::dropped, "dropped"},
     {event_end::dead, "dead"}}};

event_end end_for(std::string_view word) noexcept {
    const auto found =
        std::ranges::find(end_words, word, [](const auto& each) { return std::string_view(each.second); });
    return found == end_words.end() ? event_end::none : found->first;
}

constexpr std::size_t remembered_acceptances = 16'384; // of which listener they came in by
constexpr std::size_t answer_bytes = 200;
constexpr std::uint8_t unknown_listener = 0;
constexpr std::size_t most_listeners = 255;

attempt_note note_of(const telemetry::attempt_view& how, wall_time now) {
    attempt_note out;
    out.at = now;
    out.number = how.number;
    out.status = how.status;
    out.duration = std::chrono::duration_cast<std::chrono::milliseconds>(how.duration);
    out.ambiguous = how.ambiguous;
    out.outcome = how.outcome;
    out.answer = how.answer.substr(0, answer_bytes);
    return out;
}

std::size_t text_bytes_of(const story& of) {
    std::size_t sum = of.event_id.size() + of.name.size();
    for (const attempt_note& each : of.attempts) {
        sum += sizeof each + each.answer.size();
    }
    return sum;
}

void add_text(std::string& out, const char* name, std::string_view value) {
    out += std::string(",\"") + name + "\":";
    append_json_string(out, as_utf8(value));
}

void add_attempt(std::string& out, const telemetry::attempt_view& how) {
    out += ",\"attempt\":" + std::to_string(how.number) + ",\"status\":" + std::to_string(how.status) +
           ",\"duration_ms\":" +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(how.duration).count());
    if (!how.answer.empty()) {
        add_text(out, "answer", how.answer.substr(0, answer_bytes));
    }
}

} // namespace

const char* word_for(event_end how) noexcept {
    return std::ranges::find(end_words, how, &std::pair<event_end, const char*>::first)->second;
}

struct journal::follower {
    follow_filter wants;
    std::shared_ptr<net::body_stream> to;
    std::string unwritten;
    std::uint64_t lost = 0;

    bool has_room() const { return to->unsent_bytes() + unwritten.size() < most_unsent_bytes; }
    void tell_losses() {
        if (lost > 0 && has_room()) {
            unwritten += "{\"what\":\"lost\",\"count\":" + std::to_string(std::exchange(lost, 0)) + "}\n";
        }
    }
};

journal::journal(loop& owner, const clock& time, std::vector<std::string> lanes)
    : loop_(owner), clock_(time), lanes_(std::move(lanes)), came_in_(remembered_acceptances), listeners_{""} {
}

journal::~journal() = default;

void journal::accepted(std::uint64_t number, std::string_view listener, const telemetry::event_label* label) {
    auto found = std::ranges::find(listeners_, listener);
    if (found == listeners_.end() && listeners_.size() < most_listeners) {
        listeners_.emplace_back(listener);
        found = std::prev(listeners_.end());
    }
    const auto index =
        found == listeners_.end() ? unknown_listener : static_cast<std::uint8_t>(found - listeners_.begin());
    came_in_[number % came_in_.size()] = {static_cast<std::uint32_t>(number), index};
    if (label == nullptr || followers_.empty()) {
        return;
    }
    const std::string user = user_of(label->body);
    tell(&follow_filter::accepted, label->event_id, label->name, user, [&](std::string& out) {
        write_head(out, "accepted", number, label->lane, label->event_id, label->name, user);
        add_text(out, "listener", listener);
    });
}

// What is known so far; the event is a waiting one no longer.
story journal::take_story(const telemetry::event_view& event) {
    story out;
    if (const auto found = waiting_.find(event.number); found != waiting_.end()) {
        out = std::move(found->second);
        waiting_bytes_ -= text_bytes_of(out);
        waiting_.erase(found);
    } else {
        out.number = event.number;
        out.lane = event.lane;
        out.accepted_at = event.accepted_at;
        out.event_id = event.event_id;
        out.name = event.name;
    }
    out.next_attempt.reset();
    return out;
}

void journal::failed(const telemetry::event_view& event, const telemetry::attempt_view& how,
                     std::optional<std::chrono::milliseconds> next_in) {
    const wall_time now = clock_.wall();
    const bool known = waiting_.contains(event.number);
    story so_far = take_story(event);
    if (so_far.attempts.size() >= most_attempts) {
        so_far.attempts.erase(so_far.attempts.begin() + 1); // the first one tells how it began
    }
    so_far.attempts.push_back(note_of(how, now));
    if (next_in) {
        so_far.next_attempt = now + *next_in;
    }
    waiting_bytes_ += text_bytes_of(so_far);
    waiting_.emplace(event.number, std::move(so_far));
    if (!known) {
        waiting_order_.push_back(event.number);
    }
    forget_waiting();
    if (!followers_.empty()) {
        const std::string user = user_of(event.body);
        tell(&follow_filter::failed, event.event_id, event.name, user, [&](std::string& out) {
            write_head(out, "failed", event.number, event.lane, event.event_id, event.name, user);
            add_text(out, "outcome", how.outcome);
            add_attempt(out, how);
            if (next_in) {
                out += ",\"next_in_ms\":" + std::to_string(next_in->count());
            }
        });
    }
}

void journal::succeeded(const telemetry::event_view& event, const telemetry::attempt_view& how,
                        std::string_view end) {
    const wall_time now = clock_.wall();
    story done = take_story(event);
    done.attempts.push_back(note_of(how, now));
    done.ended_at = now;
    done.end = end_for(end);
    keep(std::move(done));
    if (!followers_.empty()) {
        const std::string user = user_of(event.body);
        tell(&follow_filter::delivered, event.event_id, event.name, user, [&](std::string& out) {
            write_head(out, end, event.number, event.lane, event.event_id, event.name, user);
            add_attempt(out, how);
            out += ",\"age_ms\":" + std::to_string((now - event.accepted_at).count());
        });
    }
}

void journal::dead(const telemetry::event_view& event, std::string_view reason,
                   const telemetry::attempt_view* how) {
    const wall_time now = clock_.wall();
    story done = take_story(event);
    if (how != nullptr) {
        done.attempts.push_back(note_of(*how, now));
    }
    done.ended_at = now;
    done.end = event_end::dead;
    done.reason = reason;
    keep(std::move(done));
    if (!followers_.empty()) {
        const std::string user = user_of(event.body);
        tell(&follow_filter::dead, event.event_id, event.name, user, [&](std::string& out) {
            write_head(out, "dead", event.number, event.lane, event.event_id, event.name, user);
            add_text(out, "reason", reason);
            if (how != nullptr) {
                add_attempt(out, *how);
            }
            out += ",\"age_ms\":" + std::to_string((now - event.accepted_at).count());
        });
    }
}

void journal::forget_waiting() {
    while (waiting_order_.size() > most_waiting ||
           (waiting_bytes_ > most_text_bytes && waiting_order_.size() > 1)) {
        if (const auto found = waiting_.find(waiting_order_.front()); found != waiting_.end()) {
            waiting_bytes_ -= text_bytes_of(found->second);
            waiting_.erase(found);
        }
        waiting_order_.pop_front();
    }
}

void journal::keep(story ended) {
    text_bytes_ += text_bytes_of(ended);
    ended.attempts.shrink_to_fit();
    ended_.push_back(std::move(ended));
    while (ended_.size() > most_ended || (text_bytes_ > most_text_bytes && ended_.size() > 1)) {
        text_bytes_ -= text_bytes_of(ended_.front());
        ended_.pop_front();
    }
    // Numbers of events that have ended since; mostly none.
    while (!waiting_order_.empty() && !waiting_.contains(waiting_order_.front())) {
        waiting_order_.pop_front();
    }
}

std::vector<const story*> journal::ended(std::string_view event_id) const {
    std::vector<const story*> out;
    for (const story& each : ended_) {
        if (each.event_id == event_id) {
            out.push_back(&each);
        }
    }
    return out;
}

const story* journal::waiting(std::uint64_t number) const {
    const auto found = waiting_.find(number);
    return found == waiting_.end() ? nullptr : &found->second;
}

std::string journal::listener_of(std::uint64_t number) const {
    const came_in& entry = came_in_[number % came_in_.size()];
    return entry.number == static_cast<std::uint32_t>(number) ? listeners_[entry.listener] : std::string();
}

bool journal::follow(follow_filter what, std::shared_ptr<net::body_stream> to) {
    if (full()) {
        return false;
    }
    followers_.push_back(std::make_unique<follower>(follower{std::move(what), std::move(to), {}, 0}));
    return true;
}

// One line to each who wants it.
void journal::tell(bool follow_filter::* kind, std::string_view event_id, std::string_view name,
                   std::string_view user, const std::function<void(std::string&)>& write) {
    std::string line;
    for (const auto& each : followers_) {
        const follow_filter& wants = each->wants;
        if (!(wants.*kind) || (!wants.name.empty() && wants.name != name) ||
            (!wants.user.empty() && wants.user != user) ||
            (!wants.event_id.empty() && wants.event_id != event_id)) {
            continue;
        }
        each->tell_losses();
        if (!each->has_room()) {
            ++each->lost;
            continue;
        }
        if (line.empty()) {
            write(line);
            line += "}\n";
        }
        each->unwritten += line;
    }
    if (!line.empty() && !std::exchange(flushing_, true)) {
        loop_.post([this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) {
                flush();
            }
        });
    }
}

void journal::write_head(std::string& out, std::string_view what, std::uint64_t number, std::uint8_t lane,
                         std::string_view event_id, std::string_view name, std::string_view user) const {
    out += "{\"at\":\"" + utc_text(clock_.wall()) + "\",\"what\":\"" + std::string(what) +
           "\",\"number\":" + std::to_string(number);
    add_text(out, "event_id", event_id);
    add_text(out, "event_name", name);
    add_text(out, "user", user);
    add_text(out, "lane", lane < lanes_.size() ? lanes_[lane] : std::to_string(lane));
}

void journal::flush() {
    flushing_ = false;
    for (const auto& each : followers_) {
        each->to->send(std::exchange(each->unwritten, {}));
    }
}

void journal::tick() {
    std::erase_if(followers_, [](const auto& each) { return !each->to->is_open(); });
    for (const auto& each : followers_) {
        each->tell_losses();
    }
    flush();
}

} // namespace linkrunner::control
