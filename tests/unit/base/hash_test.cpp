#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace linkrunner {
namespace {

// The spool stores these numbers: a version of the library that hashes otherwise would forget every identity
// and mistake users. XXH3 has been frozen since 0.8.0; the values were taken from `xxhsum -H3` and `-H2`.
TEST(hash, is_xxh3_as_frozen) {
    EXPECT_EQ(hash64(0, ""), 0x2D06800538D394C2u);
    EXPECT_EQ(hash64(0, "linkrunner"), 0x0905CDF6311D8817u);
    EXPECT_EQ(hash64(0, std::string(1000, 'x')), 0xC0A4877B962CBA82u);
    EXPECT_EQ(hash128(0, {"linkrunner"}), (fingerprint{0xAB8783D51B0018AE, 0x855BBD70E2F896F3}));
}

TEST(hash, depends_on_seed_and_text) {
    EXPECT_EQ(hash64(1, "user"), hash64(1, "user"));
    EXPECT_NE(hash64(1, "user"), hash64(2, "user"));
    EXPECT_NE(hash64(1, "user"), hash64(1, "users"));
    EXPECT_NE(hash128(1, {"user"}), hash128(2, {"user"}));
}

TEST(hash, of_several_fields_tells_where_one_ends) {
    std::set<fingerprint> all;
    all.insert(hash128(0, {}));
    all.insert(hash128(0, {""}));
    all.insert(hash128(0, {"", ""}));
    all.insert(hash128(0, {"abc"}));
    all.insert(hash128(0, {"ab", "c"}));
    all.insert(hash128(0, {"a", "bc"}));
    all.insert(hash128(0, {"abc", ""}));
    all.insert(hash128(0, {"", "abc"}));
    EXPECT_EQ(all.size(), 8u);
}

TEST(hash, takes_bytes_of_any_value) {
    using namespace std::string_view_literals;
    EXPECT_NE(hash64(0, "a\0b"sv), hash64(0, "a"sv));
    EXPECT_NE(hash128(0, {"\0"sv}), hash128(0, {""sv}));
}

} // namespace
} // namespace linkrunner
