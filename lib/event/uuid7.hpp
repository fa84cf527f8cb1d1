// Event ids made at intake: UUID version 7 (RFC 9562 section 5.7), ordered within the process by a counter in
// rand_a (section 6.2, method 1). Formatted by Boost.Uuid; no library in Debian 12 makes version 7.
#pragma once

#include "event/event.hpp"

#include <chrono>
#include <cstdint>
#include <functional>

namespace linkrunner::event {

class uuid7_source final : public id_source {
  public:
    // `now` gives wall time, `random` 64 random bits. A wall clock that goes back does not: the last time is
    // kept.
    uuid7_source(std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now,
                 std::function<std::uint64_t()> random);
    std::string make() override;

  private:
    std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now_;
    std::function<std::uint64_t()> random_;
    std::int64_t last_ms_ = 0;
    std::uint32_t counter_ = 0;
};

} // namespace linkrunner::event
