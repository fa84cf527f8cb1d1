#include "unit/forward/forwarding.hpp"

namespace linkrunner::forward {
namespace {

TEST_F(forwarding, delivers_what_was_accepted_before_and_after_the_start) {
    accept(3);
    subject();
    owner.run_for(1s);
    accept(2);
    owner.run_for(1s);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 5u);
    EXPECT_EQ(upstream.attempts.size(), 5u);
    EXPECT_EQ(upstream.attempts.front().request.path, "/capture-event");
    EXPECT_EQ(upstream.attempts.front().request.headers.front(),
              std::pair(std::string("linkrunner-key"), std::string("key-1")));
    EXPECT_EQ(upstream.attempts.front().request.body, R"({"event_id":"1"})");
}

TEST_F(forwarding, looks_the_max_age_of_an_event_up_by_its_name) {
    options.delivery.rate_per_second = 0.1;
    options.max_age_of = [](std::string_view name) {
        return name == "seen" ? std::optional<std::chrono::milliseconds>(15s) : std::nullopt;
    };
    subject();
    accept(3);
    accept(1, 1, false, "seen");
    owner.run_for(60s);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 3u);
    EXPECT_EQ(ended(spool::mark_kind::dead), 1u);
}

TEST_F(forwarding, has_recorded_what_was_delivered_before_the_spool_drops_the_oldest) {
    accept(1);
    subject();
    std::size_t recorded = 0;
    upstream.answered = [&] {
        EXPECT_TRUE(queue.dropper.in_flight(1, 2).empty());
        recorded = ended(spool::mark_kind::delivered);
    };
    owner.run_for(1s);
    EXPECT_EQ(recorded, 1u);
}

TEST_F(forwarding, works_through_a_backlog_larger_than_its_memory_at_the_rate_allowed) {
    accept(5000);
    subject();
    owner.run_for(49s);
    EXPECT_LE(upstream.attempts.size(), 4902u);
    EXPECT_GE(upstream.attempts.size(), 4800u);
    owner.run_for(3s);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 5000u);
}

TEST_F(forwarding, puts_a_rejected_event_into_the_dead_letters_with_the_answer) {
    upstream.script = [](const net::outgoing& request) {
        net::answer out =
            scripted_upstream::status(request.body.find("\"2\"") != std::string::npos ? 400 : 200);
        out.body = "{\"msg\":\"no\"}";
        return out;
    };
    accept(3);
    subject();
    owner.run_for(1s);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 2u);
    ASSERT_EQ(ended(spool::mark_kind::dead), 1u);
    const auto dead = std::ranges::find(queue.recorded, spool::mark_kind::dead, &spool::mark::kind);
    EXPECT_EQ(dead->number, 2u);
    EXPECT_EQ(dead->letter.reason, spool::dead_reason::rejected);
    EXPECT_EQ(dead->letter.last_status, 400);
    EXPECT_EQ(dead->letter.attempts, 1u);
    EXPECT_EQ(dead->letter.excerpt, "{\"msg\":\"no\"}");
}

TEST_F(forwarding, keeps_a_key_that_the_api_echoes_out_of_dead_letters_and_status) {
    upstream.script = [](const net::outgoing&) {
        net::answer out = scripted_upstream::status(400);
        out.body = std::string(508, 'x') + "key-1 and key-2 and key-1"; // one of them at the cut
        return out;
    };
    accept(1);
    forwarder& one = subject();
    one.set_secret("key-2");
    owner.run_for(1s);
    const auto dead = std::ranges::find(queue.recorded, spool::mark_kind::dead, &spool::mark::kind);
    ASSERT_NE(dead, queue.recorded.end());
    EXPECT_EQ(dead->letter.excerpt, std::string(508, 'x') + "****");
    ASSERT_TRUE(one.error());
    EXPECT_EQ(one.error()->what.find("key-"), std::string::npos);
}

TEST_F(forwarding, sends_every_dead_letter_again_that_is_replayed) {
    bool refuses = true;
    upstream.script = [&](const net::outgoing&) { return scripted_upstream::status(refuses ? 400 : 200); };
    accept(10);
    subject();
    owner.run_for(1s);
    ASSERT_EQ(ended(spool::mark_kind::dead), 10u);
    refuses = false;
    accept(5); // the lane has gone on meanwhile
    owner.run_for(1s);
    for (const spool::sequence number : {2u, 3u, 7u}) {
        queue.replay(number);
    }
    subject().replayed({{1, 2}, {1, 3}, {1, 7}});
    owner.run_for(1s);
    EXPECT_EQ(ended(spool::mark_kind::dead), 7u);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 8u);
    EXPECT_EQ(upstream.attempts.size(), 18u);
    EXPECT_EQ(upstream.attempts.back().request.body, R"({"event_id":"7"})");
}

