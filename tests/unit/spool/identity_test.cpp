#include "unit/spool/store_fixture.hpp"

#include <map>

namespace linkrunner::spool {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

class identity_test : public store_fixture {
  protected:
    identity_test() { open(); }
    appended repeat(const std::string& id) { return append(id).value().front(); }
};

TEST_F(identity_test, a_repeat_is_answered_with_the_first_number_and_stored_once) {
    stored("a");
    const appended again = repeat("a");
    EXPECT_EQ(again.outcome, append_outcome::duplicate);
    EXPECT_EQ(again.number, 1u);
    EXPECT_THAT(pending(), ElementsAre("a"));
    EXPECT_EQ(events().accepted, 1u);
}

TEST_F(identity_test, another_body_under_the_same_identity_is_a_conflict) {
    stored("a");
    new_event other = event("a");
    other.body_hash ^= 1;
    const auto outcome = append({other, event("b")}).value();
    EXPECT_EQ(outcome[0].outcome, append_outcome::conflict);
    EXPECT_EQ(outcome[0].number, 1u);
    EXPECT_EQ(outcome[1].outcome, append_outcome::stored);
    EXPECT_THAT(pending(), ElementsAre("a", "b"));
}

TEST_F(identity_test, a_repeat_within_a_group_is_seen_also_within_one_append) {
    std::vector<append_job> jobs;
    jobs.push_back({{event("a"), event("a")}, {}});
    jobs.push_back({{event("a")}, {}});
    store_->commit(jobs, {});
    EXPECT_EQ(jobs[0].outcome->at(0).outcome, append_outcome::stored);
    EXPECT_EQ(jobs[0].outcome->at(1).outcome, append_outcome::duplicate);
    EXPECT_EQ(jobs[1].outcome->at(0).outcome, append_outcome::duplicate);
    EXPECT_EQ(jobs[1].outcome->at(0).number, 1u);
}

TEST_F(identity_test, a_repeat_shares_the_fate_of_a_first_copy_whose_sync_fails) {
    std::vector<append_job> jobs;
    jobs.push_back({{event("a")}, {}});
    jobs.push_back({{event("a")}, {}});
    fail("sync", ".log", EIO);
    store_->commit(jobs, {});
    EXPECT_FALSE(jobs[0].outcome);
    EXPECT_FALSE(jobs[1].outcome);
    stop_failing();
    pass(1s);
    EXPECT_EQ(repeat("a").outcome, append_outcome::stored);
    EXPECT_EQ(events().accepted, 1u);
}

TEST_F(identity_test, a_repeat_is_seen_after_a_kill_and_after_its_end) {
    stored("a");
    stored("b");
    mark_as(mark_kind::delivered, {1});
    reopen();
    EXPECT_EQ(repeat("a").outcome, append_outcome::duplicate);
    EXPECT_EQ(repeat("b").number, 2u);
}

TEST_F(identity_test, a_repeat_is_seen_after_its_segment_was_retired_and_after_a_kill_too) {
    stored("a");
    reopen();
    stored("b");
    mark_as(mark_kind::delivered, {1});
    store_->maintain();
    ASSERT_EQ(disk_.count("1.log"), 0u);
    ASSERT_EQ(disk_.count(".ids"), 1u);
    EXPECT_EQ(repeat("a").outcome, append_outcome::duplicate);
    EXPECT_EQ(store_->end_of(1), mark_kind::delivered);
    reopen();
    EXPECT_EQ(repeat("a").number, 1u);
    EXPECT_EQ(repeat("b").number, 2u);
    EXPECT_EQ(store_->end_of(1), mark_kind::delivered);
}

// Two that hand over to each other: what comes back must not be taken for what has gone.
TEST_F(identity_test, what_was_handed_off_is_no_repeat_when_another_linkrunnerd_brings_it_back) {
    stored("a");
    reopen();
    stored("b");
    stored("c");
    mark_as(mark_kind::handed_off, {1, 2});
    store_->maintain();
    ASSERT_EQ(disk_.count("1.log"), 0u) << "the segment of the first is retired, that of the second is there";
    for (const char* id : {"a", "b", "c"}) {
        EXPECT_EQ(repeat(id).outcome, append_outcome::duplicate) << id << " of a client";
    }
    std::vector<new_event> back = {event("a"), event("b"), event("c"), event("a")};
    for (new_event& each : back) {
        each.relayed = true;
    }
    const auto outcome = append(back).value();
    EXPECT_EQ(outcome[0].outcome, append_outcome::stored);
    EXPECT_EQ(outcome[1].outcome, append_outcome::stored);
    EXPECT_EQ(outcome[2].outcome, append_outcome::duplicate) << "it still waits here";
    EXPECT_EQ(outcome[3].outcome, append_outcome::duplicate) << "once is enough";
    EXPECT_THAT(pending(), ElementsAre("c", "a", "b"));
    reopen();
    EXPECT_THAT(pending(), ElementsAre("c", "a", "b"));
    EXPECT_TRUE(adds_up());
}

TEST_F(identity_test, the_window_ends_after_its_time_and_the_file_goes) {
    stored("a");
    reopen();
    mark_as(mark_kind::delivered, {1});
    store_->maintain();
    ASSERT_EQ(disk_.count(".ids"), 1u);
    pass(settings_.dedupe_window - 1s);
    EXPECT_EQ(repeat("a").outcome, append_outcome::duplicate);
    pass(2s);
    EXPECT_EQ(disk_.count(".ids"), 0u);
    EXPECT_EQ(repeat("a").outcome, append_outcome::stored);
}

TEST_F(identity_test, the_window_holds_so_many_identities_at_most) {
    settings_.dedupe_max = 3;
    reopen();
    for (const char* id : {"a", "b", "c", "d"}) {
        stored(id);
    }
    EXPECT_EQ(repeat("b").outcome, append_outcome::duplicate);
    EXPECT_EQ(repeat("a").outcome, append_outcome::stored);
}

TEST_F(identity_test, without_a_window_nothing_is_a_repeat) {
    settings_.dedupe_window = 0s;
    reopen();
    stored("a");
    EXPECT_EQ(repeat("a").outcome, append_outcome::stored);
}

TEST(identity_index_test, behaves_like_a_map_over_a_long_random_history) {
    constexpr std::size_t limit = 500;
    identity_index index(limit, 10min);
    seeded_random random(7);
    std::vector<std::pair<std::uint64_t, sequence>> model; // newest last
    sequence next = (sequence{1} << 32) - 5000;            // the low half wraps on the way
    const wall_time now{};
    for (int step = 0; step < 20000; ++step) {
        const fingerprint identity{0, random.next() % 2000};
        const auto known =
            std::ranges::find_if(model, [&](auto& each) { return each.first == identity.low; });
        const auto found = index.find(identity, 5, now);
        ASSERT_EQ(found.has_value(), known != model.end()) << step;
        if (found) {
            ASSERT_EQ(found->number, known->second);
        } else if (random.next() % 8 != 0) {
            index.add(identity_index::make(identity, 5, next, now), next);
            model.emplace_back(identity.low, next++);
            if (model.size() > limit) {
                model.erase(model.begin());
            }
        }
        if (random.next() % 16 == 0 && !model.empty()) {
            const std::size_t gone = random.next() % std::min<std::size_t>(model.size(), 20);
            index.forget_from(next - gone);
            while (!model.empty() && model.back().second >= next - gone) {
                model.pop_back();
            }
            next -= gone;
        }
    }
}

TEST(identity_index_test, an_identity_that_comes_again_after_its_window_is_found_by_its_newest_number) {
    constexpr std::chrono::milliseconds window(1000);
    identity_index index(1'000'000, window);
    seeded_random random(7);
    std::map<std::uint64_t, std::pair<sequence, wall_time>> model; // the newest of each
    wall_time now{std::chrono::hours(1)};
    sequence next = 1;
    for (int step = 0; step < 60000; ++step) {
        const std::uint64_t key = hash64(3, std::to_string(random.next() % 500));
        const fingerprint identity{key, 0};
        const auto known = model.find(key);
        const bool is_there = known != model.end() && known->second.second >= now - window;
        const auto found = index.find(identity, 5, now);
        ASSERT_EQ(found.has_value(), is_there) << step;
        if (found) {
            ASSERT_EQ(found->number, known->second.first) << step;
        } else {
            index.add(identity_index::make(identity, 5, next, now), next);
            model[key] = {next++, now};
        }
        now += std::chrono::milliseconds(random.next() % 4);
        if (step % 20000 == 0) { // seldom: what is too old stays and is met
            index.expire(now);
        }
    }
    for (const auto& [key, newest] : model) {
        if (newest.second >= now - window) {
            EXPECT_EQ(index.accepted_at(newest.first), newest.second);
        }
    }
    EXPECT_EQ(index.accepted_at(next), std::nullopt);
}

} // namespace
} // namespace linkrunner::spool
