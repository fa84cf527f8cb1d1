#include "config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct changes : testing::Test {
    loaded before, after;
    std::vector<change> found() { return take_changes(before, after); }
};

TEST_F(changes, are_none_between_equals) {
    EXPECT_THAT(found(), IsEmpty());
}

TEST_F(changes, are_told_as_they_are_written) {
    after.values.delivery.rate_per_second = 10;
    after.values.delivery.backoff_max = std::chrono::minutes(2);
    after.values.intake.hosts = {"gateway"};
    EXPECT_THAT(found(), ElementsAre(change{"intake.hosts", "[]", R"(["gateway"])", false},
                                     change{"delivery.rate", "29/s", "10/s", false},
                                     change{"delivery.backoff.max", "5m", "2m", false}));
    EXPECT_EQ(after.values.delivery.rate_per_second, 10);
}

TEST_F(changes, that_need_a_restart_are_put_back) {
    before.origins = {{"spool.directory", "default"}};
    after.origins = {{"spool.directory", "a.yaml:3"}};
    after.values.spool.directory = "/elsewhere";
    after.values.spool.sync = "never";
    after.values.log_level = "debug";
    EXPECT_THAT(found(), ElementsAre(change{"spool.directory", "/var/lib/linkrunnerd", "/elsewhere", true},
                                     change{"spool.sync", "always", "never", true},
                                     change{"log.level", "info", "debug", false}));
    EXPECT_EQ(after.values.spool, before.values.spool);
    EXPECT_EQ(after.values.log_level, "debug");
    EXPECT_EQ(after.origins.front().second, "default");
}

TEST_F(changes, show_no_secret) {
    before.values.server_key = "lr-old";
    after.values.server_key = "lr-new";
    after.values.intake_token = "t0ken";
    after.values.upstream.proxy = "http://me:s3cret@proxy:3128";
    const auto all = found();
    ASSERT_EQ(all.size(), 3U);
    for (const change& each : all) {
        for (const char* secret : {"lr-", "t0ken", "s3cret"}) {
            EXPECT_EQ((each.before + each.after).find(secret), std::string::npos) << each.key;
        }
    }
    EXPECT_EQ(all[1], (change{"upstream.server_key", "********", "********", false}));
    EXPECT_EQ(all[2], (change{"intake.token", "\"\"", "********", false}));
}

TEST_F(changes, of_lanes_are_taken_over_while_their_names_stay) {
    after.values.delivery.lanes[0].weight = 3;
    after.values.delivery.lanes[0].names = {"paid_*"};
    ASSERT_EQ(found().size(), 1U);
    EXPECT_FALSE(found().front().needs_restart);
    EXPECT_EQ(after.values.delivery.lanes[0].weight, 3U);
}

TEST_F(changes, of_the_names_of_lanes_need_a_restart_and_so_do_rules_that_name_lanes) {
    after.values.delivery.lanes[0].name = "money";
    rule_section& rule = after.values.events.rules.emplace_back();
    rule.names = {"x"};
    rule.lane = "money";
    const auto all = found();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].needs_restart);
    EXPECT_TRUE(all[1].needs_restart);
    EXPECT_EQ(after.values.delivery, before.values.delivery);
    EXPECT_THAT(after.values.events.rules, IsEmpty());
}

} // namespace
} // namespace linkrunner::config
