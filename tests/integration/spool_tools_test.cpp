// linkrunnerd --check, --audit and --repair on the spool of a daemon that has stopped, or been killed.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace linkrunner::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class spool_tools : public daemon_test {
  protected:
    // A daemon that delivers nothing takes these events, and is stopped, or killed.
    void fill(int events, bool kill = false) {
        settings = test_settings(home, "http://127.0.0.1:9/api/v1");
        daemon = std::make_unique<running_daemon>(linkrunnerd, settings);
        for (int number = 0; number < events; ++number) {
            const std::string id = "event-" + std::to_string(number);
            ASSERT_EQ(daemon->post(event_text("cart_added", "user", id)).status, 202);
        }
        if (kill) {
            daemon->kill();
        } else {
            EXPECT_EQ(daemon->stop(), 0);
        }
        stopped = true;
    }

    std::pair<int, std::string> tool(std::vector<std::string> words) {
        command what = daemon_command(linkrunnerd, settings);
        what.words.insert(what.words.end(), words.begin(), words.end());
        return run(what);
    }

    std::map<std::string, std::string> spool_files() {
        std::map<std::string, std::string> out;
        for (const auto& each : fs::directory_iterator(settings["spool.directory"])) {
            out[each.path().filename()] = content_of(each.path());
        }
        return out;
    }

    fs::path newest_segment_with(const std::string& text) {
        for (const auto& each : fs::directory_iterator(settings["spool.directory"])) {
            if (each.path().extension() == ".log" &&
                content_of(each.path()).find(text) != std::string::npos) {
                return each.path();
            }
        }
        return {};
    }

    void flip(const fs::path& file, std::size_t at) {
        std::fstream both(file, std::ios::in | std::ios::out | std::ios::binary);
        both.seekg(static_cast<std::streamoff>(at));
        const char was = static_cast<char>(both.get());
        both.seekp(static_cast<std::streamoff>(at));
        both.put(static_cast<char>(was ^ 1));
    }
};

TEST_F(spool_tools, check_tells_what_is_in_the_spool_and_changes_nothing) {
    fill(7, true);
    const auto before = spool_files();
    const auto [code, output] = tool({"--check"});
    EXPECT_EQ(code, 0) << output;
    EXPECT_THAT(output, HasSubstr("pending in lane default: 7"));
    EXPECT_THAT(output, HasSubstr("accepted 7 = "));
    EXPECT_THAT(output, HasSubstr("all is well"));
    EXPECT_EQ(spool_files(), before);
}

TEST_F(spool_tools, check_names_a_damaged_event_by_file_and_offset) {
    fill(7);
    const fs::path file = newest_segment_with("event-3");
    flip(file, content_of(file).find("event-3"));
    const auto [code, output] = tool({"--check"});
    EXPECT_EQ(code, 74) << output;
    EXPECT_THAT(output, HasSubstr(file.filename().string() + ", offset "));
    EXPECT_THAT(output, HasSubstr("event 4 is damaged"));
    EXPECT_THAT(output, HasSubstr("lost 1"));
}

TEST_F(spool_tools, audit_recounts_a_ledger_that_holds) {
    fill(5, true);
    const auto [code, output] = tool({"--audit"});
    EXPECT_EQ(code, 0) << output;
    EXPECT_THAT(output, HasSubstr("recounted: accepted 5 = delivered 0"));
    EXPECT_THAT(output, HasSubstr("the ledger holds"));
}

TEST_F(spool_tools, repair_makes_a_directory_that_a_daemon_delivers_from) {
    fill(6);
    const fs::path file = newest_segment_with("event-3");
    flip(file, content_of(file).find("event-3"));
    const auto before = spool_files();
    const auto [code, output] = tool({"--repair", home / "clean"});
    EXPECT_EQ(code, 0) << output;
    EXPECT_THAT(output, HasSubstr("not saved: " + file.filename().string() + ", offset "));
    EXPECT_EQ(spool_files(), before);

    const auto again = tool({"--repair", home / "clean"});
    EXPECT_EQ(again.first, 74) << again.second;
    EXPECT_THAT(again.second, HasSubstr("not empty"));

    settings["spool.directory"] = home / "clean";
    EXPECT_EQ(tool({"--check"}).first, 0);
    api = sandbox::background::start(keyed(), sandbox::background::any_port()).value();
    start({{"upstream.url", api->url()}});
    stopped = false;
    EXPECT_TRUE(daemon->wait_ledger("delivered", 5));
    EXPECT_EQ(daemon->ledger("lost"), 1u);
    EXPECT_EQ(daemon->ledger("accepted"), 6u);
}

TEST_F(spool_tools, repair_is_refused_beside_a_daemon_and_inside_the_spool) {
    start();
    EXPECT_EQ(tool({"--repair", home / "clean"}).first, 75);
    EXPECT_FALSE(fs::exists(home / "clean"));
    EXPECT_EQ(daemon->stop(), 0);
    stopped = true;
    EXPECT_EQ(tool({"--repair", settings["spool.directory"] + "/inner"}).first, 74);
    EXPECT_FALSE(fs::exists(settings["spool.directory"] + "/inner"));
}

} // namespace
} // namespace linkrunner::tests
