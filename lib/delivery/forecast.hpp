// How long until an event that is accepted now is sent: the lanes share the speed of delivery by their
// weights, and the share of a lane that runs empty goes to the others (fluid model of weighted fair queuing).
#pragma once

#include "delivery/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace linkrunner::delivery {

// Empty when the speed is not positive.
std::optional<std::chrono::milliseconds> forecast_wait(std::size_t lane,
                                                       const std::vector<std::uint64_t>& pending,
                                                       const std::vector<unsigned>& weights,
                                                       double events_per_second);

// What delivery really achieves while there is always something to send: events that ended in the last 15
// seconds, back to when it last had nothing to send.
class speed_meter {
  public:
    void ended(steady_time now) { ++at(now).ended; }
    void starved(steady_time now);
    std::optional<double> per_second(steady_time now) const; // nothing before three full seconds

  private:
    struct second {
        std::int64_t number = -1;
        std::uint32_t ended = 0;
    };
    second& at(steady_time now);

    std::array<second, 16> ring_{};
    std::optional<std::int64_t> begun_; // the last second that says nothing
};

} // namespace linkrunner::delivery
