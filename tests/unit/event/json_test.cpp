// Which texts are JSON to us. docs/intake-json.md lists the same cases for people.
#include "unit/event/parsing.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace linkrunner::event {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

struct odd_text {
    const char* what;
    std::string text;
    std::string code;
    std::size_t line, column;
    std::string says;
};

class odd_json : public testing::TestWithParam<odd_text> {};

TEST_P(odd_json, is_refused_by_its_code_at_its_place) {
    const odd_text& odd = GetParam();
    const violation why = refused(odd.text);
    EXPECT_EQ(why.code, odd.code);
    EXPECT_EQ(why.line, odd.line) << odd.text;
    EXPECT_EQ(why.column, odd.column) << odd.text;
    EXPECT_EQ(why.pointer, "");
    EXPECT_THAT(why.message, HasSubstr(odd.says));
}

const std::vector<odd_text> odd_texts = {
    {"nothing", "", "malformed_json", 1, 1, "no JSON here"},
    {"whitespace_only", " \r\n\t ", "malformed_json", 2, 3, "no JSON here"},
    {"byte_order_mark", "\xEF\xBB\xBF" + event_with(""), "malformed_json", 1, 1, "byte order mark"},
    {"cut_in_object", R"({"event_name":"a")", "malformed_json", 1, 18, "ends too early"},
    {"cut_in_string", R"({"event_name":"a)", "malformed_json", 1, 17, "ends too early"},
    {"cut_in_escape", R"({"event_name":"\u00)", "malformed_json", 1, 20, "ends too early"},
    {"cut_in_number", R"({"n":12)", "malformed_json", 1, 8, "ends too early"},
    {"trailing_text", event_with("") + " x", "malformed_json", 1, 34, "more follows"},
    {"second_object", event_with("") + "\n" + event_with(""), "malformed_json", 2, 1, "one per line"},
    {"trailing_null_byte", event_with("") + "\0"s, "malformed_json", 1, 33, "more follows"},
    {"line_comment", "{// no\n}", "malformed_json", 1, 2, "comments"},
    {"block_comment", "{}/**/", "malformed_json", 1, 3, "more follows"},
    {"comment_in_front", "/*x*/{}", "malformed_json", 1, 1, "comments"},
    {"trailing_comma", R"({"a":1,})", "malformed_json", 1, 8, "comma too many"},
    {"trailing_comma_in_array", R"({"a":[1 , ]})", "malformed_json", 1, 11, "comma too many"},
    {"missing_comma", "{\"a\":1\n\"b\":2}", "malformed_json", 2, 1, "'\"' is not expected"},
    {"missing_colon", R"({"a" 1})", "malformed_json", 1, 6, "'1' is not expected"},
    {"missing_value", R"({"a":})", "malformed_json", 1, 6, "'}' is not expected"},
    {"wrong_bracket", R"({"a":[1})", "malformed_json", 1, 8, "'}' is not expected"},
    {"single_quotes", "{'a':1}", "malformed_json", 1, 2, "double quotes"},
    {"bare_key", "{a:1}", "malformed_json", 1, 2, "'a' is not expected"},
    {"curly_quotes", "{\u201Ca\u201D:1}", "malformed_json", 1, 2, "only has inside strings"},
    {"nan", data_with("NaN"), "malformed_json", 1, 20, "NaN"},
    {"infinity", data_with("Infinity"), "malformed_json", 1, 20, "Infinity"},
    {"negative_infinity", data_with("-Infinity"), "malformed_json", 1, 21, "Infinity"},
    {"undefined", data_with("undefined"), "malformed_json", 1, 20, "'u' is not expected"},
    {"python_true", data_with("True"), "malformed_json", 1, 20, "'T' is not expected"},
    {"leading_zero", data_with("01"), "malformed_json", 1, 21, "'1' is not expected"},
    {"leading_plus", data_with("+1"), "malformed_json", 1, 20, "'+' is not expected"},
    {"leading_point", data_with(".5"), "malformed_json", 1, 20, "'.' is not expected"},
    {"trailing_point", data_with("1."), "malformed_json", 1, 22, "'}' is not expected"},
    {"hexadecimal", data_with("0x1F"), "malformed_json", 1, 21, "'x' is not expected"},
    {"exponent_without_digits", data_with("1e"), "malformed_json", 1, 22, "'}' is not expected"},
    {"exponent_beyond_reason", data_with("1e99999999999"), "malformed_json", 1, 31, "exponent"},
    {"raw_line_feed_in_string", data_with("\"\n\""), "malformed_json", 1, 21, "escape"},
    {"raw_tab_in_string", data_with("\"\t\""), "malformed_json", 1, 21, "escape"},
    {"raw_null_byte_in_string", data_with("\"\0\""s), "malformed_json", 1, 21, "escape"},
    {"null_byte_between", "{\0}"s, "malformed_json", 1, 2, "escape"},
    {"form_feed_between", "{\f}", "malformed_json", 1, 2, "escape"},
    {"no_break_space_between", "{\u00A0}", "malformed_json", 1, 2, "only has inside strings"},
    {"unknown_escape", data_with(R"("\x41")"), "malformed_json", 1, 22, "'x' is not expected"},
    {"escape_not_hexadecimal", data_with(R"("\u12G4")"), "malformed_json", 1, 24, "four hexadecimal"},
    {"lone_leading_surrogate", data_with(R"("\ud83d")"), "malformed_json", 1, 27, "surrogate"},
    {"lone_leading_surrogate_then_escape", data_with(R"("\uD83D\n")"), "malformed_json", 1, 28, "surrogate"},
    {"lone_trailing_surrogate", data_with(R"("\ude00 and more text")"), "malformed_json", 1, 22, "surrogate"},
    {"two_leading_surrogates", data_with(R"("\ud83d\ud83d and more")"), "malformed_json", 1, 29, "surrogate"},
    {"not_utf8", data_with("\"\xFF\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"latin_1", data_with("\"caf\xE9 au lait\""), "invalid_utf8", 1, 24, "UTF-8"},
    {"overlong_slash", data_with("\"\xC0\xAF\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"overlong_null", data_with("\"\xC0\x80\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"surrogate_as_utf8", data_with("\"\xED\xA0\x80\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"beyond_unicode", data_with("\"\xF4\x90\x80\x80\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"lonely_continuation", data_with("\"\x80\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"sequence_cut_by_quote", data_with("\"\xF0\x9F\x98\""), "invalid_utf8", 1, 21, "UTF-8"},
    {"sequence_behind_escape", data_with("\"\\n\xFF\""), "invalid_utf8", 1, 23, "UTF-8"},
    {"sequence_cut_near_end", "{\"a\":\"\xF0\"}", "invalid_utf8", 1, 7, "UTF-8"},
    {"invalid_utf8_in_key", "{\"\xFF\":1}", "invalid_utf8", 1, 3, "UTF-8"},
    {"utf16", "{\0\"\0a\0\"\0"s, "malformed_json", 1, 2, "escape"},
};

