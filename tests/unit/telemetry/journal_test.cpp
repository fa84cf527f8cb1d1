// Log lines by the journal's own protocol, read back from a real socket.
#include "telemetry/journal.hpp"

#include "support/datagram_inbox.hpp"
#include "support/temp_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sys/stat.h>

namespace linkrunner::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class journal_test : public testing::Test {
  protected:
    // Standard error is "the journal" to use_journal() and setup().
    journal_test() : saved_(::dup(STDERR_FILENO)), stream_(std::tmpfile()) {
        std::fflush(stderr);
        ::dup2(::fileno(stream_), STDERR_FILENO);
        struct stat status{};
        ::fstat(STDERR_FILENO, &status);
        ::setenv("JOURNAL_STREAM",
                 (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(), 1);
    }
    ~journal_test() override {
        std::fflush(stderr);
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        std::fclose(stream_);
        ::unsetenv("JOURNAL_STREAM");
        use_journal();
        setup({});
    }
    std::string stream() const {
        std::fflush(stderr);
        std::string out(65536, '\0');
        const auto count = ::pread(::fileno(stream_), out.data(), out.size(), 0);
        out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return out;
    }

    tests::temp_directory home;
    const std::string path = home / "socket";

  private:
    int saved_;
    std::FILE* stream_;
};

TEST_F(journal_test, gets_text_priority_and_fields) {
    const tests::datagram_inbox inbox(path);
    setup({level::debug, format::text});
    use_journal(path);
    warning("journal w1",
            {{"event_id", "e 1"}, {"status", 401}, {"ambiguous", true}, field::if_any("trace_id", "")});
    EXPECT_EQ(inbox.next(), "MESSAGE=journal w1 event_id=\"e 1\" status=401 ambiguous=true\nPRIORITY=4\n"
                            "SYSLOG_IDENTIFIER=linkrunnerd\nEVENT_ID=e 1\nSTATUS=401\nAMBIGUOUS=true\n");
    debug("d");
    EXPECT_THAT(inbox.next(), HasSubstr("PRIORITY=7\n"));
    info("i");
    EXPECT_THAT(inbox.next(), HasSubstr("PRIORITY=6\n"));
    error("journal e1");
    EXPECT_THAT(inbox.next(), HasSubstr("PRIORITY=3\n"));
    EXPECT_EQ(stream(), "");
}

TEST_F(journal_test, gets_json_as_the_message_where_that_is_the_format) {
    const tests::datagram_inbox inbox(path);
    setup({level::info, format::json});
    use_journal(path);
    info("in json", {{"event_id", "e1"}});
    EXPECT_THAT(inbox.next(),
                MatchesRegex(
                    "MESSAGE=\\{\"time\":\"[0-9T:.-]+Z\",\"level\":\"info\",\"msg\":\"in json\",\"event_id\":"
                    "\"e1\"\\}\nPRIORITY=6\nSYSLOG_IDENTIFIER=linkrunnerd\nEVENT_ID=e1\n"));
}

TEST_F(journal_test, that_cannot_be_reached_gets_the_lines_by_the_stream) {
    setup({level::info, format::text});
    use_journal(path);
    info("nobody there", {{"k", "v"}});
    EXPECT_EQ(stream(), "<6>nobody there k=v\n");
    const tests::datagram_inbox inbox(path); // it has come back
    info("again");
    EXPECT_THAT(inbox.next(), HasSubstr("MESSAGE=again\n"));
}

TEST_F(journal_test, is_not_asked_for_where_no_stream_is_the_journal) {
    const tests::datagram_inbox inbox(path);
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    setup({level::info, format::text});
    use_journal(path);
    info("to standard output");
    EXPECT_EQ(inbox.next(), "");
}

TEST_F(journal_test, that_does_not_read_holds_nobody_up_and_hears_what_it_has_missed) {
    const tests::datagram_inbox inbox(path);
    journal native(path);
    constexpr int lines = 5'000; // far more than any queue of datagrams
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < lines; ++i) {
        EXPECT_TRUE(native.write(level::info, "line", {}));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    int read = 0;
    while (!inbox.next().empty()) {
        ++read;
    }
    ASSERT_LT(read, lines);
    EXPECT_TRUE(native.write(level::info, "line", {}));
    EXPECT_THAT(inbox.next(), HasSubstr("MESSAGE=line lines_lost=" + std::to_string(lines - read) + "\n"));
    EXPECT_TRUE(native.write(level::info, "line", {}));
    EXPECT_THAT(inbox.next(), HasSubstr("MESSAGE=line\n"));
}

TEST_F(journal_test, gets_values_with_line_ends_by_their_length) {
    using namespace std::string_literals;
    EXPECT_EQ(journal_entry(level::info, "m", {{"answer", "a\nEVIL=1"}}),
              "MESSAGE=m\nPRIORITY=6\nSYSLOG_IDENTIFIER=linkrunnerd\nANSWER\n\x08\0\0\0\0\0\0\0a\nEVIL=1\n"s);
    const std::string entry = journal_entry(level::info, "m", {{"long", std::string(5000, 'x')}});
    EXPECT_THAT(entry, HasSubstr("LONG=" + std::string(2048, 'x') + "...\n"));
}

TEST(journal_field, is_the_key_in_capitals_and_never_one_that_the_journal_has_itself) {
    EXPECT_EQ(journal_field("event_id"), "EVENT_ID");
    EXPECT_EQ(journal_field("duration_ms"), "DURATION_MS");
    EXPECT_EQ(journal_field("a-b.c"), "A_B_C");
    EXPECT_EQ(journal_field("message"), "LINKRUNNERD_MESSAGE");
    EXPECT_EQ(journal_field("unit"), "LINKRUNNERD_UNIT");
    EXPECT_EQ(journal_field("_pid"), "LINKRUNNERD__PID");
    EXPECT_EQ(journal_field("syslog_pid"), "LINKRUNNERD_SYSLOG_PID");
    EXPECT_EQ(journal_field("9lives"), "LINKRUNNERD_9LIVES");
    EXPECT_EQ(journal_field(std::string(100, 'k')), std::string(64, 'K'));
}

} // namespace
} // namespace linkrunner::log
