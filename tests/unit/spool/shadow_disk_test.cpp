#include "spool/shadow_disk.hpp"

#include "spool/whole_file.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::spool {
namespace {

class shadowing : public ::testing::Test {
  protected:
    shadowing() { put("/d/a", "0123456789"); }
    void put(const std::string& path, const std::string& content) {
        real_.files[path] = std::make_shared<std::string>(content);
    }
    std::string read(const std::string& path) { return read_whole(shadow_, path).value(); }

    test::memory_disk real_;
    shadow_disk shadow_{real_};
};

TEST_F(shadowing, writes_are_seen_here_and_nowhere_else) {
    auto file = shadow_.open("/d/a", disk::mode::read_write).value();
    ASSERT_TRUE(file->write_at(8, "xyz"));
    ASSERT_TRUE(file->write_at(0, "--"));
    EXPECT_EQ(read("/d/a"), "--234567xyz");
    EXPECT_EQ(*real_.files["/d/a"], "0123456789");
}

TEST_F(shadowing, what_was_cut_off_does_not_come_back) {
    auto file = shadow_.open("/d/a", disk::mode::read_write).value();
    ASSERT_TRUE(file->truncate(4));
    EXPECT_EQ(read("/d/a"), "0123");
    ASSERT_TRUE(file->write_at(6, "6"));
    EXPECT_EQ(read("/d/a"), std::string("0123\0\0"
                                        "6",
                                        7));
}

TEST_F(shadowing, files_are_made_renamed_and_removed_in_the_shadow_only) {
    ASSERT_TRUE(shadow_.open("/d/new", disk::mode::create_new).value()->write_at(0, "n"));
    ASSERT_TRUE(shadow_.rename("/d/a", "/d/b"));
    EXPECT_EQ(read("/d/b"), "0123456789");
    EXPECT_FALSE(shadow_.open("/d/a", disk::mode::read));
    EXPECT_EQ(shadow_.open("/d/b", disk::mode::create_new).error().code, std::errc::file_exists);
    EXPECT_THAT(shadow_.list("/d").value(), ::testing::UnorderedElementsAre("b", "new"));
    ASSERT_TRUE(shadow_.remove("/d/b"));
    EXPECT_THAT(shadow_.list("/d").value(), ::testing::UnorderedElementsAre("new"));
    EXPECT_THAT(real_.list("/d").value(), ::testing::UnorderedElementsAre("a"));
}

TEST_F(shadowing, a_frozen_file_stays_as_it_was) {
    ASSERT_TRUE(shadow_.freeze("/d/a"));
    put("/d/a", "changed");
    EXPECT_EQ(read("/d/a"), "0123456789");
}

} // namespace
} // namespace linkrunner::spool
