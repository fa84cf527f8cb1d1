#include "delivery/lane_picker.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

constexpr std::uint64_t stride_of_weight_one = std::uint64_t{1} << 20;

} // namespace

lane_picker::lane_picker(const std::vector<unsigned>& weights) : turns_(weights.size()) {
    set_weights(weights);
}

void lane_picker::set_weights(const std::vector<unsigned>& weights) {
    for (std::size_t lane = 0; lane < turns_.size(); ++lane) {
        turns_[lane].stride =
            std::max<std::uint64_t>(stride_of_weight_one / std::max(weights.at(lane), 1U), 1);
    }
}

std::optional<std::uint8_t> lane_picker::pick(lane_mask able) {
    std::optional<std::uint8_t> best;
    for (std::uint8_t lane = 0; lane < turns_.size(); ++lane) {
        if ((able >> lane & 1) == 0) {
            continue;
        }
        if ((before_ >> lane & 1) == 0) {
            turns_[lane].pass = std::max(turns_[lane].pass, now_);
        }
        if (!best || turns_[lane].pass < turns_[*best].pass) {
            best = lane;
        }
    }
    before_ = able;
    return best;
}

void lane_picker::charge(std::uint8_t lane) {
    now_ = std::max(now_, turns_[lane].pass);
    turns_[lane].pass += turns_[lane].stride;
}

} // namespace linkrunner::delivery
