// Which lane is next: stride scheduling (Waldspurger and Weihl, 1995). Each lane's turn comes at a pass that
// moves on by 1/weight with every attempt; the lowest is next. A lane that had nothing to send starts from
// where the others are: it has saved up no turns, and waits for none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace linkrunner::delivery {

using lane_mask = std::uint32_t; // bit i: lane i

class lane_picker {
  public:
    explicit lane_picker(const std::vector<unsigned>& weights);
    void set_weights(const std::vector<unsigned>& weights); // as many as before

    // The lane to serve among those that can be; nothing when none can. Equal passes: the first lane.
    std::optional<std::uint8_t> pick(lane_mask able);

    void charge(std::uint8_t lane); // an attempt of it has begun

  private:
    struct turn {
        std::uint64_t pass = 0;
        std::uint64_t stride = 1;
    };
    std::vector<turn> turns_;
    std::uint64_t now_ = 0; // pass of the lane served last
    lane_mask before_ = 0;
};

} // namespace linkrunner::delivery
