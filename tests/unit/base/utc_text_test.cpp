#include "base/utc_text.hpp"

#include <gtest/gtest.h>

namespace linkrunner {
namespace {

using std::chrono::milliseconds;

std::string text_at(std::int64_t since_epoch) {
    return utc_text(std::chrono::sys_time<milliseconds>(milliseconds(since_epoch)));
}

TEST(utc_text, is_rfc_3339_with_milliseconds) {
    EXPECT_EQ(text_at(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(text_at(951'782'399'007), "2000-02-28T23:59:59.007Z");
    EXPECT_EQ(text_at(951'782'400'000), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(text_at(-1), "1969-12-31T23:59:59.999Z");
}

} // namespace
} // namespace linkrunner
