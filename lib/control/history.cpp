#include "control/history.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace linkrunner::control {

namespace {

// No exponents, no zeros at the end: columns stay small. What is negative was not known.
void append_number(std::string& out, double value, int digits) {
    if (value < 0) {
        out += "null";
        return;
    }
    std::array<char, 64> text{};
    const auto written =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
    std::string_view number(text.data(), written.ptr);
    if (number.find('.') != std::string_view::npos) {
        number = number.substr(0, number.find_last_not_of('0') + 1);
        number = number.ends_with('.') ? number.substr(0, number.size() - 1) : number;
    }
    out += number;
}

float per_second(std::uint64_t now, std::uint64_t before, double seconds) {
    return static_cast<float>(static_cast<double>(now - std::min(before, now)) / seconds);
}

double seconds_between(steady_time from, steady_time to) {
    return std::chrono::duration<double>(to - from).count();
}

} // namespace

void history::remember(const sample& now) {
    if (seconds_known_ == 0) {
        point_began_ = now;
    }
    if (seconds_known_ == seconds_.size()) {
        std::shift_left(seconds_.begin(), seconds_.end(), 1);
        --seconds_known_;
    }
    seconds_[seconds_known_++] = now;
}

void history::close_point(const sample& now, const telemetry::age_sketch& ages) {
    const auto& before = point_began_.sums;
    const double seconds = seconds_between(point_began_.at, now.at);
    const auto rate = [&](std::uint64_t telemetry::metrics::totals::* which) {
        return per_second(now.sums.*which, before.*which, seconds);
    };
    using sums = telemetry::metrics::totals;
    point made;
    made.at = std::chrono::floor<std::chrono::seconds>(now.wall).time_since_epoch().count();
    made.accepted = rate(&sums::accepted);
    made.delivered = rate(&sums::delivered);
    made.refused = rate(&sums::rejected);
    made.dead = rate(&sums::dead);
    made.attempts = rate(&sums::attempts);
    made.throttled = rate(&sums::throttled);
    made.rate_limit = static_cast<float>(now.rate_limit);
    made.p50 = static_cast<float>(ages.percentile(0.50).value_or(-1));
    made.p95 = static_cast<float>(ages.percentile(0.95).value_or(-1));
    made.p99 = static_cast<float>(ages.percentile(0.99).value_or(-1));
    made.oldest = static_cast<float>(std::max(now.oldest_pending_age, 0.0));
    made.state = now.state;
    std::ranges::transform(now.pending, made.pending.begin(), [](std::uint64_t waiting) {
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>(waiting, std::numeric_limits<std::uint32_t>::max()));
    });
    points_[(first_ + count_) % capacity] = made;
    count_ == capacity ? first_ = (first_ + 1) % capacity : ++count_;
    minute_[next_sketch_] = ages;
    next_sketch_ = (next_sketch_ + 1) % minute_.size();
    point_began_ = now;
}

history::recent history::last() const {
    recent out;
    for (const telemetry::age_sketch& each : minute_) {
        out.ages.merge(each);
    }
    if (seconds_known_ < 2) {
        return out;
    }
    const sample& from = seconds_.front();
    const sample& to = seconds_[seconds_known_ - 1];
    out.seconds = seconds_between(from.at, to.at);
    if (out.seconds > 0) {
        out.accepted = per_second(to.sums.accepted, from.sums.accepted, out.seconds);
        out.delivered = per_second(to.sums.delivered, from.sums.delivered, out.seconds);
        out.attempts = per_second(to.sums.attempts, from.sums.attempts, out.seconds);
    }
    return out;
}

template <class Member>
void history::column(std::string& out, const char* name, Member member, int digits) const {
    out += std::string(",\"") + name + "\":[";
    for (std::size_t i = 0; i < count_; ++i) {
        out += i == 0 ? "" : ",";
        append_number(out, static_cast<double>(member(nth(i))), digits);
    }
    out += ']';
}

std::string history::json() const {
    std::string out = "{\"schema\":1,\"interval_seconds\":" + std::to_string(interval.count()) +
                      ",\"capacity\":" + std::to_string(capacity);
    column(out, "time", [](const point& p) { return p.at; }, 0);
    column(out, "accepted_per_second", [](const point& p) { return p.accepted; }, 2);
    column(out, "delivered_per_second", [](const point& p) { return p.delivered; }, 2);
    column(out, "refused_per_second", [](const point& p) { return p.refused; }, 2);
    column(out, "dead_per_second", [](const point& p) { return p.dead; }, 2);
    column(out, "attempts_per_second", [](const point& p) { return p.attempts; }, 2);
    column(out, "throttled_per_second", [](const point& p) { return p.throttled; }, 2);
    column(out, "rate_limit_per_second", [](const point& p) { return p.rate_limit; }, 2);
    column(out, "delivery_age_p50_seconds", [](const point& p) { return p.p50; }, 4);
    column(out, "delivery_age_p95_seconds", [](const point& p) { return p.p95; }, 4);
    column(out, "delivery_age_p99_seconds", [](const point& p) { return p.p99; }, 4);
    column(out, "oldest_pending_seconds", [](const point& p) { return p.oldest; }, 1);
    out += ",\"state\":[";
    for (std::size_t i = 0; i < count_; ++i) {
        out += i == 0 ? "" : ",";
        append_json_string(out, nth(i).state);
    }
    out += "],\"lanes\":[";
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        out += lane == 0 ? "{\"name\":" : ",{\"name\":";
        append_json_string(out, lanes_[lane]);
        column(out, "pending", [lane](const point& p) { return p.pending[lane]; }, 0);
        out += '}';
    }
    return out + "]}\n";
}

} // namespace linkrunner::control
