// Random histories of arrivals, outages, throttling, refusals, lost replies, poison, key changes, pauses,
// drops and replays. Whatever happened: never over the rate, order kept, nothing sent after its end or twice
// at once, and with the upstream healthy again every event ends.
//
// LINKRUNNER_SEED=n replays one history; LINKRUNNER_HISTORIES=n sets how many there are.
#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

class history {
  public:
    explicit history(std::uint64_t seed)
        : random_(seed), options_(any_settings()),
          world_(options_, seed, [this](const stored_event& one, steady_time at) { return reply(one, at); }) {
    }

    void run() {
        plan_phases();
        plan_arrivals();
        plan_disturbances();
        world_.run_for(span_);
        calm();
        // Where nothing succeeds, it is an outage or a hold of the path: others must, for poison to be told
        // from it.
        for (int i = 0; i < 400; ++i) {
            world_.after(i * 20s, [this, i] {
                const std::uint64_t other = 1'000'000 + static_cast<std::uint64_t>(i);
                world_.accept(other, 0);
                world_.accept_payment(other, other, 0);
                world_.accept_removal(other, 0);
                world_.accepted();
            });
        }
        world_.run_for(8000s);
        const bool empty = world_.run_until_empty(std::chrono::hours(24 * 30));
        if (::testing::Test::HasFatalFailure()) {
            return;
        }
        const scheduler::view last = world_.delivery().look(world_.now());
        EXPECT_TRUE(empty) << world_.pending() << " events never end; state " << word_for(last.state)
                           << ", waiting " << last.waiting << ", in flight " << last.in_flight << ", blocked "
                           << last.blocked_users;
        EXPECT_EQ(last.in_flight, 0U);
        EXPECT_EQ(last.waiting, 0U);
        world_.check_rate(options_.rate_per_second.value_or(100'000), options_.burst);
        check_deaths();
    }

    std::size_t attempts() const { return world_.attempts.size(); }
    std::size_t passed_over() const { return world_.passed_over; }

  private:
    enum class weather {
        fine,
        outage,
        refuses,
        throttles,
        throttles_silently,
        pauses,
        flaky,
        unauthorized,
        suspended,
        misconfigured,
        rejects,
        slow,
        limited
    };

    std::uint64_t any(std::uint64_t from, std::uint64_t to) { return from + random_() % (to - from + 1); }
    bool chance(unsigned percent) { return any(1, 100) <= percent; }

    settings any_settings() {
        settings out;
        out.rate_per_second = static_cast<double>(any(5, 300));
        if (chance(10)) {
            out.rate_per_second.reset();
        }
        out.burst = static_cast<double>(any(1, 10));
        out.adaptive = chance(70);
        out.max_in_flight = any(1, 40);
        out.order_by_user = chance(80);
        out.backoff_initial = std::chrono::milliseconds(any(10, 1500));
        out.backoff_max = std::chrono::milliseconds(any(1500, 60'000));
        out.max_attempts = static_cast<std::uint32_t>(any(1, 8));
        out.retry_after_max = std::chrono::seconds(any(5, 100));
        out.hold_probe = std::chrono::seconds(any(1, 60));
        out.window = any(4, 100);
        // Tables so small that poison alone may fill them would be an outage that nothing could end.
        poisonous_ = chance(50);
        out.max_blocked_users = poisonous_ ? 1'000 : any(1, 30);
        out.max_resting = poisonous_ ? 1'000 : any(1, 30);
        if (chance(20)) {
            out.max_age = std::chrono::seconds(any(30, 600));
        }
        if (chance(30)) {
            out.events_per_request = any(2, 50);
            out.max_in_flight = any(1, 200);
            poison_status_ = chance(30) ? 413 : 500;
        }
        out.lanes.clear();
        for (std::uint64_t lane = 0; lane <= any(0, 3); ++lane) {
            out.lanes.push_back({"lane" + std::to_string(lane), static_cast<unsigned>(any(1, 9)), {}, false});
        }
        return out;
    }

    void plan_phases() {
        steady_time at = world_.now();
        for (std::uint64_t i = any(0, 6); i > 0; --i) {
            at += std::chrono::milliseconds(any(500, 60'000));
            const auto what = static_cast<weather>(any(0, static_cast<std::uint64_t>(weather::limited)));
            world_.at(at, [this, what] { weather_ = what; });
            own_failures_ = own_failures_ || what == weather::flaky || what == weather::rejects;
            outages_ +=
                what == weather::outage || what == weather::refuses || what == weather::pauses ? 1 : 0;
        }
        span_ = at - world_.now() + 10s;
    }

    void plan_arrivals() {
        const std::uint64_t users = any(1, 200);
        const bool ambiguous = chance(20);
        const bool ages = chance(20); // of their own
        for (std::uint64_t i = any(1, 12); i > 0; --i) {
            const auto when = world_.now() + std::chrono::milliseconds(any(0, 60'000));
            const std::uint64_t count = any(1, 150);
            world_.at(when, [this, users, count, ambiguous, ages] {
                for (std::uint64_t n = 0; n < count; ++n) {
                    const std::uint64_t user = chance(30) ? 1 : any(1, users);
                    const auto lane = static_cast<std::uint8_t>(any(0, options_.lanes.size() - 1));
                    if (chance(10)) {
                        pay_or_remove(user, lane);
                        continue;
                    }
                    const sequence number = world_.accept(user, lane, ambiguous && chance(50));
                    if (ages && chance(30)) {
                        world_.event(number).what.max_age =
                            chance(50) ? age_off : std::chrono::seconds(any(30, 600));
                    }
                    if (poisonous_ && chance(2)) {
                        poison_.push_back(number);
                    }
                }
                world_.accepted();
            });
        }
    }

    // A payment belongs to one user; it may be captured several times (as another type) and removed between.
    void pay_or_remove(std::uint64_t user, std::uint8_t lane) {
        const std::uint64_t payment = 1 + user % 20;
        const sequence number = chance(60) ? world_.accept_payment(1 + payment * 7, payment, lane)
                                           : world_.accept_removal(payment, lane);
        if (poisonous_ && chance(2)) {
            poison_.push_back(number);
        }
    }

    void plan_disturbances() {
        for (std::uint64_t i = any(0, 8); i > 0; --i) {
            const auto when = world_.now() + std::chrono::milliseconds(any(0, 100'000));
            switch (any(0, 6)) {
            case 0:
                world_.at(when, [this] {
                    world_.delivery().key_changed(world_.now());
                    world_.pump();
                });
                break;
            case 1:
                world_.at(when, [this] { pause(true); });
                world_.at(when + std::chrono::milliseconds(any(10, 20'000)), [this] { pause(false); });
                break;
            case 2:
                world_.at(when, [this] { world_.refuse_to_send = true; });
                world_.at(when + 3s, [this] { world_.refuse_to_send = false; });
                break;
            case 3:
                world_.at(when, [this] { world_.restart(); });
                break;
            case 4:
                world_.at(when, [this] { drop_some(); });
                break;
            case 5:
                world_.at(when, [this] { reload(); });
                break;
            default:
                world_.at(when, [this] { replay_some(); });
                break;
            }
        }
    }

    // Never to more than the rate and burst of the beginning, which the attempts are held against.
    void reload() {
        settings changed = options_;
        if (changed.rate_per_second) {
            *changed.rate_per_second *= static_cast<double>(any(50, 100)) / 100;
        }
        changed.burst = std::max(1.0, changed.burst - static_cast<double>(any(0, 5)));
        changed.adaptive = chance(50);
        changed.max_in_flight = any(1, 40);
        changed.max_attempts += static_cast<std::uint32_t>(any(0, 5));
        changed.hold_probe = std::chrono::seconds(any(1, 60));
        changed.backoff_max = options_.backoff_max * static_cast<int>(any(1, 3));
        world_.delivery().change(changed, world_.now());
        world_.pump();
    }

    void pause(bool paused) {
        world_.delivery().pause(paused);
        world_.pump();
    }

    void drop_some() {
        for (int i = 0; i < 5 && world_.count() > 0; ++i) {
            const sequence number = any(1, world_.count());
            if (world_.event(number).end.empty() && !world_.event(number).in_flight) {
                world_.drop(number);
            }
        }
        world_.pump();
    }

    // A replayed event keeps its number: order against what was sent meanwhile is not promised.
    void replay_some() {
        world_.check_order = false;
        for (int i = 0; i < 5 && world_.count() > 0; ++i) {
            const sequence number = any(1, world_.count());
            const std::string& end = world_.event(number).end;
            if (!end.empty() && end != "delivered" && world_.event(number).ended) {
                world_.replay(number);
            }
        }
    }

    void calm() {
        weather_ = weather::fine;
        world_.refuse_to_send = false;
        pause(false);
    }

    answer reply(const stored_event& one, steady_time) {
        const auto latency =
            std::chrono::microseconds(any(200, weather_ == weather::slow ? 9'000'000 : 300'000));
        if (std::ranges::find(poison_, one.what.number) != poison_.end()) {
            return answered(poison_status_, latency);
        }
        answer out = answered(200, latency);
        switch (weather_) {
        case weather::fine:
        case weather::slow:
            break;
        case weather::outage:
            out = chance(50) ? answered(chance(50) ? 500 : 503, latency) : no_answer(true, 15s);
            break;
        case weather::refuses:
            out = no_answer(false, latency);
            break;
        case weather::throttles:
            out = answered(429, latency);
            out.end.retry_after = std::to_string(any(0, 8));
            break;
        case weather::throttles_silently:
            out = answered(chance(80) ? 429 : 200, latency);
            break;
        case weather::pauses:
            out = answered(503, latency);
            out.end.retry_after = "3";
            break;
        case weather::flaky:
            out = chance(40) ? answered(502, latency) : out;
            break;
        case weather::unauthorized:
            out = answered(401, latency);
            break;
        case weather::suspended:
            out = answered(402, latency);
            break;
        case weather::misconfigured:
            out = answered(404, latency);
            break;
        case weather::rejects:
            out = answered(chance(90) ? 400 : 200, latency);
            break;
        case weather::limited:
            if (chance(50)) {
                out.end.ratelimit =
                    "\"default\";r=" + std::to_string(any(0, 9)) + ";t=" + std::to_string(any(0, 4));
                out.end.ratelimit_policy = "\"default\";q=10;w=5";
                break;
            }
            out.end.ratelimit_limit = "10";
            out.end.ratelimit_remaining = std::to_string(any(0, 9));
            out.end.ratelimit_reset = std::to_string(any(0, 4));
            break;
        }
        return out;
    }

    void check_deaths() {
        for (sequence number = 1; number <= world_.count(); ++number) {
            const stored_event& one = world_.event(number);
            ASSERT_FALSE(one.end.empty()) << number;
            if (one.end == "attempts") {
                // An outage that too few attempts met to be seen as one may cost an event an attempt, and
                // another one that hangs on when it is over.
                ASSERT_TRUE(poisonous_ || own_failures_ || 2 * outages_ >= options_.max_attempts)
                    << "an outage burnt the attempts of " << number;
                ASSERT_GE(one.sent, options_.max_attempts) << number;
            } else if (one.end == "ambiguous") {
                ASSERT_TRUE(one.what.ambiguous_dead) << number;
            } else if (one.end == "age") {
                ASSERT_TRUE(one.what.max_age.value_or(options_.max_age.value_or(age_off)) != age_off)
                    << number;
            }
        }
    }

    std::mt19937_64 random_;
    bool poisonous_ = false;
    int poison_status_ = 500;
    bool own_failures_ = false; // single events fail while others succeed
    std::uint32_t outages_ = 0;
    settings options_;
    world world_;
    weather weather_ = weather::fine;
    std::vector<sequence> poison_;
    std::chrono::nanoseconds span_{};
};

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
constexpr std::uint64_t usual_count = 300; // some twenty times slower
#else
constexpr std::uint64_t usual_count = 2'000;
#endif

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(histories, end_well_whatever_happened) {
    const std::uint64_t only = number_from("LINKRUNNER_SEED", 0);
    const std::uint64_t count = only != 0 ? 1 : number_from("LINKRUNNER_HISTORIES", usual_count);
    const std::uint64_t first = only != 0 ? only : 1;
    std::size_t attempts = 0;
    std::size_t passed_over = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        SCOPED_TRACE("LINKRUNNER_SEED=" + std::to_string(seed));
        history one(seed);
        one.run();
        attempts += one.attempts();
        passed_over += one.passed_over();
        if (HasFailure()) {
            return;
        }
    }
    RecordProperty("histories", static_cast<int>(count));
    std::printf("%llu histories from seed %llu, %zu attempts, %zu events passed over\n",
                static_cast<unsigned long long>(count), static_cast<unsigned long long>(first), attempts,
                passed_over);
}

} // namespace
} // namespace linkrunner::delivery::testing
