#include "sandbox/fault.hpp"

#include <gmock/gmock.h>

namespace linkrunner::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr steady_time start{};

fault_plan plan_of(const std::string& script) {
    fault_plan plan;
    plan.add(parse_faults(script).value(), start);
    return plan;
}

std::string error_of(const std::string& script) {
    const auto rules = parse_faults(script);
    return rules ? std::string() : rules.error().message;
}

// The statuses that `count` requests get, 0 where the rules say nothing.
std::vector<int> statuses(fault_plan& plan, int count, steady_time at = start, fault_subject subject = {}) {
    std::vector<int> out;
    for (int i = 0; i < count; ++i) {
        out.push_back(plan.decide(fault_stage::request, subject, at).status);
    }
    return out;
}

TEST(fault_script, reads_every_word) {
    const auto rules =
        parse_faults("after=100 count=7 every=2 probability=0.5 seed=9 from=1s for=10s name=a* "
                     "user=u? status=429 retry_after=5 delay=250ms");
    ASSERT_TRUE(rules);
    const fault& rule = rules->at(0);
    EXPECT_EQ(rule.after, 100U);
    EXPECT_EQ(rule.count, 7U);
    EXPECT_EQ(rule.every, 2U);
    EXPECT_EQ(rule.probability, 0.5);
    EXPECT_EQ(rule.seed, 9U);
    EXPECT_EQ(rule.from, seconds(1));
    EXPECT_EQ(rule.lasts, milliseconds(10'000));
    EXPECT_EQ(rule.name, "a*");
    EXPECT_EQ(rule.user, "u?");
    EXPECT_EQ(rule.what.status, 429);
    EXPECT_EQ(rule.what.retry_after, seconds(5));
    EXPECT_EQ(rule.what.delay, milliseconds(250));
}

TEST(fault_script, takes_rules_apart_at_semicolons_and_newlines_but_not_within_quotes) {
    const auto rules = parse_faults("# it's a comment\nreset; close\n\n status=500 message='one; two'  \n");
    ASSERT_TRUE(rules);
    ASSERT_EQ(rules->size(), 3U);
    EXPECT_EQ(rules->at(0).what.ending, fault_ending::reset);
    EXPECT_EQ(rules->at(1).what.ending, fault_ending::close);
    EXPECT_EQ(rules->at(2).what.message, "one; two");
    EXPECT_EQ(rules->at(2).text, "status=500 message='one; two'");
}

TEST(fault_script, names_the_rule_and_the_word_that_it_does_not_understand) {
    EXPECT_THAT(error_of("reset; stauts=500"), HasSubstr("fault 'stauts=500': unknown word 'stauts=500'"));
    EXPECT_THAT(error_of("status=99"), HasSubstr("status: '99' is not a number from 200 to 599"));
    EXPECT_THAT(error_of("delay=5"), HasSubstr("'5' is not a duration"));
    EXPECT_THAT(error_of("delay"), HasSubstr("delay needs a value"));
    EXPECT_THAT(error_of("reset=1"), HasSubstr("reset takes no value"));
    EXPECT_THAT(error_of("after=5"), HasSubstr("does nothing"));
    EXPECT_THAT(error_of("early status=500 name=x"), HasSubstr("not known before the body"));
    EXPECT_THAT(error_of("early delay=1s"), HasSubstr("early needs"));
    EXPECT_THAT(error_of("accept=maybe"), HasSubstr("one of reset, close, hang"));
    EXPECT_THAT(error_of("connection=keep"), HasSubstr("'close'"));
    EXPECT_THAT(error_of("interim=103,200"), HasSubstr("'200' is not a number from 100 to 199"));
    EXPECT_THAT(error_of("http=2"), HasSubstr("'1.0'"));
    EXPECT_THAT(error_of("header=RateLimit"), HasSubstr("'RateLimit' is not a header"));
}

TEST(fault_plan, spares_the_first_and_stops_after_its_count) {
    fault_plan plan = plan_of("after=2 count=3 status=500");
    EXPECT_EQ(statuses(plan, 7), (std::vector<int>{0, 0, 500, 500, 500, 0, 0}));
}

TEST(fault_plan, hits_every_nth_of_those_that_match) {
    fault_plan plan = plan_of("every=3 status=500 name=pay*");
    EXPECT_EQ(statuses(plan, 7, start, {"pay_a", "u"}), (std::vector<int>{0, 0, 500, 0, 0, 500, 0}));
    EXPECT_EQ(statuses(plan, 3, start, {"other", "u"}), (std::vector<int>{0, 0, 0}));
}

TEST(fault_plan, lasts_from_its_first_hit_and_no_longer) {
    fault_plan plan = plan_of("after=1 status=429 for=10s");
    EXPECT_EQ(statuses(plan, 1, start), std::vector<int>{0});
    EXPECT_EQ(statuses(plan, 1, start + seconds(60)), std::vector<int>{429});
    EXPECT_EQ(statuses(plan, 1, start + milliseconds(69'999)), std::vector<int>{429});
    EXPECT_EQ(statuses(plan, 1, start + seconds(70)), std::vector<int>{0});
}

TEST(fault_plan, begins_when_its_time_has_come) {
    fault_plan plan = plan_of("from=5s status=500");
    EXPECT_EQ(statuses(plan, 1, start + milliseconds(4'999)), std::vector<int>{0});
    EXPECT_EQ(statuses(plan, 1, start + seconds(5)), std::vector<int>{500});
}

TEST(fault_plan, throws_the_same_dice_for_the_same_seed) {
    fault_plan first = plan_of("probability=0.3 seed=4 status=500");
    fault_plan second = plan_of("probability=0.3 seed=4 status=500");
    const auto hits = statuses(first, 1000);
    EXPECT_EQ(hits, statuses(second, 1000));
    EXPECT_NEAR(static_cast<double>(std::count(hits.begin(), hits.end(), 500)), 300, 60);
}

TEST(fault_plan, adds_delays_up_and_lets_the_first_other_rule_decide) {
    fault_plan plan = plan_of("delay=100ms; delay=50ms status=503; status=500");
    const misbehaviour what = plan.decide(fault_stage::request, {}, start);
    EXPECT_EQ(what.delay, milliseconds(150));
    EXPECT_EQ(what.status, 503);
}

TEST(fault_plan, keeps_the_stages_apart) {
    fault_plan plan = plan_of("accept=reset; early status=503; status=500");
    EXPECT_EQ(plan.decide(fault_stage::accepted, {}, start).ending, fault_ending::reset);
    EXPECT_EQ(plan.decide(fault_stage::head, {}, start).status, 503);
    EXPECT_EQ(plan.decide(fault_stage::request, {}, start).status, 500);
}

TEST(fault_plan, counts_what_each_rule_saw_and_did) {
    fault_plan plan = plan_of("after=1 status=500");
    statuses(plan, 3);
    const auto states = plan.states();
    ASSERT_EQ(states.size(), 1U);
    EXPECT_EQ(states[0].matched, 3U);
    EXPECT_EQ(states[0].hit, 2U);
}

} // namespace
} // namespace linkrunner::sandbox
