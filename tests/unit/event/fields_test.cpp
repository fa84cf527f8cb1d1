// What an event must hold, member by member.
#include "unit/event/parsing.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace linkrunner::event {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct faulty_event {
    const char* what;
    std::string text;
    std::string code;
    std::string pointer;
    std::string says;
};

class faulty : public testing::TestWithParam<faulty_event> {};

TEST_P(faulty, is_refused_by_code_and_pointer) {
    const faulty_event& given = GetParam();
    const violation why = refused(given.text);
    EXPECT_EQ(why.code, given.code);
    EXPECT_EQ(why.pointer, given.pointer);
    EXPECT_EQ(why.line, 0u);
    EXPECT_EQ(why.column, 0u);
    EXPECT_THAT(why.message, HasSubstr(given.says));
}

const std::string long_text(1025, 'x');

const std::vector<faulty_event> faulty_events = {
    {"empty_object", "{}", "missing_field", "/event_name", "send the name"},
    {"blank_object", " { \n } ", "missing_field", "/event_name", "send the name"},
    {"no_name", R"({"user_id":"u"})", "missing_field", "/event_name", "is missing"},
    {"null_name", R"({"event_name":null,"user_id":"u"})", "missing_field", "/event_name", "is missing"},
    {"empty_name", R"({"event_name":"","user_id":"u"})", "empty_field", "/event_name", "empty"},
    {"blank_name", R"({"event_name":" \t\n","user_id":"u"})", "empty_field", "/event_name", "blank"},
    {"number_as_name", R"({"event_name":7,"user_id":"u"})", "mistyped_field", "/event_name", "a number"},
    {"object_as_name", R"({"event_name":{},"user_id":"u"})", "mistyped_field", "/event_name", "an object"},
    {"long_name", R"({"event_name":")" + long_text + R"(","user_id":"u"})", "field_too_long", "/event_name",
     "1024 bytes"},
    {"name_with_null", R"({"event_name":"a\u0000b","user_id":"u"})", "forbidden_character", "/event_name",
     "U+0000"},

    {"no_user", R"({"event_name":"a"})", "missing_field", "/user_id", "install_instance_id"},
    {"null_user", R"({"event_name":"a","user_id":null})", "missing_field", "/user_id", "install_instance_id"},
    {"empty_user", R"({"event_name":"a","user_id":""})", "empty_field", "/user_id", "empty"},
    {"empty_user_beside_install", R"({"event_name":"a","user_id":"","install_instance_id":"i"})",
     "empty_field", "/user_id", "empty"},
    {"number_as_user", R"({"event_name":"a","user_id":42})", "mistyped_field", "/user_id",
     "send it as a string"},
    {"number_as_user_beside_install", R"({"event_name":"a","user_id":42,"install_instance_id":"i"})",
     "mistyped_field", "/user_id", "send it as a string"},
    {"boolean_as_user", R"({"event_name":"a","user_id":true})", "mistyped_field", "/user_id", "a boolean"},
    {"array_as_user", R"({"event_name":"a","user_id":["u"]})", "mistyped_field", "/user_id", "an array"},
    {"long_user", R"({"event_name":"a","user_id":")" + long_text + "\"}", "field_too_long", "/user_id",
     "1024"},
    {"user_with_null", R"({"event_name":"a","user_id":"\u0000"})", "forbidden_character", "/user_id",
     "U+0000"},
    {"number_as_install", R"({"event_name":"a","install_instance_id":1})", "mistyped_field",
     "/install_instance_id", "send it as a string"},
    {"blank_install", R"({"event_name":"a","install_instance_id":" "})", "empty_field",
     "/install_instance_id", "blank"},

    {"empty_id", event_with(R"("event_id":"",)"), "empty_field", "/event_id", "empty"},
    {"number_as_id", event_with(R"("event_id":12,)"), "mistyped_field", "/event_id", "send it as a string"},
    {"long_id", event_with(R"("event_id":")" + long_text + "\","), "field_too_long", "/event_id", "1024"},
    {"id_with_null", event_with(R"("event_id":"1\u0000",)"), "forbidden_character", "/event_id", "U+0000"},

    {"array_as_data", event_with(R"("event_data":[],)"), "mistyped_field", "/event_data",
     "must be an object"},
    {"string_as_data", event_with(R"("event_data":"{}",)"), "mistyped_field", "/event_data", "is a string"},
    {"number_as_data", event_with(R"("event_data":0,)"), "mistyped_field", "/event_data", "is a number"},
    {"number_as_address", event_with(R"("client_ip_address":0,)"), "mistyped_field", "/client_ip_address",
     "must be a string"},

    {"name_twice", event_with(R"("event_name":"b",)"), "duplicate_field", "/event_name", "twice"},
    {"same_name_twice", event_with(R"("event_name":"a",)"), "duplicate_field", "/event_name", "twice"},
    {"name_twice_by_escape", event_with(R"("\u0065vent_name":"b",)"), "duplicate_field", "/event_name",
     "twice"},
    {"user_twice", event_with(R"("user_id":"u",)"), "duplicate_field", "/user_id", "twice"},
    {"user_twice_once_null", event_with(R"("user_id":null,)"), "duplicate_field", "/user_id", "twice"},
    {"id_twice", event_with(R"("event_id":"1","event_id":"2",)"), "duplicate_field", "/event_id", "twice"},
    {"id_null_twice", event_with(R"("event_id":null,"event_id":null,)"), "duplicate_field", "/event_id",
     "twice"},
    {"data_twice", event_with(R"("event_data":{},"event_data":{},)"), "duplicate_field", "/event_data",
     "twice"},
    {"install_twice", event_with(R"("install_instance_id":"i","install_instance_id":"i",)"),
     "duplicate_field", "/install_instance_id", "twice"},
    {"address_twice", event_with(R"("client_ip_address":"i","client_ip_address":"i",)"), "duplicate_field",
     "/client_ip_address", "twice"},
};

