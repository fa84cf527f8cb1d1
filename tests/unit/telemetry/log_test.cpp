#include "telemetry/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace log_ = linkrunner::log;
using testing::MatchesRegex;

namespace {

// Points a standard stream at a file or descriptor and back.
class redirected {
  public:
    redirected(int which, int to) : which_(which), saved_(::dup(which)) {
        flush();
        ::dup2(to, which);
    }
    redirected(const redirected&) = delete;
    redirected& operator=(const redirected&) = delete;
    ~redirected() {
        flush();
        ::dup2(saved_, which_);
        ::close(saved_);
    }

  private:
    static void flush() {
        std::fflush(stdout);
        std::fflush(stderr);
    }
    int which_;
    int saved_;
};

class temporary {
  public:
    temporary() : file_(std::tmpfile()) {}
    temporary(const temporary&) = delete;
    temporary& operator=(const temporary&) = delete;
    ~temporary() { std::fclose(file_); }
    int descriptor() const { return ::fileno(file_); }
    std::string text() const {
        std::string out(65536, '\0');
        const auto count = ::pread(descriptor(), out.data(), out.size(), 0);
        out.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return out;
    }

  private:
    std::FILE* file_;
};

// What is written to both streams while `act` runs with the given format.
struct written {
    std::string out, err;
};
template <class Act>
written capture(log_::settings options, Act act) {
    const temporary out;
    const temporary err;
    {
        const redirected first(STDOUT_FILENO, out.descriptor());
        const redirected second(STDERR_FILENO, err.descriptor());
        log_::setup(options);
        act();
    }
    return {out.text(), err.text()};
}

class Log : public testing::Test {
  protected:
    Log() { ::unsetenv("JOURNAL_STREAM"); }
    ~Log() override {
        ::unsetenv("JOURNAL_STREAM");
        log_::setup({});
    }
};

TEST_F(Log, TextLinesCarryTimeLevelMessageAndFields) {
    const auto got = capture({}, [] { log_::info("queue opened", {{"pending", 3}, {"where", "a b"}}); });
    EXPECT_THAT(got.out,
                MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z INFO  queue "
                             "opened pending=3 where=\"a b\"\n"));
    EXPECT_EQ(got.err, "");
}

TEST_F(Log, TimesAreUniversal) {
    ::setenv("TZ", "Asia/Kolkata", 1);
    ::tzset();
    const auto got = capture({}, [] { log_::info("now"); });
    ::unsetenv("TZ");
    ::tzset();
    char expected[32];
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:", &utc);
    EXPECT_THAT(got.out, testing::StartsWith(expected));
}

TEST_F(Log, JsonLinesAreOneObjectEach) {
    const auto got = capture({log_::level::info, log_::format::json},
                             [] { log_::warning("json once", {{"n", 3}, {"text", "100% \"it\""}}); });
    EXPECT_THAT(got.out, MatchesRegex(R"(\{"time":"[0-9T:.-]+Z","level":"warning","msg":"json once","n":3,)"
                                      R"("text":"100% \\"it\\""\})"
                                      "\n"));
}

TEST_F(Log, LinesBelowTheLevelAreLeftOut) {
    const auto got = capture({log_::level::warning, log_::format::text}, [] {
        EXPECT_FALSE(log_::enabled(log_::level::info));
        log_::info("not this");
        log_::set_level(log_::level::debug);
        EXPECT_TRUE(log_::enabled(log_::level::debug));
        log_::debug("but this");
    });
    EXPECT_THAT(got.out, testing::Not(testing::HasSubstr("not this")));
    EXPECT_THAT(got.out, testing::HasSubstr("DEBUG but this"));
}

