#include "env/disk.hpp"
#include "env/lock_owner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

namespace linkrunner {
namespace {

class posix_disk_test : public ::testing::Test {
  protected:
    posix_disk_test() {
        std::string pattern = (std::filesystem::temp_directory_path() / "posix_disk_XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~posix_disk_test() override { std::filesystem::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    std::unique_ptr<disk> disk_ = make_posix_disk();
    std::string directory_;
};

TEST_F(posix_disk_test, what_is_written_is_read_and_a_short_read_means_the_end) {
    auto file = disk_->open(path("a"), disk::mode::create_new).value();
    ASSERT_TRUE(file->write_at(4096, "hello"));
    ASSERT_TRUE(file->sync());
    std::string bytes(10, 'x');
    EXPECT_EQ(file->read_at(4096, bytes).value(), 5u);
    EXPECT_EQ(bytes.substr(0, 5), "hello");
    EXPECT_EQ(file->size().value(), 4101u);
    ASSERT_TRUE(file->truncate(2));
    EXPECT_EQ(file->size().value(), 2u);
    EXPECT_EQ(file->read_at(100, bytes).value(), 0u);
}

TEST_F(posix_disk_test, errors_name_the_call_and_the_file_and_carry_errno) {
    const auto missing = disk_->open(path("none"), disk::mode::read);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, std::errc::no_such_file_or_directory);
    EXPECT_THAT(missing.error().message, ::testing::HasSubstr("open " + path("none")));
    (void)disk_->open(path("a"), disk::mode::create_new).value();
    EXPECT_EQ(disk_->open(path("a"), disk::mode::create_new).error().code, std::errc::file_exists);
    auto readable = disk_->open(path("a"), disk::mode::read).value();
    EXPECT_EQ(readable->write_at(0, "x").error().code, std::errc::bad_file_descriptor);
    EXPECT_EQ(disk_->rename(path("none"), path("b")).error().code, std::errc::no_such_file_or_directory);
    EXPECT_EQ(disk_->remove(path("none")).error().code, std::errc::no_such_file_or_directory);
}

TEST_F(posix_disk_test, only_regular_files_are_listed) {
    (void)disk_->open(path("a"), disk::mode::create_new).value();
    ASSERT_TRUE(disk_->make_directory(path("folder/inner")));
    ASSERT_TRUE(disk_->make_directory(path("folder/inner")));
    std::filesystem::create_symlink(path("a"), path("link"));
    EXPECT_THAT(disk_->list(directory_).value(), ::testing::UnorderedElementsAre("a"));
    EXPECT_TRUE(disk_->sync_directory(directory_));
    EXPECT_GT(disk_->free_bytes(directory_).value(), 0u);
}

TEST_F(posix_disk_test, a_directory_may_be_a_symbolic_link_and_a_file_may_not) {
    ASSERT_TRUE(disk_->make_directory(path("private")));
    std::filesystem::create_directory_symlink(path("private"), path("spool"));
    EXPECT_TRUE(disk_->make_directory(path("spool")));
    EXPECT_TRUE(disk_->sync_directory(path("spool")));
    (void)disk_->open(path("spool/a"), disk::mode::create_new).value();
    std::filesystem::create_symlink(path("private/a"), path("link"));
    EXPECT_TRUE(disk_->open(path("link"), disk::mode::read).has_error());
}

TEST_F(posix_disk_test, files_and_directories_are_for_the_owner_only) {
    ASSERT_TRUE(disk_->make_directory(path("spool")));
    (void)disk_->open(path("spool/a"), disk::mode::create_new).value();
    using std::filesystem::perms;
    const perms others = perms::group_all | perms::others_all;
    EXPECT_EQ(std::filesystem::status(path("spool")).permissions() & others, perms::none);
    EXPECT_EQ(std::filesystem::status(path("spool/a")).permissions() & others, perms::none);
}

TEST_F(posix_disk_test, a_second_process_is_told_who_holds_the_lock) {
    auto held = disk_->lock(path("lock")).value();
    const auto second = disk_->lock(path("lock"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, std::errc::device_or_resource_busy);
    EXPECT_THAT(second.error().message, ::testing::HasSubstr("process " + std::to_string(::getpid())));
    held.reset();
    EXPECT_TRUE(disk_->lock(path("lock")));
}

TEST_F(posix_disk_test, a_reader_keeps_owners_out_and_is_kept_out_by_them) {
    EXPECT_EQ(share_lock(path("lock")).error().code, std::errc::no_such_file_or_directory);
    {
        const auto held = disk_->lock(path("lock")).value();
        const auto refused = share_lock(path("lock"));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, std::errc::device_or_resource_busy);
        EXPECT_THAT(refused.error().message, ::testing::HasSubstr("since 20"));
    }
    const auto reader = share_lock(path("lock")).value();
    EXPECT_TRUE(share_lock(path("lock")));
    EXPECT_EQ(disk_->lock(path("lock")).error().code, std::errc::device_or_resource_busy);
}

TEST(lock_owner, is_told_by_process_host_and_time) {
    EXPECT_EQ(read_lock_owner("4711\n2026-01-31 12:00:00 UTC\nanother-host\n"),
              "process 4711 on another-host since 2026-01-31 12:00:00 UTC");
    EXPECT_THAT(read_lock_owner(describe_lock_owner()),
                ::testing::StartsWith("process " + std::to_string(::getpid()) + " on "));
}

TEST(lock_owner, is_another_process_where_the_text_says_nothing_useful) {
    EXPECT_EQ(read_lock_owner(""), "another process");
    EXPECT_EQ(read_lock_owner("hello\n"), "another process");
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(read_lock_owner(std::to_string(child) + "\n"), "another process"); // of an earlier run
}

TEST_F(posix_disk_test, the_lock_ends_with_its_process) {
    const pid_t child = ::fork();
    if (child == 0) {
        auto held = disk_->lock(path("lock"));
        ::kill(::getpid(), SIGKILL);
    }
    int how = 0;
    ASSERT_EQ(::waitpid(child, &how, 0), child);
    EXPECT_TRUE(disk_->lock(path("lock")));
}

} // namespace
} // namespace linkrunner
