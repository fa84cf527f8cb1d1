#include "event/uuid7.hpp"

#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <utility>

namespace linkrunner::event {

namespace {

constexpr std::uint32_t counter_limit = 1 << 12;              // rand_a has 12 bits
constexpr std::uint32_t seed_mask = (counter_limit >> 1) - 1; // its top bit starts at 0: room to count up

} // namespace

uuid7_source::uuid7_source(std::function<std::chrono::sys_time<std::chrono::milliseconds>()> now,
                           std::function<std::uint64_t()> random)
    : now_(std::move(now)), random_(std::move(random)) {}

std::string uuid7_source::make() {
    const std::int64_t wall_ms = now_().time_since_epoch().count();
    ++counter_;
    if (wall_ms > last_ms_ || counter_ == counter_limit) {
        // A counter that runs over borrows the next millisecond (RFC 9562 section 6.2).
        last_ms_ = wall_ms > last_ms_ ? wall_ms : last_ms_ + 1;
        counter_ = static_cast<std::uint32_t>(random_()) & seed_mask;
    }
    const auto head = (static_cast<std::uint64_t>(last_ms_) << 16) | 0x7000 | counter_;
    const std::uint64_t tail = (random_() >> 2) | (std::uint64_t{1} << 63); // variant 10
    boost::uuids::uuid id;
    for (int byte = 0; byte < 8; ++byte) {
        id.data[byte] = static_cast<std::uint8_t>(head >> (56 - 8 * byte));
        id.data[8 + byte] = static_cast<std::uint8_t>(tail >> (56 - 8 * byte));
    }
    return boost::uuids::to_string(id);
}

} // namespace linkrunner::event
