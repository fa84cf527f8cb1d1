// The rules of data quality, one by one: what each takes for a fault, what it says, and how it is mended.
#include "unit/event/policing.hpp"

#include <gmock/gmock.h>

namespace linkrunner::event {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct amount_case {
    std::string_view sent; // as it stands in the JSON
    std::string_view becomes;
};

class amount_in_quotes : public testing::TestWithParam<amount_case> {};

TEST_P(amount_in_quotes, becomes_the_same_number) {
    const std::string before = R"({"x" : 1.50, "amount" : )";
    const std::string after = " ,\"y\":\t[1e2]}";
    const event taken = taken_under(with_check(rule::amount_as_string, action::fix),
                                    with_data(before + std::string(GetParam().sent) + after));
    EXPECT_EQ(taken.body, with_data(before + std::string(GetParam().becomes) + after));
    EXPECT_THAT(found_in(taken), ElementsAre("amount_as_string!"));
    EXPECT_EQ(taken.findings[0].pointer, "/event_data/amount");
    EXPECT_TRUE(taken.has_amount);
    const event again = taken_under(with_check(rule::amount_as_string, action::fix), taken.body);
    EXPECT_EQ(again.body, taken.body);
    EXPECT_THAT(found_in(again), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(numbers, amount_in_quotes,
                         testing::Values(amount_case{R"("12")", "12"}, amount_case{R"(" 12 ")", "12"},
                                         amount_case{R"("1499.50")", "1499.50"},
                                         amount_case{R"("-3.25")", "-3.25"}, amount_case{R"("+7")", "7"},
                                         amount_case{R"("1e3")", "1e3"}, amount_case{R"("0")", "0"},
                                         amount_case{R"("\u0031\u0032")", "12"},
                                         amount_case{R"("12\n")", "12"},
                                         amount_case{R"("123456789012345678901234567890.123456789")",
                                                     "123456789012345678901234567890.123456789"},
                                         amount_case{R"("0.1000000000000000000000000000001")",
                                                     "0.1000000000000000000000000000001"}));

class no_amount : public testing::TestWithParam<std::string_view> {};

TEST_P(no_amount, is_made_of_what_is_no_number) {
    policy_settings settings = with_check(rule::amount_as_string, action::fix);
    settings.checks[rule::amount_not_number] = action::warn;
    const std::string text = with_data(R"({"amount":)" + std::string(GetParam()) + "}");
    const event taken = taken_under(settings, text);
    EXPECT_EQ(taken.body, text);
    EXPECT_THAT(found_in(taken), ElementsAre("amount_not_number"));
    settings.checks[rule::amount_not_number] = action::reject;
    const auto parsed = parse_under(settings, text);
    ASSERT_TRUE(std::holds_alternative<violation>(parsed));
    EXPECT_EQ(std::get<violation>(parsed).code, "amount_not_number");
    EXPECT_EQ(std::get<violation>(parsed).pointer, "/event_data/amount");
}

INSTANTIATE_TEST_SUITE_P(values, no_amount,
                         testing::Values(R"("1,000.50")", R"("₹10")", R"("0x10")", R"("")", R"("  ")",
                                         R"("12 USD")", R"("1.")", R"(".5")", R"("01")", R"("+-1")",
                                         R"("--1")", R"("NaN")", R"("Infinity")", R"("1e999")", R"("1e")",
                                         "true", "[12]", R"({"value":12})"));

TEST(amount, that_is_a_number_or_null_or_nested_is_nobodys_business) {
    policy_settings settings = with_check(rule::amount_as_string, action::reject);
    settings.checks[rule::amount_not_number] = action::reject;
    for (const std::string_view data :
         {R"({"amount":12})", R"({"amount":null})", R"({"order":{"amount":"12"}})", R"([{"amount":"12"}])"}) {
        if (data.front() == '{') {
            EXPECT_EQ(taken_under(settings, with_data(data)).body, with_data(data));
        }
    }
    const std::string outside = R"({"amount":"12","event_name":"a","user_id":"u"})";
    EXPECT_EQ(taken_under(settings, outside).body, outside);
}

TEST(amount, is_found_under_an_escaped_key_and_each_time) {
    const event taken = taken_under(with_check(rule::amount_as_string, action::fix),
                                    with_data(R"({"\u0061mount":"1","amount":2,"amount":"3"})"));
    EXPECT_EQ(taken.body, with_data(R"({"\u0061mount":1,"amount":2,"amount":3})"));
    EXPECT_THAT(found_in(taken), ElementsAre("amount_as_string!", "amount_as_string!"));
}

TEST(amount, in_quotes_is_said_or_refused_as_the_operator_likes) {
    const std::string text = with_data(R"({"amount":"12"})");
    EXPECT_THAT(found_in(taken_under(with_check(rule::amount_as_string, action::off), text)), IsEmpty());
    const event warned = taken_under(with_check(rule::amount_as_string, action::warn), text);
    EXPECT_THAT(found_in(warned), ElementsAre("amount_as_string"));
    EXPECT_EQ(warned.body, text);
    const auto parsed = parse_under(with_check(rule::amount_as_string, action::reject), text);
    ASSERT_TRUE(std::holds_alternative<violation>(parsed));
    EXPECT_EQ(std::get<violation>(parsed).code, "amount_as_string");
}

struct name_case {
    std::string_view sent;
    std::string_view becomes; // empty: has no name in snake_case
};

class name_style : public testing::TestWithParam<name_case> {};

TEST_P(name_style, is_mended_by_one_rule) {
    const auto& [sent, becomes] = GetParam();
    EXPECT_EQ(to_snake_case(sent), becomes);
    EXPECT_FALSE(is_snake_case(sent));
    if (!becomes.empty()) {
        EXPECT_TRUE(is_snake_case(becomes));
        EXPECT_EQ(to_snake_case(becomes), becomes);
    }
    const event taken = taken_under(with_check(rule::name_style, action::fix), named(sent));
    const std::string_view expected = becomes.empty() ? sent : becomes;
    EXPECT_EQ(taken.body, named(expected));
    EXPECT_EQ(taken.name, expected);
    EXPECT_THAT(found_in(taken), ElementsAre(becomes.empty() ? "name_style" : "name_style!"));
    EXPECT_EQ(taken.findings[0].pointer, "/event_name");
}

INSTANTIATE_TEST_SUITE_P(names, name_style,
                         testing::Values(name_case{"LevelUp", "level_up"}, name_case{"levelUp", "level_up"},
                                         name_case{"level-up", "level_up"}, name_case{"level up", "level_up"},
                                         name_case{"Level Up!", "level_up"},
                                         name_case{"HTTPError", "http_error"}, name_case{"userID", "user_id"},
                                         name_case{"step2Done", "step2_done"}, name_case{"a__b", "a_b"},
                                         name_case{"_a", "a"}, name_case{"a_", "a"},
                                         name_case{"ALLCAPS", "allcaps"}, name_case{"$purchase", "purchase"},
                                         name_case{"shop.cart/added", "shop_cart_added"}, name_case{"A", "a"},
                                         name_case{"café", ""}, name_case{"购买", ""}, name_case{"!!!", ""},
                                         name_case{"_", ""}));

TEST(name_style, leaves_snake_case_alone) {
    for (const std::string_view name : {"a", "item_viewed", "step2", "2nd_step", "a_1_b"}) {
        EXPECT_TRUE(is_snake_case(name)) << name;
        EXPECT_THAT(found_in(taken_under(with_check(rule::name_style, action::fix), named(name))), IsEmpty());
    }
    EXPECT_FALSE(is_snake_case(""));
}

TEST(name_style, that_is_mended_makes_the_identity_of_the_mended_name) {
    const policy_settings fix = with_check(rule::name_style, action::fix);
    const std::string id = R"("event_id":"i",)";
    const event mended = taken_under(fix, "{" + id + R"("event_name":"LevelUp","user_id":"u"})");
    const event right = taken_under(fix, "{" + id + R"("event_name":"level_up","user_id":"u"})");
    EXPECT_EQ(mended.identity, right.identity);
}

TEST(documented_name, is_recognised_by_all_but_its_spelling) {
    for (const std::string_view name :
         {"Purchase_Completed", "purchase-completed", "Purchase Completed", "PURCHASE_COMPLETED"}) {
        const event warned = taken_under(with_check(rule::documented_name, action::warn), named(name));
        EXPECT_THAT(found_in(warned), ElementsAre("documented_name")) << name;
        EXPECT_THAT(warned.findings[0].message, HasSubstr("purchase_completed"));
        EXPECT_EQ(taken_under(with_check(rule::documented_name, action::fix), named(name)).body,
                  named("purchase_completed"));
    }
    EXPECT_THAT(found_in(taken_under(with_check(rule::documented_name, action::warn), named("item_viewed"))),
                IsEmpty());
    EXPECT_THAT(found_in(taken_under(with_check(rule::documented_name, action::warn), named("Items-Viewed"))),
                IsEmpty());
}

TEST(documented_name, is_said_once_and_not_as_a_fault_of_style_too) {
    policy_settings both = with_check(rule::documented_name, action::warn);
    both.checks[rule::name_style] = action::warn;
    EXPECT_THAT(found_in(taken_under(both, named("Item-Viewed"))), ElementsAre("documented_name"));
    both.checks[rule::documented_name] = action::off;
    EXPECT_THAT(found_in(taken_under(both, named("Item-Viewed"))), ElementsAre("name_style"));
}

TEST(long_field, counts_characters_not_bytes) {
    const policy_settings settings = with_check(rule::long_field, action::warn);
    const auto repeated = [](std::string_view text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) {
            out += text;
        }
        return out;
    };
    const auto found = [&](const std::string& key, const std::string& text) {
        return found_in(taken_under(settings, with_data("{\"" + key + "\":\"" + text + "\"}")));
    };
    EXPECT_THAT(found(repeated("k", 128), repeated("t", 256)), IsEmpty());
    EXPECT_THAT(found(repeated("ü", 128), repeated("₹", 256)), IsEmpty());
    EXPECT_THAT(found(repeated("\\u00fc", 128), repeated("\\n", 256)), IsEmpty());
    EXPECT_THAT(found(repeated("k", 129), "t"), ElementsAre("long_field"));
    EXPECT_THAT(found("k", repeated("₹", 257)), ElementsAre("long_field"));
}

TEST(long_field, is_named_by_a_pointer_with_its_escapes) {
    const event taken = taken_under(with_check(rule::long_field, action::warn),
                                    with_data(R"({"a/b~c":")" + std::string(257, 't') + R"("})"));
    ASSERT_EQ(taken.findings.size(), 1U);
    EXPECT_EQ(taken.findings[0].pointer, "/event_data/a~1b~0c");
}

TEST(placeholder_user, is_what_programs_print_for_nobody) {
    const policy_settings settings = with_check(rule::placeholder_user, action::reject);
    const auto text = [](std::string_view user) {
        return R"({"event_name":"a","user_id":")" + std::string(user) + R"("})";
    };
    for (const std::string_view user : {"null", "NULL", "undefined", "None", "nil", "NaN", "0", "-1", " 0 ",
                                        "[object Object]", "{{user_id}}", "${USER}", "<%= user %>", "#{id}",
                                        "%(user)s", "00000000-0000-0000-0000-000000000000"}) {
        const auto parsed = parse_under(settings, text(user));
        ASSERT_TRUE(std::holds_alternative<violation>(parsed)) << user;
        EXPECT_EQ(std::get<violation>(parsed).code, "placeholder_user");
        EXPECT_EQ(std::get<violation>(parsed).pointer, "/user_id");
    }
    for (const std::string_view user :
         {"nullius", "10", "u-0", "{x}", "00000000-0000-0000-0000-000000000001"}) {
        EXPECT_THAT(found_in(taken_under(settings, text(user))), IsEmpty()) << user;
    }
    EXPECT_THAT(found_in(taken_under(settings, R"({"event_name":"a","install_instance_id":"0"})")),
                IsEmpty());
}

TEST(missing_amount, is_said_of_names_that_speak_of_revenue) {
    policy_settings settings = with_check(rule::missing_amount, action::warn);
    settings.revenue_names = {"purchase_completed", "order_*"};
    EXPECT_THAT(found_in(taken_under(settings, named("purchase_completed"))), ElementsAre("missing_amount"));
    EXPECT_THAT(found_in(taken_under(settings, named("order_paid"))), ElementsAre("missing_amount"));
    EXPECT_THAT(found_in(taken_under(settings, named("purchase_initiated"))), IsEmpty());
    EXPECT_THAT(found_in(taken_under(
                    settings, R"({"event_name":"order_paid","user_id":"u","event_data":{"amount":1}})")),
                IsEmpty());
}

TEST(rules_per_name, override_what_holds_for_all_and_the_first_match_counts) {
    policy_settings settings = with_check(rule::amount_as_string, action::fix);
    name_rule lenient;
    lenient.names = {"legacy_*"};
    lenient.checks[static_cast<std::size_t>(rule::amount_as_string)] = action::off;
    lenient.lane = 3;
    lenient.ambiguous_dead = true;
    name_rule dropped;
    dropped.names = {"debug_*", "legacy_*"};
    dropped.drop = true;
    settings.rules = {lenient, dropped};
    const std::string legacy = R"({"event_name":"legacy_sale","user_id":"u","event_data":{"amount":"1"}})";
    const event taken = taken_under(settings, legacy);
    EXPECT_EQ(taken.body, legacy);
    EXPECT_EQ(taken.lane, 3);
    EXPECT_EQ(taken.ambiguous_dead, true);
    EXPECT_FALSE(taken.filtered);
    EXPECT_TRUE(taken_under(settings, named("debug_tick")).filtered);
    const event other = taken_under(settings, named("a"));
    EXPECT_FALSE(other.filtered);
    EXPECT_EQ(other.lane, std::nullopt);
    EXPECT_EQ(other.ambiguous_dead, std::nullopt);
}

} // namespace
} // namespace linkrunner::event
