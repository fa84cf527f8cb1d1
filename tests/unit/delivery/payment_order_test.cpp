#include "delivery/payment_order.hpp"

#include "unit/delivery/world.hpp"

#include <gtest/gtest.h>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;

TEST(payment_order, knows_whose_payment_waits_before_a_removal) {
    payment_order order;
    order.waits(7, 100, 3);
    order.waits(7, 200, 9);
    order.waits(8, 300, 4);
    EXPECT_EQ(order.payer_before(7, 3), std::nullopt);
    EXPECT_EQ(order.payer_before(7, 4), 100U);
    EXPECT_EQ(order.payer_before(7, 20), 200U);
    EXPECT_EQ(order.payer_before(8, 20), 300U);
    EXPECT_EQ(order.payer_before(9, 20), std::nullopt);
    order.waits(7, 200, 9); // read again
    order.ended(9);
    EXPECT_EQ(order.payer_before(7, 20), 100U);
    order.ended(3);
    order.ended(5); // no payment
    EXPECT_EQ(order.payer_before(7, 20), std::nullopt);
    EXPECT_EQ(order.size(), 1U);
}

TEST(payment_order, forgets_the_longest_waiting_beyond_its_bound) {
    payment_order order(2);
    for (sequence number = 1; number <= 3; ++number) {
        order.waits(number, 100, number);
    }
    EXPECT_EQ(order.size(), 2U);
    EXPECT_EQ(order.payer_before(1, 10), std::nullopt);
    EXPECT_EQ(order.payer_before(2, 10), 100U);
}

TEST(removal, waits_for_its_payment_though_it_names_no_user) {
    settings options;
    options.window = 16;
    bool fails = true;
    world w(options, 1, [&](const stored_event& one, auto) {
        return answered(one.what.user_key == 5 && fails ? 503 : 200);
    });
    for (int i = 0; i < 40; ++i) {
        w.accept(5); // so many of the user that its payment is passed over, not in memory
    }
    w.accept_payment(5, 77);
    const sequence removal = w.accept_removal(77);
    const sequence other = w.accept(6);
    w.accepted();
    w.run_for(10s);
    EXPECT_EQ(w.event(other).end, "delivered");
    EXPECT_EQ(w.event(removal).sent, 0U);
    fails = false;
    ASSERT_TRUE(w.run_until_empty(1h));
    EXPECT_EQ(w.event(removal).end, "delivered");
}

TEST(removal, that_finds_nothing_goes_to_the_dead_letters_and_holds_nothing) {
    world w({}, 2, [](const stored_event& one, auto) {
        return answered(one.what.path == endpoint::remove_payment ? 400 : 200);
    });
    for (std::uint64_t i = 0; i < 40; ++i) {
        w.accept_removal(i);
    }
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(1min));
    EXPECT_EQ(w.count_of("rejected"), 40U);
    EXPECT_EQ(w.attempts.size(), 40U);
}

TEST(removal, that_finds_nothing_after_an_attempt_that_may_have_removed_it_is_done) {
    world w({}, 3,
            [](const stored_event& one, auto) { return one.sent == 1 ? no_answer(true) : answered(400); });
    const sequence removal = w.accept_removal(1);
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(10min));
    EXPECT_EQ(w.event(removal).end, "delivered");
    EXPECT_EQ(w.event(removal).sent, 2U);
}

TEST(removal, that_finds_nothing_waits_for_a_payment_that_was_replayed) {
    bool paid = false;
    world w({}, 4, [&](const stored_event& one, auto) {
        const bool removes = one.what.path == endpoint::remove_payment;
        return answered(removes || one.sent == 1 ? 400 : paid ? 200 : 503);
    });
    w.check_order = false;
    const sequence payment = w.accept_payment(1, 9);
    w.accepted();
    ASSERT_TRUE(w.run_until_empty(1min));
    ASSERT_EQ(w.event(payment).end, "rejected");
    w.delivery().pause(true);
    const sequence removal = w.accept_removal(9);
    w.accepted();
    w.run_for(1s);
    w.replay(payment); // behind the removal, which is in memory already
    w.run_for(1s);
    w.delivery().pause(false);
    w.pump();
    w.run_for(100ms);
    EXPECT_EQ(w.event(removal).end, "") << "answered 400, but its payment waits";
    paid = true;
    w.run_for(10min);
    EXPECT_EQ(w.event(payment).end, "delivered");
    EXPECT_EQ(w.event(removal).end, "rejected") << "and was told so, by an API that did not do it";
}

} // namespace
} // namespace linkrunner::delivery::testing
