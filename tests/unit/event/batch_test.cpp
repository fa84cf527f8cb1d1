#include "event/batch.hpp"

#include "unit/event/parsing.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <vector>

namespace linkrunner::event {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct reading {
    std::vector<std::string> texts;
    std::vector<batch_item> items;
    std::optional<violation> end;
};

reading read(batch_format format, std::string_view body) {
    reading all;
    batch_reader reader(format, body);
    for (;;) {
        auto next = reader.next();
        if (const auto* const item = std::get_if<batch_item>(&next)) {
            EXPECT_EQ(item->index, all.items.size());
            EXPECT_EQ(item->text, body.substr(item->offset, item->text.size()));
            all.texts.emplace_back(item->text);
            all.items.push_back(*item);
            continue;
        }
        if (auto* const why = std::get_if<violation>(&next)) {
            all.end = std::move(*why);
        }
        EXPECT_TRUE(std::holds_alternative<std::monostate>(reader.next())) << "nothing comes after the end";
        return all;
    }
}

TEST(array, is_split_into_its_elements) {
    const reading all = read(batch_format::array, " [ {\"a\":[1,{}]} ,\n{},[2],\"x,]\\\"\",-1.5 , null ] \n");
    EXPECT_THAT(all.texts, ElementsAre("{\"a\":[1,{}]}", "{}", "[2]", "\"x,]\\\"\"", "-1.5", "null"));
    EXPECT_FALSE(all.end);
}

TEST(array, may_be_empty) {
    for (const char* const body : {"[]", " [ ] ", "\n[\n]\n"}) {
        const reading all = read(batch_format::array, body);
        EXPECT_THAT(all.texts, IsEmpty());
        EXPECT_FALSE(all.end);
    }
}

TEST(array, brackets_and_quotes_inside_strings_do_not_count) {
    const std::string element = R"({"a":"]},{[\"\\","b\"]":"[[[[[[[[[[[[[[[[[[[["})";
    EXPECT_THAT(read(batch_format::array, "[" + element + "," + element + "]").texts,
                ElementsAre(element, element));
}

TEST(array, deep_elements_are_found_whole) {
    for (const std::size_t depth : {1U, 7U, 8U, 9U, 10U, 16U, 17U, 100U, 1001U}) {
        std::string element(depth, '[');
        element += R"("]]]]]]]]]]",{},[])" + std::string(depth, ']');
        EXPECT_THAT(read(batch_format::array, "[" + element + "," + element + "]").texts,
                    ElementsAre(element, element));
    }
}

struct broken_array {
    const char* what;
    std::string body;
    std::size_t items; // before the break
    std::size_t line, column;
    std::string says;
};

class broken : public testing::TestWithParam<broken_array> {};

TEST_P(broken, array_condemns_the_body_at_its_place) {
    const broken_array& given = GetParam();
    const reading all = read(batch_format::array, given.body);
    EXPECT_EQ(all.items.size(), given.items);
    ASSERT_TRUE(all.end);
    EXPECT_EQ(all.end->code, "malformed_json");
    EXPECT_EQ(all.end->line, given.line);
    EXPECT_EQ(all.end->column, given.column);
    EXPECT_THAT(all.end->message, HasSubstr(given.says));
    EXPECT_TRUE(condemns_body(batch_format::array, *all.end));
}