TEST_F(Log, JournalGetsAPriorityAndNoTime) {
    const temporary err;
    struct stat status{};
    ::fstat(err.descriptor(), &status);
    ::setenv("JOURNAL_STREAM", (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(),
             1);
    {
        const redirected second(STDERR_FILENO, err.descriptor());
        log_::setup({log_::level::debug, log_::format::text});
        log_::debug("d");
        log_::info("i", {{"k", "v"}});
        log_::warning("journal w");
        log_::error("journal e");
    }
    EXPECT_EQ(err.text(), "<7>d\n<6>i k=v\n<4>journal w\n<3>journal e\n");
}

TEST_F(Log, AnotherStreamThanTheJournalsIsAnOrdinaryOne) {
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    const auto got = capture({}, [] { log_::info("plain"); });
    EXPECT_THAT(got.out, testing::EndsWith("Z INFO  plain\n"));
}

TEST_F(Log, RepeatsOfAWarningAreLimitedAndOfAnInfoNot) {
    const auto got = capture({}, [] {
        for (int i = 0; i < 20; ++i) {
            log_::warning("the same warning", {{"i", i}});
            log_::info("the same info");
        }
    });
    const auto count = [&](std::string_view what) {
        std::size_t found = 0;
        for (auto at = got.out.find(what); at != std::string::npos; at = got.out.find(what, at + 1)) {
            ++found;
        }
        return found;
    };
    EXPECT_EQ(count("the same warning"), 5U);
    EXPECT_EQ(count("the same info"), 20U);
}

TEST_F(Log, AReaderThatGoesAwayDoesNoHarm) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    {
        const redirected out(STDOUT_FILENO, ends[1]);
        log_::setup({log_::level::info, log_::format::json});
        ::close(ends[0]);
        for (int i = 0; i < 100; ++i) {
            log_::info("into the void", {{"i", i}});
        }
    }
    ::close(ends[1]);
    std::clearerr(stdout);
}

TEST_F(Log, AFullDiskDoesNoHarm) {
    const int full = ::open("/dev/full", O_WRONLY);
    ASSERT_GE(full, 0);
    {
        const redirected out(STDOUT_FILENO, full);
        log_::setup({log_::level::info, log_::format::json});
        for (int i = 0; i < 1000; ++i) {
            log_::info("no space", {{"i", i}});
        }
    }
    ::close(full);
    std::clearerr(stdout);
}

TEST_F(Log, ThreadsDoNotMixTheirLines) {
    const auto got = capture({log_::level::info, log_::format::text}, [] {
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([] {
                for (int i = 0; i < 100; ++i) {
                    log_::info("together", {{"text", "0123456789"}});
                }
            });
        }
        log_::setup({log_::level::info, log_::format::text});
        for (auto& each : threads) {
            each.join();
        }
    });
    std::size_t lines = 0;
    for (std::size_t at = 0; at < got.out.size(); ++lines) {
        const auto end = got.out.find('\n', at);
        ASSERT_NE(end, std::string::npos);
        ASSERT_THAT(got.out.substr(at, end - at), testing::EndsWith("INFO  together text=0123456789"));
        at = end + 1;
    }
    EXPECT_EQ(lines, 400U);
}

TEST_F(Log, ColoursTheLevelOnATerminalUnlessAskedNotTo) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal, 0);
    ASSERT_EQ(::grantpt(terminal), 0);
    ASSERT_EQ(::unlockpt(terminal), 0);
    const int end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
    ASSERT_GE(end, 0);
    const auto line = [&] {
        {
            const redirected err(STDERR_FILENO, end);
            log_::setup({});
            log_::error("in colour or not");
        }
        std::string text;
        for (char byte = 0; byte != '\n' && ::read(terminal, &byte, 1) == 1;) {
            text += byte;
        }
        return text;
    };
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    EXPECT_THAT(line(), testing::HasSubstr("\x1b["));
    ::setenv("NO_COLOR", "1", 1);
    EXPECT_THAT(line(), testing::Not(testing::HasSubstr("\x1b[")));
    ::unsetenv("NO_COLOR");
    ::close(end);
    ::close(terminal);
}

} // namespace