INSTANTIATE_TEST_SUITE_P(each, faulty, testing::ValuesIn(faulty_events),
                         [](const auto& tested) { return tested.param.what; });

TEST(fields, messages_do_not_repeat_what_was_sent) {
    EXPECT_THAT(refused(R"({"event_name":"a","user_id":49151623})").message, Not(HasSubstr("4915")));
}

TEST(fields, the_least_event_is_taken) {
    const event taken = accepted(R"({"event_name":"a","user_id":"u"})");
    EXPECT_EQ(taken.name, "a");
    EXPECT_EQ(taken.path, endpoint::capture_event);
    EXPECT_FALSE(taken.has_amount);
}

TEST(fields, an_install_id_stands_in_for_a_user) {
    accepted(R"({"event_name":"a","install_instance_id":"i"})");
    accepted(R"({"event_name":"a","user_id":null,"install_instance_id":"i"})");
    accepted(R"({"event_name":"a","user_id":"u","install_instance_id":null})");
}

TEST(fields, null_is_as_good_as_absent_for_optional_members) {
    accepted(event_with(R"("event_data":null,"event_id":null,"client_ip_address":null,)"));
}

TEST(fields, members_that_are_not_known_pass) {
    accepted(event_with(R"("Event_Name":1,"EVENT_ID":[],"":0,"x":{"event_name":1},"user_idx":3,)"));
}

TEST(fields, a_text_of_exactly_the_bound_is_taken) {
    const std::string text(1024, 'x');
    accepted(R"({"event_name":")" + text + R"(","user_id":")" + text + R"(","event_id":")" + text + "\"}");
}

TEST(fields, lengths_are_measured_unescaped) {
    parse_options options;
    options.limits.max_key_field_bytes = 3;
    EXPECT_EQ(accepted(R"({"event_name":"\u20AC","user_id":"u"})", options).name, "\u20AC");
    EXPECT_EQ(refused(R"({"event_name":"\u20ACx","user_id":"u"})", options).code, "field_too_long");
}

TEST(fields, escapes_are_undone_in_keys_and_values) {
    const event taken = accepted(
        R"({"\u0065vent_name":"caf\u00e9 \ud83d\ude00 \"x\" \/","user_\u0069d":"\u0075","event\u005fid":"i\\1"})");
    EXPECT_EQ(taken.name, "caf\u00E9 \U0001F600 \"x\" /");
    EXPECT_EQ(taken.event_id, "i\\1");
    const event plain = accepted(R"({"event_name":"a","user_id":"u"})");
    EXPECT_EQ(taken.user_key, plain.user_key);
}

TEST(fields, control_characters_other_than_null_pass_in_names) {
    EXPECT_EQ(accepted(R"({"event_name":"a\n\u001b\u007f","user_id":"u"})").name, "a\n\x1B\x7F");
}

struct amount_case {
    const char* data;
    bool found;
};

TEST(fields, an_amount_is_seen_in_event_data_only) {
    for (const auto& [data, found] : std::vector<amount_case>{
             {R"({"amount":1})", true},
             {R"({"amount":0})", true},
             {R"({"amount":"12.50"})", true},
             {R"({"x":"amount","am\u006funt":1})", true},
             {R"({"amount":null,"amount":1})", true},
             {R"({"amount":null})", false},
             {R"({"Amount":1})", false},
             {R"({"items":[{"amount":1}],"x":{"amount":1}})", false},
             {R"({"x":"\"amount\":1"})", false},
             {R"({})", false},
             {R"( { "x" : [ ] , "amount" : 1 } )", true},
         }) {
        EXPECT_EQ(accepted(event_with("\"event_data\":" + std::string(data) + ",")).has_amount, found)
            << data;
    }
    EXPECT_FALSE(accepted(event_with(R"("amount":1,)")).has_amount);
}

} // namespace
} // namespace linkrunner::event
