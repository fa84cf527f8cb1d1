#include "delivery/adaptive_rate.hpp"

#include <algorithm>

namespace linkrunner::delivery {

void adaptive_rate::throttled(steady_time began, steady_time now) {
    if (!adaptive_ || began <= lowered_) {
        return;
    }
    current_ = std::max(current_ * by_.decrease, ceiling_ * by_.floor);
    lowered_ = now;
    credited_ = now;
}

void adaptive_rate::succeeded(steady_time now) {
    if (current_ < ceiling_ && credited_ != steady_time::min()) {
        const double passed = std::chrono::duration<double>(now - credited_).count();
        const double spent_sending = std::clamp(passed, 0.0, std::max(1.0, 1.0 / current_));
        current_ = std::min(ceiling_, current_ + ceiling_ * by_.recovery_per_second * spent_sending);
    }
    credited_ = now;
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
        cap_until_ = now + *hint.reset;
    }
}

double adaptive_rate::rate(steady_time now) const {
    return cap_until_ > now ? std::min(current_, cap_) : current_;
}

} // namespace linkrunner::delivery
