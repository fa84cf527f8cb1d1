#include "spool/mark_reader.hpp"

#include "spool/frame.hpp"
#include "unit/spool/memory_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::spool {
namespace {

class reading_marks : public ::testing::Test {
  protected:
    void add(sequence number, std::size_t excerpt) {
        mark one;
        one.number = number;
        one.kind = mark_kind::dead;
        one.letter.excerpt = std::string(excerpt, 'x');
        encode_mark(content_, one, salt);
    }

    std::vector<sequence> read() {
        disk_.files["/marks"] = std::make_shared<std::string>(content_);
        file_ = disk_.open("/marks", disk::mode::read).value();
        reader_.emplace(*file_, 0, salt, buffer_);
        std::vector<sequence> out;
        while (const auto view = reader_->next()) {
            out.push_back(view->number);
        }
        return out;
    }

    static constexpr std::uint32_t salt = 77;
    test::memory_disk disk_;
    std::string content_;
    std::string buffer_;
    std::unique_ptr<disk_file> file_;
    std::optional<mark_reader> reader_;
};

TEST_F(reading_marks, gives_every_record_of_a_file_larger_than_its_buffer) {
    std::vector<sequence> wanted;
    for (sequence number = 1; number <= 5000; ++number) {
        add(number, number * 37 % 512);
        wanted.push_back(number);
    }
    content_.append(70'000, '\0');
    EXPECT_EQ(read(), wanted);
    EXPECT_GT(content_.size(), buffer_.size());
    EXPECT_TRUE(reader_->damaged().empty());
}

TEST_F(reading_marks, passes_over_damage_and_says_where_it_is) {
    add(1, 0);
    const std::size_t from = content_.size();
    add(2, 200);
    const std::size_t to = content_.size();
    add(3, 0);
    content_[from + 100] ^= 1;
    EXPECT_THAT(read(), ::testing::ElementsAre(1, 3));
    ASSERT_EQ(reader_->damaged().size(), 1u);
    EXPECT_EQ(reader_->damaged()[0].from, from);
    EXPECT_EQ(reader_->damaged()[0].to, to);
}

TEST_F(reading_marks, takes_a_record_that_was_cut_short_for_the_end) {
    add(1, 0);
    add(2, 300);
    content_.resize(content_.size() - 16);
    EXPECT_THAT(read(), ::testing::ElementsAre(1));
    EXPECT_TRUE(reader_->damaged().empty());
}

} // namespace
} // namespace linkrunner::spool