const std::vector<broken_array> broken_arrays = {
    {"nothing", "", 0, 1, 1, "begins with '['"},
    {"an_object", "{}", 0, 1, 1, "begins with '['"},
    {"byte_order_mark", "\xEF\xBB\xBF[]", 0, 1, 1, "begins with '['"},
    {"only_open", "[", 0, 1, 2, "']' is missing"},
    {"not_closed", "[{}\n", 1, 2, 1, "']' is missing"},
    {"not_closed_behind_comma", "[{},", 1, 1, 5, "']' is missing"},
    {"missing_comma", "[{}\n {}]", 1, 2, 2, "',' or the closing ']'"},
    {"colon_for_comma", "[{}:{}]", 1, 1, 4, "',' or the closing ']'"},
    {"leading_comma", "[,{}]", 0, 1, 2, "comma too many"},
    {"double_comma", "[{},,{}]", 1, 1, 5, "comma too many"},
    {"trailing_comma", "[{},]", 1, 1, 5, "comma too many"},
    {"wrong_bracket", "[{}}", 1, 1, 4, "',' or the closing ']'"},
    {"wrong_bracket_at_once", "[}", 0, 1, 2, "comma too many"},
    {"trailing_text", "[{}] x", 1, 1, 6, "more follows"},
    {"second_array", "[{}]\n[{}]", 1, 2, 1, "more follows"},
    {"trailing_bracket", "[{}]]", 1, 1, 5, "more follows"},
    {"comment", "[{}/**/]", 1, 1, 4, "',' or the closing ']'"},
    {"word_with_quote", "[tru\"e\"]", 1, 1, 5, "',' or the closing ']'"},
    {"cut_in_element", "[{\"a\":1", 0, 1, 8, "ends inside an event"},
    {"cut_in_string", "[{\"a\":\"1", 0, 1, 9, "ends inside an event"},
    {"cut_in_escape", "[\"\\", 0, 1, 4, "ends inside an event"},
    {"cut_deep", "[" + std::string(10'000, '['), 0, 1, 10'002, "ends inside an event"},
    // A string without its end swallows what follows; the place of the mistake is found all the same.
    {"missing_quote", "[{\"a\":\"x},\n{\"b\":\"y\"}]", 0, 1, 11, "escape"},
};

INSTANTIATE_TEST_SUITE_P(each, broken, testing::ValuesIn(broken_arrays),
                         [](const auto& tested) { return tested.param.what; });

TEST(array, element_that_is_not_json_condemns_the_body_and_is_located_in_it) {
    const std::string body = "[" + event_with("") + ",\n  {\"event_name\": tru}]";
    const reading all = read(batch_format::array, body);
    ASSERT_EQ(all.items.size(), 2u);
    EXPECT_FALSE(all.end);
    violation why = refused(all.items[1].text);
    EXPECT_TRUE(condemns_body(batch_format::array, why));
    EXPECT_FALSE(condemns_body(batch_format::ndjson, why));
    locate_in_body(why, body, all.items[1]);
    EXPECT_EQ(why.line, 2u);
    EXPECT_EQ(why.column, 18u);
}

TEST(array, bracket_of_the_wrong_kind_is_found_when_the_element_is_parsed) {
    for (const std::string body : {R"([{"a":[1,2},{}])", R"([{"a":1,{}])", "[{]"}) {
        const reading all = read(batch_format::array, body);
        ASSERT_EQ(all.items.size(), 1u) << body;
        EXPECT_TRUE(condemns_body(batch_format::array, refused(all.items[0].text))) << body;
    }
}

TEST(array, element_with_a_faulty_field_does_not_condemn_the_body) {
    for (const char* const text : {"{}", "[]", "7"}) {
        violation why = refused(text);
        EXPECT_FALSE(condemns_body(batch_format::array, why));
        locate_in_body(why, text, {0, 0, text});
        EXPECT_EQ(why.line, 0u);
    }
    EXPECT_FALSE(condemns_body(batch_format::array, refused(std::string(100, '[') + std::string(100, ']'))));
    EXPECT_TRUE(condemns_body(batch_format::array, refused("{\"\xFF\":1}")));
}

TEST(ndjson, is_split_into_lines) {
    const std::string body = "{\"a\":1}\n{\"b\":2}\r\n  {\"c\":3}  \n{\"d\":4}";
    const reading all = read(batch_format::ndjson, body);
    EXPECT_THAT(all.texts, ElementsAre("{\"a\":1}", "{\"b\":2}", "  {\"c\":3}  ", "{\"d\":4}"));
    EXPECT_FALSE(all.end);
}

TEST(ndjson, blank_lines_take_no_index) {
    const reading all = read(batch_format::ndjson, "\n\r\n \t\n{}\n\n\n{}\n\n");
    EXPECT_THAT(all.texts, ElementsAre("{}", "{}"));
    EXPECT_EQ(all.items[1].offset, 11u);
}

TEST(ndjson, may_be_empty) {
    for (const char* const body : {"", "\n", "\r\n\r\n", "   "}) {
        EXPECT_THAT(read(batch_format::ndjson, body).texts, IsEmpty());
    }
}

TEST(ndjson, faulty_line_is_one_item_and_located_in_the_body) {
    const std::string body = event_with("") + "\r\n{oops}\n" + event_with("");
    const reading all = read(batch_format::ndjson, body);
    ASSERT_EQ(all.items.size(), 3u);
    violation why = refused(all.items[1].text);
    locate_in_body(why, body, all.items[1]);
    EXPECT_EQ(why.line, 2u);
    EXPECT_EQ(why.column, 2u);
}

TEST(ndjson, object_spread_over_lines_is_two_faulty_lines) {
    const reading all = read(batch_format::ndjson, "{\"event_name\":\n\"a\"}");
    ASSERT_EQ(all.items.size(), 2u);
    EXPECT_EQ(refused(all.texts[0]).code, "malformed_json");
    EXPECT_EQ(refused(all.texts[1]).code, "malformed_json");
}

TEST(locate, counts_lines_and_byte_columns_from_one) {
    const std::string_view body = "ab\n\u00E4\n";
    const auto at = [body](std::size_t offset) {
        std::size_t line = 0;
        std::size_t column = 0;
        locate(body, offset, line, column);
        return std::pair(line, column);
    };
    EXPECT_EQ(at(0), std::pair(std::size_t{1}, std::size_t{1}));
    EXPECT_EQ(at(2), std::pair(std::size_t{1}, std::size_t{3}));
    EXPECT_EQ(at(3), std::pair(std::size_t{2}, std::size_t{1}));
    EXPECT_EQ(at(5), std::pair(std::size_t{2}, std::size_t{3}));
    EXPECT_EQ(at(6), std::pair(std::size_t{3}, std::size_t{1}));
    std::size_t line = 0;
    std::size_t column = 0;
    locate({}, 0, line, column);
    EXPECT_EQ(line, 1u);
    EXPECT_EQ(column, 1u);
}

} // namespace
} // namespace linkrunner::event
