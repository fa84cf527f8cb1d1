#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <system_error>

namespace linkrunner {
namespace {

TEST(error, of_the_system_says_what_failed_and_why) {
    const error failure = system_failure(ENOSPC, "write /spool/1");
    EXPECT_EQ(failure.code, std::errc::no_space_on_device);
    EXPECT_EQ(failure.message, "write /spool/1: No space left on device");
}

TEST(error, taken_for_a_value_is_thrown) {
    const result<int> failed = make_error(std::errc::invalid_argument, "no number");
    EXPECT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "no number");
    EXPECT_THROW(static_cast<void>(failed.value()), std::system_error);
}

TEST(invariant, that_is_broken_stops_the_program_with_its_text) {
    LINKRUNNER_INVARIANT(1 + 1 == 2);
    EXPECT_DEATH(LINKRUNNER_INVARIANT(1 + 1 == 3), "broken invariant: 1 \\+ 1 == 3 .*error_test.cpp");
}

} // namespace
} // namespace linkrunner
