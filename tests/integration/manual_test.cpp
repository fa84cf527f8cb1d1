// The manual pages and completions that the build makes.
#include "support/control_tool.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;

std::string content(const std::string& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
}

std::string in_shell(const std::string& script) {
    return run({{"bash", "-c", script}, {}, {}}).second;
}

TEST(manual_pages, are_made_of_the_tables_of_the_programs_and_render_without_a_warning) {
    const bool renders = run({{"sh", "-c", "command -v groff"}, {}, {}}).first == 0;
    for (const std::string page : {"linkrunnerd.8", "linkrunnerctl.1", "linkrunner-sandbox.1"}) {
        const std::string file = BINARY_DIR "/man/" + page;
        EXPECT_THAT(content(file), testing::StartsWith(".TH "));
        if (renders) {
            EXPECT_EQ(in_shell("groff -man -Tutf8 -ww -k " + file + " 2>&1 >/dev/null"), "") << page;
        }
    }
    EXPECT_THAT(content(BINARY_DIR "/man/linkrunnerd.8"), HasSubstr("delivery.rate"));
    EXPECT_THAT(content(BINARY_DIR "/man/linkrunnerctl.1"), HasSubstr(".SS \\fBdead replay\\fR"));
}

class completion : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(completion, offers_what_may_follow) {
    const auto& [line, wanted] = GetParam();
    const std::string offered =
        in_shell("source " BINARY_DIR "/completions/linkrunnerctl; COMP_WORDS=(" + line +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _linkrunnerctl; echo \"${COMPREPLY[@]}\"");
    EXPECT_EQ(offered, wanted + "\n") << line;
}

INSTANTIATE_TEST_SUITE_P(
    words, completion,
    testing::Values(std::pair("linkrunnerctl st", "status"),
                    std::pair("linkrunnerctl --json dead re", "replay"),
                    std::pair("linkrunnerctl dead list --reason a", "attempts age ambiguous"),
                    std::pair("linkrunnerctl dead list --ol", "--older-than"),
                    std::pair("linkrunnerctl --soc", "--socket"), std::pair("linkrunnerctl send fil", "")));

} // namespace
} // namespace linkrunner::tests
