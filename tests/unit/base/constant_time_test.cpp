#include "base/constant_time.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace linkrunner {
namespace {

using namespace std::string_view_literals;

TEST(constant_time_equal, is_equality_of_bytes) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("key", "key"));
    EXPECT_TRUE(constant_time_equal("a\0b"sv, "a\0b"sv));
    EXPECT_FALSE(constant_time_equal("a\0b"sv, "a\0c"sv));
    EXPECT_FALSE(constant_time_equal("key", "kez"));
    EXPECT_FALSE(constant_time_equal("key", "Key"));
    EXPECT_FALSE(constant_time_equal("key", "ke"));
    EXPECT_FALSE(constant_time_equal("key", "keyy"));
    EXPECT_FALSE(constant_time_equal("key", ""));
    EXPECT_FALSE(constant_time_equal("\xFF", "\x7F"));
}

} // namespace
} // namespace linkrunner
