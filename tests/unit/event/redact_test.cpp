// What is to be taken out is gone, and everything else stays byte for byte.
#include "unit/event/policing.hpp"

#include <gmock/gmock.h>

namespace linkrunner::event {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string without(const redaction& what, std::string_view text) {
    policy_settings settings;
    settings.redact = {what};
    return taken_under(settings, text).body;
}

std::string data_without(const redaction& what, std::string_view data) {
    const std::string whole = without(what, with_data(data));
    const std::string frame = with_data("");
    return whole.substr(frame.size() - 1, whole.size() - frame.size());
}

redaction key(std::string_view name, redaction_kind what = redaction_kind::remove) {
    return {std::string(name), "", what, {}};
}

redaction at(std::string_view pointer, redaction_kind what = redaction_kind::remove) {
    return {"", std::string(pointer), what, {}};
}

TEST(redaction, of_a_key_removes_the_member_wherever_it_stands_in_its_object) {
    EXPECT_EQ(data_without(key("e"), R"({"e":1})"), "{}");
    EXPECT_EQ(data_without(key("e"), R"({"e":1,"b":2})"), R"({"b":2})");
    EXPECT_EQ(data_without(key("e"), R"({"a":1,"e":2})"), R"({"a":1})");
    EXPECT_EQ(data_without(key("e"), R"({"a":1, "e" : 2 , "b":3})"), R"({"a":1, "b":3})");
    EXPECT_EQ(data_without(key("e"), R"({"e":1,"e":2})"), "{}");
    EXPECT_EQ(data_without(key("e"), R"({"a":0,"e":1,"e":2})"), R"({"a":0})");
    EXPECT_EQ(data_without(key("e"), R"({"e":1,"a":0,"e":2,"e":3,"b":4,"e":5})"), R"({"a":0,"b":4})");
    EXPECT_EQ(data_without(key("e"), R"({"a":0,"e":1,"b":{"e":{"x":[1]}},"e":2})"), R"({"a":0,"b":{}})");
}

TEST(redaction, finds_keys_at_any_depth_in_any_case_and_behind_escapes) {
    EXPECT_EQ(data_without(key("email"), R"({"a":[{"EMail":"x","b":[[{"email":"y"}]]}]})"),
              R"({"a":[{"b":[[{}]]}]})");
    EXPECT_EQ(data_without(key("email"), R"({"\u0065mail":"x","z":1})"), R"({"z":1})");
    EXPECT_EQ(data_without(key("*email*"), R"({"userEmailAddress":"x","mail":"y"})"), R"({"mail":"y"})");
    EXPECT_EQ(data_without(key("email"), R"({"emails":"x"})"), R"({"emails":"x"})");
    EXPECT_EQ(without(key("client_ip_address"),
                      R"({"client_ip_address":"10.0.0.1","event_name":"a","user_id":"u"})"),
              R"({"event_name":"a","user_id":"u"})");
}

TEST(redaction, masks_and_hashes_values_of_every_kind) {
    EXPECT_EQ(data_without(key("e", redaction_kind::mask), R"({"e":"x","f":{"e":[1,2]},"g":{"e":null}})"),
              R"({"e":"***","f":{"e":"***"},"g":{"e":"***"}})");
    EXPECT_EQ(data_without(key("e", redaction_kind::hash), R"({"e":"x\u0079","f":{"e":[1, 2]}})"),
              R"({"e":"<xy>","f":{"e":"<[1, 2]>"}})");
}

TEST(redaction, by_pointer_takes_one_place) {
    EXPECT_EQ(data_without(at("/event_data/a/e"), R"({"e":0,"a":{"e":1},"b":{"e":2}})"),
              R"({"e":0,"a":{},"b":{"e":2}})");
    EXPECT_EQ(data_without(at("/event_data/a/1", redaction_kind::mask), R"({"a":[1,2,3]})"),
              R"({"a":[1,"***",3]})");
    EXPECT_EQ(data_without(at("/event_data/a/1"), R"({"a":[1,2,3]})"), R"({"a":[1,null,3]})");
    EXPECT_EQ(data_without(at("/event_data/x~1y~0z"), R"({"x/y~z":1})"), "{}");
    EXPECT_EQ(data_without(at("/event_data/a/01"), R"({"a":[1,2]})"), R"({"a":[1,2]})");
}

TEST(redaction, leaves_what_makes_an_event_one) {
    const std::string text =
        R"({"event_name":"a","user_id":"u","install_instance_id":"i","event_id":"e","event_data":{"x":1}})";
    EXPECT_EQ(without(key("*"), text),
              R"({"event_name":"a","user_id":"u","install_instance_id":"i","event_id":"e","event_data":{}})");
    EXPECT_EQ(
        without(key("user_id", redaction_kind::hash), text),
        R"({"event_name":"a","user_id":"<u>","install_instance_id":"i","event_id":"e","event_data":{"x":1}})");
}

TEST(redaction, makes_the_identity_and_the_hash_of_the_body_of_what_is_left) {
    policy_settings settings;
    settings.redact = {key("email", redaction_kind::mask), key("user_id", redaction_kind::hash)};
    const auto text = [](std::string_view email) {
        return R"({"event_name":"a","user_id":"u","event_id":"i","event_data":{"email":")" +
               std::string(email) + R"("}})";
    };
    const event one = taken_under(settings, text("a@example.com"));
    const event two = taken_under(settings, text("b@example.com"));
    EXPECT_EQ(one.body_hash, two.body_hash);
    EXPECT_EQ(one.identity, two.identity);
    EXPECT_NE(one.user_key, taken_under({}, text("a@example.com")).user_key);
    EXPECT_THAT(one.body, Not(HasSubstr("example.com")));
}

TEST(redaction, happens_before_the_checks_so_that_no_finding_tells_the_value) {
    policy_settings settings = with_check(rule::long_field, action::warn);
    settings.redact = {key("note", redaction_kind::mask)};
    const event taken = taken_under(settings, with_data(R"({"note":")" + std::string(300, 's') + R"("})"));
    EXPECT_TRUE(taken.findings.empty());
}

TEST(redaction, may_be_for_some_names_only) {
    policy_settings settings;
    settings.redact = {{"e", "", redaction_kind::remove, {"signup_*"}}};
    EXPECT_EQ(taken_under(settings, with_data(R"({"e":1})")).body, with_data(R"({"e":1})"));
    EXPECT_EQ(
        taken_under(settings, R"({"event_name":"signup_done","user_id":"u","event_data":{"e":1}})").body,
        R"({"event_name":"signup_done","user_id":"u","event_data":{}})");
}

TEST(redaction, that_finds_nothing_changes_nothing) {
    const std::string text =
        "{ \"event_name\" : \"a\" , \"user_id\":\"u\", \"event_data\" : { \"b\" : 1.50 } }";
    EXPECT_EQ(without(key("email"), text), text);
}

} // namespace
} // namespace linkrunner::event
