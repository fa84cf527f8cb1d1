// linkrunnerctl in a pseudo-terminal: top, and the progress bar of send.
#include "support/control_tool.hpp"
#include "support/terminal.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

class ctl_top : public control_tool {
  protected:
    std::unique_ptr<terminal> top(unsigned short rows = 24, unsigned short columns = 80) {
        return std::make_unique<terminal>(tool_command({"top", "--every", "0.1"}).words, rows, columns);
    }
    static void expect_given_back(const terminal& where) {
        EXPECT_TRUE(where.echoes());
        EXPECT_THAT(where.output(), HasSubstr("\033[?25h\033[?1049l"));
    }
};

TEST_F(ctl_top, shows_the_state_live_and_gives_the_terminal_back) {
    start();
    const auto seen = top();
    ASSERT_TRUE(seen->wait_for("Upstream    healthy"));
    EXPECT_THAT(seen->output(), HasSubstr("\033[?1049h"));
    EXPECT_FALSE(seen->echoes());
    ASSERT_TRUE(seen->wait_for("q ends"));
    const auto rows = seen->screen();
    EXPECT_EQ(rows.size(), 24U) << seen->text();
    ctl({"pause"});
    post_many(1234);
    EXPECT_TRUE(seen->wait_for("Upstream    paused")) << seen->text();
    EXPECT_TRUE(seen->wait_for("1,234"));
    ctl({"resume"});
    EXPECT_TRUE(seen->wait_for("Upstream    healthy"));
    seen->press("q");
    EXPECT_EQ(seen->wait_exit(), 0);
    expect_given_back(*seen);
}

TEST_F(ctl_top, no_line_is_longer_than_the_terminal) {
    start_sandbox();
    api->add_faults("status=500");
    start();
    post_many(50);
    ASSERT_TRUE(daemon->wait_state("outage"));
    const auto seen = top(10, 40);
    ASSERT_TRUE(seen->wait_for("outage"));
    ASSERT_TRUE(seen->wait_for("q ends"));
    const auto narrow = seen->screen();
    EXPECT_EQ(narrow.size(), 10U);
    for (const std::string& row : narrow) {
        std::size_t columns = 0;
        for (const char c : row) {
            columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
        }
        EXPECT_LE(columns, 40U) << row;
    }
    seen->resize(24, 100);
    EXPECT_TRUE(seen->wait_for("To do")) << seen->text();
    seen->press("\x03"); // Ctrl-C
    EXPECT_EQ(seen->wait_exit(), 0);
    expect_given_back(*seen);
}

TEST_F(ctl_top, a_signal_gives_the_terminal_back) {
    start();
    const auto seen = top();
    ASSERT_TRUE(seen->wait_for("q ends"));
    seen->signal(SIGTERM);
    EXPECT_EQ(seen->wait_exit(), 0);
    expect_given_back(*seen);
}

TEST_F(ctl_top, outlives_a_restart_of_the_daemon) {
    start();
    const auto seen = top();
    ASSERT_TRUE(seen->wait_for("Upstream    healthy"));
    EXPECT_EQ(daemon->stop(), 0);
    EXPECT_TRUE(seen->wait_for("NO NEWS: cannot reach linkrunnerd")) << seen->text();
    start();
    EXPECT_TRUE(seen->wait_until_gone("NO NEWS"));
    seen->press("q");
    EXPECT_EQ(seen->wait_exit(), 0);
}

TEST_F(ctl_top, needs_a_terminal_and_a_daemon) {
    start();
    const tool_outcome piped = ctl({"top"});
    EXPECT_EQ(piped.code, 2);
    EXPECT_THAT(piped.text, HasSubstr("needs a terminal"));
    terminal nobody({linkrunnerctl, "--socket", home / "none.sock", "top"}, 24, 80);
    EXPECT_EQ(nobody.wait_exit(), 69);
    EXPECT_THAT(nobody.output(), HasSubstr("there is no such socket"));
    EXPECT_THAT(nobody.output(), testing::Not(HasSubstr("\033[?1049h"))); // the message stays to be read
}

TEST_F(ctl_top, send_draws_a_bar_on_a_terminal) {
    start();
    const std::string file = home / "input.ndjson";
    {
        std::ofstream to(file);
        for (int i = 0; i < 8000; ++i) {
            to << event_text("level_completed", "u" + std::to_string(i)) << "\n";
        }
    }
    terminal seen(tool_command({"send", "--intake", "unix:" + (home / "intake.sock"), file}).words, 24, 80);
    EXPECT_TRUE(seen.wait_for("] ")) << seen.output();
    EXPECT_THAT(seen.output(), HasSubstr("%"));
    EXPECT_THAT(seen.output(), HasSubstr("accepted"));
    EXPECT_EQ(seen.wait_exit(), 0);
    EXPECT_THAT(seen.text(), testing::StartsWith("8,000 accepted")); // the bar is wiped
}

} // namespace
} // namespace linkrunner::tests
