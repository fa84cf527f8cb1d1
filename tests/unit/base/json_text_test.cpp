#include "base/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace linkrunner {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "before ";
    append_json_string(out, text);
    return out;
}

TEST(json_string, plain_text_is_put_in_quotes_behind_what_is_there) {
    EXPECT_EQ(quoted("a b/c'"), "before \"a b/c'\"");
    EXPECT_EQ(quoted(""), "before \"\"");
}

TEST(json_string, quotes_backslashes_and_control_characters_are_escaped) {
    using namespace std::string_view_literals;
    EXPECT_EQ(quoted("\"\\\n\r\t\0\x1F\x7F"sv), "before \"\\\"\\\\\\n\\r\\t\\u0000\\u001f\x7F\"");
}

TEST(json_string, utf8_passes_as_it_is) {
    EXPECT_EQ(quoted("\u00E4\U0001F600"), "before \"\u00E4\U0001F600\"");
}

} // namespace
} // namespace linkrunner
