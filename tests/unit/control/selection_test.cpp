#include "control/selection.hpp"

#include "base/utf8.hpp"
#include "control/letter_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::control {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(query_fields, are_decoded) {
    EXPECT_THAT(query_fields("event_name=cart%5fadded+x&&from=%zz&limit"),
                ElementsAre(Pair("event_name", "cart_added x"), Pair("from", "%zz"), Pair("limit", "")));
    EXPECT_THAT(query_fields("a=%"), ElementsAre(Pair("a", "%")));
}

TEST(selection, keeps_numbers_in_order_and_once) {
    EXPECT_THAT(read_selection(R"({"numbers":[9,3,9]})", wall_time{})->numbers, ElementsAre(3, 9));
}

TEST(as_utf8, replaces_what_is_none) {
    EXPECT_EQ(as_utf8("plain \xE2\x82\xAC \xF0\x9F\x98\x80"), "plain \xE2\x82\xAC \xF0\x9F\x98\x80");
    EXPECT_EQ(as_utf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");          // cut short
    EXPECT_EQ(as_utf8("\xC0\x80").find('\0'), std::string::npos);        // overlong
    EXPECT_EQ(as_utf8("\xED\xA0\x80x").back(), 'x');                     // a surrogate
    EXPECT_EQ(as_utf8("\xF4\x90\x80\x80").substr(0, 3), "\xEF\xBF\xBD"); // beyond U+10FFFF
}

} // namespace
} // namespace linkrunner::control
