#include "net/keyed_hash.hpp"

#include <gtest/gtest.h>

namespace linkrunner::net {
namespace {

// RFC 4231 section 4.3.
TEST(keyed_hash, is_that_of_the_test_vector) {
    EXPECT_EQ(keyed_hash("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(keyed_hash, depends_on_key_and_text_and_takes_both_empty) {
    EXPECT_NE(keyed_hash("a", "text"), keyed_hash("b", "text"));
    EXPECT_NE(keyed_hash("a", "text"), keyed_hash("a", "texts"));
    EXPECT_EQ(keyed_hash("", "").size(), 64U);
}

} // namespace
} // namespace linkrunner::net