INSTANTIATE_TEST_SUITE_P(each, odd_json, testing::ValuesIn(odd_texts),
                         [](const auto& tested) { return tested.param.what; });

TEST(json, line_and_column_count_bytes_from_the_start_of_what_was_sent) {
    const violation why = refused("\n\n  {\"event_name\": \"\u00E4\", x}");
    EXPECT_EQ(why.line, 3u);
    EXPECT_EQ(why.column, 24u); // the umlaut takes two
}

TEST(json, a_scalar_or_array_at_the_top_is_not_an_object) {
    for (const char* const text : {"null", "true", "42", "-1.5e3", "\"text\"", "[]", "[{}]"}) {
        const violation why = refused(text);
        EXPECT_EQ(why.code, "not_an_object") << text;
        EXPECT_EQ(why.line, 0u);
    }
    EXPECT_THAT(refused("[]").message, HasSubstr("/v1/events"));
}

std::string nested(std::size_t levels, char open, char close) {
    return std::string(levels, open) + std::string(levels, close);
}

TEST(json, nesting_is_bounded_and_the_event_itself_counts) {
    parse_options options;
    options.limits.max_depth = 10;
    accepted(event_with("\"x\":" + nested(9, '[', ']') + ","), options);
    const violation why = refused(event_with("\"x\":" + nested(10, '[', ']') + ","), options);
    EXPECT_EQ(why.code, "too_deep");
    EXPECT_EQ(why.line, 1u);
    EXPECT_EQ(why.column, 15u); // of the bracket that is one too many
    EXPECT_THAT(why.message, HasSubstr("10 levels"));
}

TEST(json, very_deep_nesting_is_refused_without_harm) {
    EXPECT_EQ(refused(std::string(900'000, '[')).code, "too_deep");
    EXPECT_EQ(refused(std::string(100'000, '{')).code, "malformed_json");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) {
        objects += R"({"a":)";
    }
    EXPECT_EQ(refused(objects).code, "too_deep");
}

// All of this is sound JSON, however unusual, and passes.
TEST(json, unusual_but_valid_values_pass_as_they_came) {
    for (const std::string value : {
             R"("")",
             R"({"":1})",
             R"({"":1,"":2})",
             R"({"k":1,"k":2})",
             R"("\u0000")",
             R"("\ud83d\ude00")",
             R"("\/\b\f\n\r\t\"\\")",
             "\"\u2028\u2029\x7F\"",
             "\"\U0010FFFF\"",
             R"("\uFFFE\uffff")",
             "9007199254740993",
             "-9223372036854775809",
             "18446744073709551616",
             "123456789012345678901234567890123456789012345678901234567890",
             "0.1000000000000000055511151231257827021181583404541015625",
             "3.14159265358979323846264338327950288419716939937510",
             "1e400",
             "-1E+400",
             "1e-400",
             "1e2147483647",
             "-0",
             "-0.0",
             "[[],{},null,true,false]",
             " [ 1 ,\t2\r\n] ",
         }) {
        const std::string text = data_with(value);
        EXPECT_EQ(accepted(text, no_id_added()).body, text);
    }
}

} // namespace
} // namespace linkrunner::event
