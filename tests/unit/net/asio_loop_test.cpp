#include "net/asio_loop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

namespace linkrunner::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(asio_loop, timers_run_in_the_order_of_their_times_and_of_their_making) {
    asio_loop loop;
    std::vector<int> order;
    const auto start = steady_clock::now();
    loop.call_at(start + milliseconds(20), [&] { order.push_back(3); });
    loop.call_at(start + milliseconds(10), [&] { order.push_back(1); });
    loop.call_at(start + milliseconds(10), [&] { order.push_back(2); });
    loop.call_at(start - milliseconds(10), [&] { order.push_back(0); });
    EXPECT_TRUE(order.empty());
    loop.run();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
    EXPECT_GE(steady_clock::now(), start + milliseconds(20));
}

TEST(asio_loop, a_cancelled_timer_never_runs_and_does_not_keep_the_loop_waiting) {
    asio_loop loop;
    const auto start = steady_clock::now();
    const auto far = loop.call_at(start + std::chrono::hours(1), [] { FAIL(); });
    loop.call_at(start, [&] { loop.cancel(far); });
    loop.run();
    EXPECT_LT(steady_clock::now(), start + std::chrono::minutes(1));
    loop.cancel(far);
    loop.cancel(12345);
}

TEST(asio_loop, a_timer_may_cancel_another_that_is_due_as_well) {
    asio_loop loop;
    const auto now = steady_clock::now();
    loop::timer_id second = 0;
    loop.call_at(now, [&] { loop.cancel(second); });
    second = loop.call_at(now, [] { FAIL(); });
    loop.run();
}

TEST(asio_loop, an_earlier_timer_set_later_does_not_wait_for_the_first) {
    asio_loop loop;
    const auto now = steady_clock::now();
    std::vector<int> order;
    loop.call_at(now + milliseconds(30), [&] { order.push_back(2); });
    loop.post([&] { loop.call_at(now + milliseconds(5), [&] { order.push_back(1); }); });
    loop.run();
    EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(asio_loop, many_timers_half_of_them_cancelled_all_run_once) {
    asio_loop loop;
    const auto now = steady_clock::now();
    int ran = 0;
    std::vector<loop::timer_id> ids;
    for (int i = 0; i < 1000; ++i) {
        ids.push_back(loop.call_at(now + std::chrono::microseconds((i * 7919) % 5000), [&] { ++ran; }));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (i % 4 != 0) {
            loop.cancel(ids[i]);
        }
    }
    loop.run();
    EXPECT_EQ(ran, 250);
}

TEST(asio_loop, post_from_other_threads_runs_on_the_loops_thread) {
    asio_loop loop;
    int ran = 0;
    const auto guard = loop.call_at(steady_clock::now() + std::chrono::minutes(1), [] {});
    std::vector<std::thread> posters;
    for (int i = 0; i < 4; ++i) {
        posters.emplace_back([&] {
            for (int n = 0; n < 250; ++n) {
                loop.post([&] {
                    if (++ran == 1000) {
                        loop.cancel(guard);
                    }
                });
            }
        });
    }
    loop.run();
    for (auto& each : posters) {
        each.join();
    }
    EXPECT_EQ(ran, 1000);
}

TEST(asio_loop, stop_before_run_is_not_lost_and_the_loop_can_run_again) {
    asio_loop loop;
    int ran = 0;
    loop.post([&] { ++ran; });
    loop.stop();
    loop.run();
    EXPECT_EQ(ran, 0);
    loop.run();
    EXPECT_EQ(ran, 1);
}

TEST(asio_loop, signals_are_told_each_time) {
    asio_loop loop;
    std::vector<int> told;
    loop.on_signals({SIGUSR1, SIGUSR2}, [&](int number) {
        told.push_back(number);
        if (told.size() == 1) {
            ::raise(SIGUSR2);
        } else {
            loop.stop();
        }
    });
    loop.post([] { ::raise(SIGUSR1); });
    loop.run();
    EXPECT_EQ(told, (std::vector{SIGUSR1, SIGUSR2}));
}

} // namespace
} // namespace linkrunner::net
