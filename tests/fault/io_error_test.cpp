// The disk fails under the real daemon: each call in turn fails, or does not come back, and gets well again.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace linkrunner::tests {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

struct io_error {
    const char* call;
    int number;
    const char* code; // of the refusal
};

class io_errors : public daemon_test, public testing::WithParamInterface<io_error> {
  protected:
    void start_on_faulty_disk() {
        disk_is("");
        start({{"delivery.hold_probe", "50ms"}},
              {{"LD_PRELOAD", FAULTY_DISK}, {"FAULTY_DISK", home / "disk"}});
    }

    // In one step, so that the daemon never sees half a word.
    void disk_is(const std::string& what) {
        home.write("disk.new", what);
        std::filesystem::rename(home / "disk.new", home / "disk");
    }

    int post_one() {
        const std::string id = "id-" + std::to_string(next_++);
        const auto answer =
            daemon->post(event_text("e", id, id, "\"x\":\"" + std::string(5'000, 'x') + "\""));
        taken_ += answer.status == 202 ? 1 : 0;
        last_code_ = code_of(answer);
        return answer.status;
    }

    int next_ = 0;
    std::uint64_t taken_ = 0;
    std::string last_code_;
};

TEST_P(io_errors, refuse_events_with_the_reason_and_pass) {
    start_on_faulty_disk();
    EXPECT_EQ(post_one(), 202);
    disk_is(std::string(GetParam().call) + " " + std::to_string(GetParam().number) + "\n");
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return post_one() == 503; }));
    EXPECT_EQ(last_code_, GetParam().code);
    EXPECT_EQ(daemon->observe("/readyz").status, 503);
    EXPECT_THAT(daemon->observe("/readyz").body, HasSubstr(GetParam().code));
    EXPECT_EQ(daemon->observe("/healthz").status, 200);
    disk_is("");
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return post_one() == 202; }));
    EXPECT_TRUE(
        daemon->wait_until([](running_daemon& self) { return self.observe("/readyz").status == 200; }));
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    // After a failed sync nobody knows: what was refused as `disk_error` may have been stored and sent.
    EXPECT_GE(api->unique(), taken_);
    EXPECT_EQ(daemon->ledger("lost"), 0U);
}

std::string name_of(const testing::TestParamInfo<io_error>& info) {
    return std::string(info.param.call) + "_" + std::to_string(info.param.number);
}

INSTANTIATE_TEST_SUITE_P(of, io_errors,
                         testing::Values(io_error{"fdatasync", EIO, "disk_error"},
                                         io_error{"fdatasync", ENOSPC, "disk_error"},
                                         io_error{"pwrite", EIO, "disk_error"},
                                         io_error{"pwrite", EROFS, "disk_error"},
                                         io_error{"pwrite", EDQUOT, "disk_full"}),
                         name_of);

TEST_F(io_errors, of_opening_and_renaming_are_ridden_out_by_the_segment_in_hand) {
    start_on_faulty_disk();
    disk_is("open 24\nrename 5\n"); // EMFILE, EIO
    for (int i = 0; i < 50; ++i) {
        EXPECT_THAT(post_one(), AnyOf(202, 503));
    }
    disk_is("");
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return post_one() == 202; }));
    EXPECT_TRUE(api->wait_for_unique(taken_, patience));
}

TEST_F(io_errors, that_are_hangs_are_a_state_of_their_own) {
    start_on_faulty_disk();
    EXPECT_EQ(post_one(), 202);
    disk_is("fdatasync stall\n");
    wire_client waiting = daemon->connect();
    waiting.send(request_text("POST", "/v1/events", event_text("e", "u", "stalled"),
                              {{"Content-Type", "application/json"}}));
    EXPECT_TRUE(daemon->wait_until(
        [](running_daemon& self) {
            return self.observe("/readyz").body.find("disk_stalled") != std::string::npos;
        },
        std::chrono::seconds(20)));
    EXPECT_EQ(post_one(), 503);
    EXPECT_EQ(last_code_, "disk_stalled");
    EXPECT_EQ(daemon->observe("/healthz").status, 200);
    disk_is("");
    const auto answer = waiting.receive(); // taken before the disk was known to hang, and it did get there
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202);
    EXPECT_TRUE(daemon->wait_until([&](running_daemon&) { return post_one() == 202; }));
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
}

bool catches(pid_t process, int number) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigCgt:")) {
            return (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1) != 0;
        }
    }
    return false;
}

TEST_F(io_errors, that_hang_a_start_do_not_keep_it_from_hearing_a_signal) {
    start_sandbox();
    disk_is("open stall\n");
    process starting(
        daemon_command(linkrunnerd, settings, {{"LD_PRELOAD", FAULTY_DISK}, {"FAULTY_DISK", home / "disk"}}));
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!catches(starting.pid(), SIGTERM)) {
        ASSERT_LT(std::chrono::steady_clock::now(), end) << starting.output();
        std::this_thread::yield();
    }
    starting.signal(SIGTERM);
    disk_is("");
    EXPECT_EQ(starting.wait_exit(), 0);
}

TEST_F(io_errors, lose_nothing_that_was_acknowledged_over_kill_and_restart) {
    start_on_faulty_disk();
    api->set_key("another"); // nothing is delivered
    for (int i = 0; i < 20; ++i) {
        disk_is(i % 3 == 1 ? "fdatasync 5\n" : i % 3 == 2 ? "pwrite 28\n" : "");
        for (int each = 0; each < 5; ++each) {
            post_one();
        }
    }
    daemon->kill();
    disk_is("");
    api->set_key(server_key);
    start({}, {{"LD_PRELOAD", FAULTY_DISK}, {"FAULTY_DISK", home / "disk"}});
    EXPECT_TRUE(daemon->wait_until([](running_daemon& self) { return self.ledger("pending") == 0; }));
    EXPECT_GE(api->unique(), taken_);
    EXPECT_EQ(daemon->ledger("lost"), 0U);
}

} // namespace
} // namespace linkrunner::tests
