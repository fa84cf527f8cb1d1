#include "delivery/retry_after.hpp"

#include "delivery/http_date.hpp"
#include "delivery/rate_fields.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace linkrunner::delivery {

namespace {

using namespace std::chrono;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

// 1*DIGIT; what does not fit is as good as the greatest number.
std::optional<std::uint64_t> whole_number(std::string_view text) {
    text = trimmed(text);
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() ? value : UINT64_MAX;
}

nanoseconds wait_of(std::uint64_t count) {
    return seconds(
        static_cast<std::int64_t>(std::min(count, static_cast<std::uint64_t>(longest_wait.count()))));
}

sys_seconds answered_at(const attempt_end& end, wall_time wall) {
    const sys_seconds here = floor<seconds>(wall);
    return parse_http_date(trimmed(end.date), here).value_or(here);
}

// Resets are delta-seconds in the draft and Unix times, in seconds or milliseconds, with some X-RateLimit-*.
std::optional<nanoseconds> reset_of(const attempt_end& end, wall_time wall) {
    constexpr std::uint64_t earliest_unix_seconds = 1'000'000'000;
    constexpr std::uint64_t earliest_unix_milliseconds = earliest_unix_seconds * 1000;
    std::string_view text = end.ratelimit_reset;
    const auto point = text.find('.');
    const bool fraction = point != std::string_view::npos && whole_number(text.substr(point + 1)).has_value();
    auto value = whole_number(fraction ? text.substr(0, point) : text);
    if (!value) {
        return std::nullopt;
    }
    if (*value >= earliest_unix_seconds) {
        const std::uint64_t unix = *value >= earliest_unix_milliseconds ? *value / 1000 + 1 : *value;
        const auto now = static_cast<std::uint64_t>(
            std::max<std::int64_t>(answered_at(end, wall).time_since_epoch().count(), 0));
        return unix > now ? wait_of(unix - now) : nanoseconds(0);
    }
    return wait_of(*value + (fraction ? 1 : 0));
}

// "100, 10;w=1, 50;w=60" names what is left of 100 and the windows of its policies: the slowest counts.
std::optional<double> sustained_of(std::string_view limits) {
    std::optional<double> slowest;
    while (!limits.empty()) {
        const std::string_view one = limits.substr(0, limits.find(','));
        limits.remove_prefix(std::min(limits.size(), one.size() + 1));
        const auto semicolon = one.find(';');
        const auto window = one.find("w=");
        if (semicolon == std::string_view::npos || window == std::string_view::npos || window < semicolon) {
            continue;
        }
        const auto quota = whole_number(one.substr(0, semicolon));
        const std::string_view rest = one.substr(window + 2);
        const auto length = whole_number(rest.substr(0, rest.find(';')));
        if (quota && length && *quota > 0 && *length > 0) {
            const double rate = static_cast<double>(*quota) / static_cast<double>(*length);
            slowest = std::min(slowest.value_or(rate), rate);
        }
    }
    return slowest;
}

std::optional<double> sustained_of(const std::vector<rate_policy>& policies) {
    std::optional<double> slowest;
    for (const rate_policy& policy : policies) {
        if (policy.in_requests && policy.quota > 0 && policy.window.value_or(0) > 0) {
            const double rate = static_cast<double>(policy.quota) / static_cast<double>(*policy.window);
            slowest = std::min(slowest.value_or(rate), rate);
        }
    }
    return slowest;
}

// Of several quotas, the one that allows least: where nothing remains, the longest time until something does.
// A quota without a reset has that of its policy's whole window.
rate_hint tightest(const std::vector<rate_left>& all, const std::vector<rate_policy>& policies) {
    rate_hint out;
    const auto spread = [](std::uint64_t remaining, nanoseconds reset) {
        return static_cast<double>(remaining) / std::max(duration<double>(reset).count(), 1.0);
    };
    for (const rate_left& left : all) {
        const auto policy = std::ranges::find(policies, left.name, &rate_policy::name);
        if (policy != policies.end() && !policy->in_requests) {
            continue;
        }
        const auto whole = policy == policies.end() ? std::nullopt : policy->window;
        const auto length = left.reset ? left.reset : whole;
        const auto reset = length ? std::optional(wait_of(*length)) : std::nullopt;
        const bool tighter =
            !out.remaining || !out.reset ||
            (reset && (left.remaining == 0 && *out.remaining == 0
                           ? *reset > *out.reset
                           : spread(left.remaining, *reset) < spread(*out.remaining, *out.reset)));
        if (tighter) {
            out.remaining = left.remaining;
            out.reset = reset;
        }
    }
    return out;
}

} // namespace

std::optional<nanoseconds> retry_after(const attempt_end& end, wall_time wall) {
    const std::string_view text = trimmed(end.retry_after);
    if (const auto delta = whole_number(text)) {
        return *delta > 0 ? std::optional<nanoseconds>(wait_of(*delta)) : std::nullopt;
    }
    const auto date = parse_http_date(text, floor<seconds>(wall));
    if (!date) {
        return std::nullopt;
    }
    const seconds wait = *date - answered_at(end, wall);
    return wait > seconds(0) ? std::optional<nanoseconds>(std::min(wait, longest_wait)) : std::nullopt;
}

rate_hint rate_hint_of(const attempt_end& end, wall_time wall) {
    const std::vector<rate_policy> policies = parse_rate_policies(end.ratelimit_policy);
    rate_hint out = tightest(parse_rate_left(end.ratelimit), policies);
    if (!out.remaining) {
        out.remaining = whole_number(end.ratelimit_remaining);
        out.reset = reset_of(end, wall);
    }
    out.sustained = sustained_of(policies);
    if (!out.sustained) {
        out.sustained = sustained_of(end.ratelimit_limit);
    }
    return out;
}

} // namespace linkrunner::delivery
