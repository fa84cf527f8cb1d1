#include "delivery/adaptive_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace linkrunner::delivery {

namespace {

constexpr double long_ago = 1e9; // usual distances

} // namespace

adaptive_rate::adaptive_rate(std::optional<double> ceiling, bool adaptive, rules by)
    : by_(by), ceiling_(ceiling), current_(ceiling.value_or(by.first)), adaptive_(adaptive || !ceiling),
      searching_(!ceiling) {
    distances_.fill(long_ago);
}

void adaptive_rate::change(std::optional<double> ceiling, bool adaptive) {
    const bool lowered = lowered_ != steady_time::min() && current_ < highest();
    ceiling_ = ceiling;
    adaptive_ = adaptive || !ceiling;
    searching_ = !ceiling && lowered_ == steady_time::min();
    if (ceiling) {
        current_ = lowered && adaptive_ ? std::min(current_, *ceiling) : *ceiling;
    }
}

double adaptive_rate::share() const {
    return std::min(by_.highest_share, by_.share * std::pow(by_.share_at / current_, by_.exponent));
}

void adaptive_rate::throttled(const attempt& what, steady_time now) {
    const double spaces = std::chrono::duration<double>(what.gap).count() * current_;
    const bool old = lowered_ != steady_time::min() && what.began <= lowered_ + by_.grace;
    if (!adaptive_ || old || (what.probe && spaces > by_.pause)) {
        return;
    }
    lowered_ = now;
    distances_.at(next_distance_++ % distances_.size()) = expected_ + share();
    const double expected = std::accumulate(distances_.begin(), distances_.end(), 0.0);
    const bool searched = std::exchange(searching_, false);
    const bool too_fast = searched || expected < by_.crowded;
    expected_ = searched ? by_.searched : 0;
    current_ *= too_fast ? 0.5 : std::exp(-by_.decrease);
    current_ = std::max(current_, std::min(by_.lowest, highest()));
}

void adaptive_rate::succeeded(const attempt& what) {
    if (!adaptive_ || what.began <= lowered_) {
        return;
    }
    expected_ += share();
    if (!what.waited) {
        return;
    }
    double growth = 1; // a second's successes double it
    if (!searching_) {
        const double faster = 1 + std::pow(expected_ / by_.quiet, 3);
        growth = std::min(share() * by_.decrease * current_ * faster, by_.fastest_growth);
    }
    current_ = std::min(highest(), current_ + growth);
}

void adaptive_rate::heed(const rate_hint& hint, steady_time now) {
    constexpr nanoseconds resolution = std::chrono::seconds(1); // a reset of 1 may be due in a millisecond
    constexpr nanoseconds sustained_for = std::chrono::seconds(60);
    if (!adaptive_ || hint.empty()) {
        return;
    }
    cap_until_ = steady_time::min();
    if (hint.sustained) {
        cap_ = *hint.sustained;
        cap_until_ = now + sustained_for;
    }
    if (hint.remaining && hint.reset && *hint.remaining > 0 && *hint.reset > resolution) {
        const double span = std::chrono::duration<double>(*hint.reset - resolution).count();
        const double spread = static_cast<double>(*hint.remaining) / span;
        cap_ = cap_until_ > now ? std::min(cap_, spread) : spread;
        cap_until_ = now + std::min(*hint.reset, by_.longest_pause);
    }
    cap_ = std::max(cap_, 1 / std::chrono::duration<double>(by_.longest_pause).count());
}

double adaptive_rate::rate(steady_time now) const {
    return cap_until_ > now ? std::min(current_, cap_) : current_;
}

double adaptive_rate::pace(steady_time now) const {
    if (!adaptive_ || current_ >= highest()) {
        return rate(now);
    }
    const double dithered = std::min(current_ * dither_, highest());
    return cap_until_ > now ? std::min(dithered, cap_) : dithered;
}

} // namespace linkrunner::delivery
