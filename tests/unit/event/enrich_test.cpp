// Members that the operator adds: where they go, and that the caller's own stay.
#include "unit/event/policing.hpp"

#include <gtest/gtest.h>

namespace linkrunner::event {
namespace {

policy_settings adding(std::vector<addition> all) {
    policy_settings out;
    out.add = std::move(all);
    return out;
}

TEST(addition, goes_into_event_data_whatever_it_is) {
    const policy_settings settings = adding({{"env", "prod", {}}, {"zone", "a\"b", {}}});
    EXPECT_EQ(taken_under(settings, with_data(R"({"x":1})")).body,
              with_data(R"({"env":"prod","zone":"a\"b","x":1})"));
    EXPECT_EQ(taken_under(settings, with_data("{ }")).body, with_data(R"({"env":"prod","zone":"a\"b" })"));
    EXPECT_EQ(taken_under(settings, with_data("null")).body, with_data(R"({"env":"prod","zone":"a\"b"})"));
    EXPECT_EQ(taken_under(settings, named("a")).body,
              R"({"event_data":{"env":"prod","zone":"a\"b"},"event_name":"a","user_id":"u"})");
}

TEST(addition, never_overwrites_unless_told_to) {
    policy_settings settings = adding({{"env", "prod", {}}});
    const std::string own = with_data(R"({"\u0065nv" : {"a":1},"x":2})");
    EXPECT_EQ(taken_under(settings, own).body, own);
    settings.overwrite = true;
    EXPECT_EQ(taken_under(settings, own).body, with_data(R"({"\u0065nv" : "prod","x":2})"));
}

TEST(addition, of_the_time_of_intake_stands_under_the_configured_key) {
    policy_settings settings;
    settings.stamp = "occurred_at";
    EXPECT_EQ(taken_under(settings, with_data(R"({"x":1})")).body,
              with_data(R"({"occurred_at":"2026-11-23T15:00:00.000Z","x":1})"));
}

TEST(addition, does_not_make_a_repeat_another_event) {
    policy_settings settings;
    settings.stamp = "occurred_at";
    const std::string text = with_data(R"({"x":1})");
    EXPECT_EQ(taken_under(settings, text).body_hash, taken_under({}, text).body_hash);
}

TEST(addition, may_be_for_some_names_only) {
    const policy_settings settings = adding({{"env", "prod", {"b*"}}});
    EXPECT_EQ(taken_under(settings, named("a")).body, named("a"));
    EXPECT_EQ(taken_under(settings, named("b1")).body,
              R"({"event_data":{"env":"prod"},"event_name":"b1","user_id":"u"})");
}

TEST(addition, and_event_id_and_a_mended_amount_go_well_together) {
    policy_settings settings = with_check(rule::amount_as_string, action::fix);
    settings.add = {{"env", "prod", {}}};
    const policy rules(settings, bracketed);
    parse_options options;
    options.rules = &rules;
    EXPECT_EQ(
        accepted(with_data(R"({"amount":"5"})"), options).body,
        R"({"event_id":"made-1","event_name":"a","user_id":"u","event_data":{"env":"prod","amount":5}})");
    EXPECT_EQ(accepted(named("a"), options).body,
              R"({"event_id":"made-1","event_data":{"env":"prod"},"event_name":"a","user_id":"u"})");
}

TEST(addition, counts_towards_the_size_of_the_event) {
    const policy_settings settings = adding({{"note", std::string(200, 'x'), {}}});
    const policy rules(settings, bracketed);
    parse_options options = no_id_added();
    options.rules = &rules;
    options.limits.max_event_bytes = 100;
    EXPECT_EQ(refused(named("a"), options).code, "event_too_large");
}

} // namespace
} // namespace linkrunner::event
