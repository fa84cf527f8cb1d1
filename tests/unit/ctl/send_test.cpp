#include "ctl/failure.hpp"
#include "ctl/line_source.hpp"
#include "ctl/progress.hpp"
#include "ctl/reject_file.hpp"
#include "ctl/send_state.hpp"
#include "support/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <sstream>

namespace linkrunner::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class lines_of_a_file : public testing::Test {
  protected:
    std::string plain(const std::string& text) {
        std::ofstream(home_ / "input", std::ios::binary | std::ios::trunc) << text;
        return home_ / "input";
    }
    std::string gzipped(const std::vector<std::string>& members) {
        const std::string name = home_ / "input.gz";
        for (std::size_t i = 0; i < members.size(); ++i) {
            gzFile to = ::gzopen(name.c_str(), i == 0 ? "wb" : "ab");
            ::gzwrite(to, members[i].data(), static_cast<unsigned>(members[i].size()));
            ::gzclose(to);
        }
        return name;
    }
    static std::vector<std::string> rest(line_source& from) {
        std::vector<std::string> out;
        while (const auto line = from.next()) {
            out.push_back(std::to_string(line->number) + ":" + line->text);
        }
        return out;
    }
    tests::temp_directory home_;
};

TEST_F(lines_of_a_file, come_with_their_numbers_and_without_their_ends) {
    line_source from(plain("a\r\n\nb\nlast"));
    EXPECT_THAT(rest(from), ElementsAre("1:a", "2:", "3:b", "4:last"));
    EXPECT_EQ(from.offset(), 10U);
    EXPECT_EQ(from.total_bytes(), 10U);
}

TEST_F(lines_of_a_file, may_be_gzipped_in_several_members) {
    line_source from(gzipped({"one\ntw", "o\nthree\n"}));
    EXPECT_THAT(rest(from), ElementsAre("1:one", "2:two", "3:three"));
    EXPECT_EQ(from.read_bytes(), from.total_bytes());
}

TEST_F(lines_of_a_file, are_gone_on_with_behind_one) {
    line_source first(plain("aa\nbb\ncc\n"));
    first.next();
    first.next();
    const auto offset = first.offset();
    first.rewind();
    first.skip_to(2, offset);
    EXPECT_THAT(rest(first), ElementsAre("3:cc"));
    line_source packed(gzipped({"aa\nbb\ncc\n"}));
    packed.next();
    packed.rewind();
    packed.skip_to(2, offset);
    EXPECT_THAT(rest(packed), ElementsAre("3:cc"));
    EXPECT_THROW(packed.skip_to(9, 99), failure);
}

TEST_F(lines_of_a_file, that_are_too_long_are_passed_by_in_bounded_memory) {
    const std::string long_one(longest_line_bytes + 3'000'000, 'x');
    line_source from(plain("a\n" + long_one + "\nb\n"));
    EXPECT_EQ(from.next()->text, "a");
    const auto big = from.next();
    EXPECT_TRUE(big->too_long);
    EXPECT_LE(big->text.size(), longest_line_bytes);
    const auto after = from.next();
    EXPECT_EQ(after->text, "b");
    EXPECT_EQ(after->number, 3U);
    EXPECT_EQ(from.offset(), long_one.size() + 5);
    EXPECT_FALSE(from.next());
}

TEST_F(lines_of_a_file, that_is_damaged_missing_or_in_use_are_said) {
    EXPECT_THROW(line_source("/nonexistent/file"), failure);
    EXPECT_THROW(line_source(home_.path()), failure);
    const std::string packed = gzipped({std::string(10'000, 'x') + "\n"});
    ASSERT_EQ(::truncate(packed.c_str(), 30), 0);
    line_source cut(packed);
    EXPECT_THROW(rest(cut), failure);
    const std::string name = plain("a\n");
    line_source first(name);
    EXPECT_THROW(line_source second(name), failure);
}

TEST(state_of_sending, is_read_as_it_was_written) {
    const tests::temp_directory home;
    const std::string file = home / "state";
    EXPECT_FALSE(read_state(file));
    const send_state written{"key", 1, 2, 3, 4, 5, 6, 7, true};
    write_state(file, written);
    EXPECT_EQ(read_state(file), written);
    std::ofstream(file) << "{\"version\":99}";
    EXPECT_THROW(read_state(file), failure);
    EXPECT_THROW(write_state("/nonexistent/state", written), failure);
}

TEST(key_of_an_input, is_that_of_its_place_and_beginning) {
    EXPECT_EQ(key_for("/a", "line"), key_for("/a", "line"));
    EXPECT_NE(key_for("/a", "line"), key_for("/b", "line"));
    EXPECT_NE(key_for("/a", "line"), key_for("/a", "other"));
}

TEST(rejected_lines, are_kept_with_reasons_and_cut_to_what_was_settled) {
    const tests::temp_directory home;
    const std::string name = home / "rejected";
    std::uint64_t settled = 0;
    {
        reject_file to(name);
        to.add({3, "{\"a\"\t: \xFF", false}, "malformed_json", "it breaks", "/a");
        to.flush();
        settled = to.bytes();
        to.add({9, "x", false}, "c", "m", "");
        to.flush();
    }
    const reject_file again(name, settled);
    std::ostringstream text;
    text << std::ifstream(name).rdbuf();
    EXPECT_EQ(text.str(), "{\"line\":3,\"code\":\"malformed_json\",\"msg\":\"it breaks\",\"pointer\":\"/a\","
                          "\"text\":\"{\\\"a\\\"\\t: \xEF\xBF\xBD\"}\n");
}

TEST(progress, tells_share_speed_and_time_left) {
    progress_facts facts;
    facts.read_bytes = 42;
    facts.total_bytes = 100;
    facts.accepted = 12000;
    facts.rejected = 3;
    facts.lines_per_second = 1234.5;
    facts.seconds_left = 200;
    EXPECT_EQ(progress_line(facts, 120),
              "[########............]  42%  1,234/s  3m20s left  12,000 accepted, 3 rejected");
    EXPECT_LE(progress_line(facts, 30).size(), 30U);
    facts.waiting = "queue_full, next try in 5 s";
    EXPECT_THAT(progress_line(facts, 120),
                HasSubstr("waiting: queue_full, next try in 5 s  12,000 accepted"));
    facts.total_bytes = 0;
    EXPECT_THAT(progress_line(facts, 120), testing::StartsWith("42 B"));
    facts.total_bytes = 10; // the file has grown
    EXPECT_THAT(progress_line(facts, 120), HasSubstr("100%"));
}

TEST(progress, measures_speed_over_the_last_seconds) {
    speedometer subject;
    EXPECT_EQ(subject.lines_per_second(), 0);
    EXPECT_FALSE(subject.seconds_left(10));
    const auto begin = speedometer::time{} + std::chrono::hours(1);
    for (std::uint64_t second = 0; second <= 20; ++second) {
        subject.note(begin + std::chrono::seconds(second), second < 10 ? 0 : (second - 10) * 100,
                     second * 1000);
    }
    EXPECT_DOUBLE_EQ(subject.lines_per_second(), 100);
    EXPECT_DOUBLE_EQ(*subject.seconds_left(5000), 5);
}

} // namespace
} // namespace linkrunner::ctl
