// Random histories of the whole way from a POST to the API: outages, 429s, lost replies, a refused key, a
// failing disk, crashes, restarts, key changes. Whatever happened: no accepted event is lost, the ledger adds
// up, nothing goes faster than allowed in any window, the events of a user keep their order, events of
// revenue (ambiguous: dead) are never counted twice, and no timer outlives the daemon.
//
// LINKRUNNER_SEED=n replays one history; LINKRUNNER_HISTORIES=n sets how many there are.
#include "sim/delivery_world.hpp"
#include "telemetry/log.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace linkrunner::test {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
constexpr std::uint64_t usual_count = 60; // some twenty times slower
#else
constexpr std::uint64_t usual_count = 2'000;
#endif

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text =
        std::getenv(variable); // NOLINT(concurrency-mt-unsafe): nothing changes the environment
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void live(delivery_world& world, seeded_random& random) {
    const auto any = [&](std::uint64_t from, std::uint64_t to) {
        return from + random.next() % (to - from + 1);
    };
    const std::uint64_t steps = any(3, 25);
    for (std::uint64_t step = 0; step < steps && !testing::Test::HasFatalFailure(); ++step) {
        switch (any(0, 9)) {
        case 0:
        case 1:
            world.set_weather(static_cast<weather>(any(0, static_cast<std::uint64_t>(weather::last))));
            break;
        case 2:
            world.set_weather(weather::fine);
            break;
        case 3:
            world.crash();
            break;
        case 4:
            world.stop_and_start();
            break;
        case 5:
            world.change_key();
            break;
        case 6:
            world.fail_disk(any(0, 3) == 0);
            break;
        case 7:
            world.post_again();
            break;
        default:
            world.post_new(any(1, 40));
            break;
        }
        world.run_for(std::chrono::milliseconds(any(0, 1) == 0 ? any(0, 30) : any(0, 8'000)));
    }
}

void end_well(delivery_world& world) {
    world.set_weather(weather::fine);
    world.fail_disk(false);
    world.stop_and_start(); // a disk that failed is as good as new after a restart
    world.change_key();
    for (int i = 0; i < 5; ++i) {
        world.post_again();
        world.run_for(2s);
    }
    ASSERT_TRUE(world.run_until_empty(10min));
    world.run_for(30s);
    world.check_end();
    world.stop_and_start();
}

TEST(delivery_histories, lose_nothing_and_count_no_revenue_twice) {
    log::set_level(log::level::error);
    const std::uint64_t only = number_from("LINKRUNNER_SEED", 0);
    const std::uint64_t count = only != 0 ? 1 : number_from("LINKRUNNER_HISTORIES", usual_count);
    std::size_t attempts = 0;
    std::size_t events = 0;
    for (std::uint64_t seed = only != 0 ? only : 1; count > 0 && seed < (only != 0 ? only : 1) + count;
         ++seed) {
        SCOPED_TRACE("LINKRUNNER_SEED=" + std::to_string(seed));
        seeded_random random(seed * 1'000'003);
        delivery_world world(seed, static_cast<double>(5 + random.next() % 200),
                             static_cast<double>(1 + random.next() % 5));
        live(world, random);
        if (!HasFatalFailure()) {
            end_well(world);
        }
        attempts += world.attempts();
        events += world.events();
        if (HasFailure()) {
            return;
        }
    }
    std::printf("%llu histories, %zu events, %zu attempts\n", static_cast<unsigned long long>(count), events,
                attempts);
}

} // namespace
} // namespace linkrunner::test
