#include "event/lanes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace linkrunner::event {
namespace {

bool matches(const std::string& pattern, std::string_view name) {
    return lane_rules({{{pattern}, false}, {{}, false}}).lane_for(name, false) == 0;
}

TEST(lane, is_that_of_the_first_rule_that_matches) {
    const lane_rules rules({{{"purchase_*", "refund"}, true}, {{"level_*"}, false}, {{"*"}, false}});
    EXPECT_EQ(rules.lane_for("purchase_completed", false), 0);
    EXPECT_EQ(rules.lane_for("refund", false), 0);
    EXPECT_EQ(rules.lane_for("level_completed", false), 1);
    EXPECT_EQ(rules.lane_for("level_completed", true), 0);
    EXPECT_EQ(rules.lane_for("item_viewed", false), 2);
    EXPECT_EQ(rules.lane_for("item_viewed", true), 0);
}

TEST(lane, last_rule_takes_all_whatever_it_says) {
    const lane_rules rules({{{"a"}, false}, {{"b"}, false}});
    EXPECT_EQ(rules.lane_for("c", false), 1);
    EXPECT_EQ(rules.lane_for("c", true), 1);
    EXPECT_EQ(lane_rules({{{"a"}, false}}).lane_for("c", false), 0);
}

TEST(lane, without_rules_is_the_first) {
    EXPECT_EQ(lane_rules({}).lane_for("a", true), 0);
}

TEST(lane, rule_without_patterns_matches_by_amount_alone) {
    const lane_rules rules({{{}, true}, {{"*"}, false}});
    EXPECT_EQ(rules.lane_for("a", true), 0);
    EXPECT_EQ(rules.lane_for("a", false), 1);
}

TEST(lane, patterns_are_those_of_fnmatch) {
    EXPECT_TRUE(matches("purchase_*", "purchase_"));
    EXPECT_TRUE(matches("purchase_*", "purchase_completed"));
    EXPECT_FALSE(matches("purchase_*", "purchase"));
    EXPECT_FALSE(matches("purchase_*", "my_purchase_completed"));
    EXPECT_TRUE(matches("purchase", "purchase"));
    EXPECT_FALSE(matches("purchase", "purchases"));
    EXPECT_FALSE(matches("purchase", "Purchase"));
    EXPECT_TRUE(matches("*", "anything/at.all"));
    EXPECT_TRUE(matches("*", ".hidden"));
    EXPECT_TRUE(matches("*_completed", "level_completed"));
    EXPECT_TRUE(matches("*a*b*", "xxaxxbxx"));
    EXPECT_FALSE(matches("*a*b*", "xxbxxaxx"));
    EXPECT_TRUE(matches("level_?", "level_7"));
    EXPECT_FALSE(matches("level_?", "level_17"));
    EXPECT_TRUE(matches("level_[0-9]", "level_7"));
    EXPECT_FALSE(matches("level_[!0-9]", "level_7"));
    EXPECT_TRUE(matches("**", "a"));
}

TEST(lane, backslash_takes_the_meaning_from_a_special_character) {
    EXPECT_TRUE(matches("a\\*", "a*"));
    EXPECT_FALSE(matches("a\\*", "ab"));
    EXPECT_TRUE(matches("a\\?b*", "a?bc"));
}

TEST(lane, empty_pattern_matches_nothing_that_has_a_name) {
    EXPECT_FALSE(matches("", "a"));
}

} // namespace
} // namespace linkrunner::event
