#include "delivery/hold.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

constexpr std::uint32_t rejections_that_hold = 20;

} // namespace

hold_kind hold_for(outcome what) noexcept {
    switch (what) {
    case outcome::unauthorized:
        return hold_kind::unauthorized;
    case outcome::suspended:
        return hold_kind::suspended;
    case outcome::misconfigured:
        return hold_kind::misconfigured;
    default:
        return hold_kind::none;
    }
}

void hold::refused(const refusal& what, steady_time now) {
    if (kind_ == hold_kind::none) {
        next_probe_ = now + interval_;
        key_changed_ = false;
        only_ = what.number;
        probed_user_ = what.user_key;
    } else if (only_ != what.number) {
        only_.reset();
    }
    refused_ = now;
    kind_ = what.kind;
    status_ = what.status;
    alone_.clear();
}

void hold::refused_alone(sequence number, steady_time now) {
    if (kind_ == hold_kind::none) {
        alone_[number] = now;
    }
}

bool hold::rejected(const refusal& what, steady_time now) {
    rejected_ = std::min(rejected_ + 1, rejections_that_hold);
    if (rejected_ < rejections_that_hold) {
        if (kind_ != hold_kind::none) {
            next_probe_ = now; // it was let in and read: the next probe may tell more
        }
        return false;
    }
    refused(what, now);
    return true;
}

hold::judgement hold::succeeded(sequence number, steady_time began) {
    succeeded_from_ = std::max(succeeded_from_, began);
    rejected_ = 0;
    judgement out;
    const bool told_apart = kind_ != hold_kind::none && kind_ != hold_kind::rejecting && !key_changed_;
    if (told_apart && only_ && only_ != number && began >= refused_) {
        out.suspected = only_;
    }
    std::erase_if(alone_, [&](const auto& one) {
        if (one.second <= began) {
            out.counted.push_back(one.first);
        }
        return one.second <= began;
    });
    kind_ = hold_kind::none;
    only_.reset();
    probing_ = false;
    return out;
}

void hold::key_changed(steady_time now) {
    if (kind_ != hold_kind::none) {
        key_changed_ = true;
        probing_ = false;
        next_probe_ = now;
    }
}

void hold::probe_at(steady_time when) {
    if (kind_ != hold_kind::none) {
        next_probe_ = std::min(next_probe_, when);
    }
}

void hold::probe_begun(steady_time now, std::uint64_t user_key) {
    probing_ = true;
    probed_user_ = user_key;
    next_probe_ = now + interval_;
}

void hold::probe_ended() {
    probing_ = false;
}

gate hold::at(steady_time now) const {
    if (kind_ == hold_kind::none) {
        return gate::open;
    }
    return now < next_probe_ || probing_ ? gate::closed : gate::probe;
}

} // namespace linkrunner::delivery