TEST_F(forwarding, holds_on_401_and_goes_on_at_once_with_a_new_key) {
    upstream.script = [](const net::outgoing& request) {
        return scripted_upstream::status(request.headers.front().second == "key-2" ? 200 : 401);
    };
    accept(50);
    subject();
    owner.run_for(30s);
    EXPECT_EQ(subject().view().state, delivery::upstream_state::held_unauthorized);
    const std::size_t tried = upstream.attempts.size();
    subject().set_secret("key-2");
    owner.run_for(5s);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 50u);
    EXPECT_LE(tried, 40u) << "what was in flight when the hold began";
    EXPECT_EQ(ended(spool::mark_kind::dead), 0u);
}

TEST_F(forwarding, marks_an_event_as_sending_before_its_first_byte_where_a_double_is_worse_than_a_loss) {
    accept(1, 1, true);
    upstream.script = [&](const net::outgoing&) {
        EXPECT_EQ(queue.recorded.size(), 1u);
        EXPECT_EQ(queue.recorded.front().kind, spool::mark_kind::sending);
        return scripted_upstream::failure(net::transport_error::reset, true);
    };
    subject();
    owner.run_for(1min);
    EXPECT_EQ(upstream.attempts.size(), 1u);
    EXPECT_EQ(ended(spool::mark_kind::dead), 1u);
    EXPECT_EQ(queue.recorded.back().letter.reason, spool::dead_reason::ambiguous);
}

std::vector<spool::mark_kind> kinds_of(const std::vector<spool::mark>& marks) {
    std::vector<spool::mark_kind> out;
    for (const spool::mark& one : marks) {
        out.push_back(one.kind);
    }
    return out;
}

TEST_F(forwarding, takes_the_sending_mark_back_when_the_api_has_surely_not_counted_the_attempt) {
    using enum spool::mark_kind;
    accept(1, 1, true);
    int sent = 0;
    upstream.script = [&](const net::outgoing&) {
        return scripted_upstream::status(++sent == 1 ? 503 : 200);
    };
    subject();
    owner.run_for(1min);
    EXPECT_EQ(kinds_of(queue.recorded), (std::vector{sending, replayed, sending, delivered}));
}

TEST_F(forwarding, sends_again_at_once_what_met_a_connection_that_was_closed_meanwhile) {
    using enum spool::mark_kind;
    accept(1, 1, true);
    int sent = 0;
    upstream.script = [&](const net::outgoing&) {
        net::answer closed = scripted_upstream::failure(net::transport_error::reset, false);
        closed.reused = true;
        return ++sent == 1 ? closed : scripted_upstream::status(200);
    };
    subject();
    owner.run_for(100ms);
    EXPECT_EQ(kinds_of(queue.recorded), (std::vector{sending, replayed, sending, delivered}))
        << "and the marks are in this order, or a crash would find the wrong one";
}

TEST_F(forwarding, takes_a_request_sent_whole_into_a_closed_connection_for_ambiguous) {
    accept(1, 1, true);
    upstream.script = [&](const net::outgoing&) {
        net::answer closed = scripted_upstream::failure(net::transport_error::reset, true);
        closed.reused = true;
        return closed;
    };
    subject();
    owner.run_for(1min);
    EXPECT_EQ(upstream.attempts.size(), 1u);
    ASSERT_EQ(ended(spool::mark_kind::dead), 1u);
    EXPECT_TRUE(queue.recorded.back().letter.ambiguous);
}

TEST_F(forwarding, drains_what_it_can_and_says_when_it_is_idle) {
    accept(500);
    subject();
    owner.run_for(1s);
    bool idle = false;
    subject().drain(time.steady() + 2s, [&] { idle = true; });
    owner.run_for(1500ms);
    EXPECT_FALSE(idle);
    owner.run_for(600ms);
    EXPECT_TRUE(idle);
    const std::size_t delivered = ended(spool::mark_kind::delivered);
    EXPECT_GE(delivered, 290u);
    owner.run_for(10s);
    EXPECT_EQ(upstream.attempts.size(), delivered) << "nothing is sent after the drain";
}

TEST_F(forwarding, is_idle_at_once_when_nothing_can_be_delivered_in_time) {
    upstream.script = [](const net::outgoing&) { return scripted_upstream::status(429, "60"); };
    accept(5);
    subject();
    owner.run_for(1s);
    bool idle = false;
    subject().drain(time.steady() + 5s, [&] { idle = true; });
    owner.run_for(1ms);
    EXPECT_TRUE(idle);
}

TEST_F(forwarding, is_idle_when_the_last_event_is_delivered) {
    accept(10);
    subject();
    bool idle = false;
    subject().drain(time.steady() + 60s, [&] { idle = true; });
    owner.run_for(1s);
    EXPECT_TRUE(idle);
    EXPECT_EQ(ended(spool::mark_kind::delivered), 10u);
}

} // namespace
} // namespace linkrunner::forward
