// A child process for tests: started with its own output pipe, watched line by line, stopped at the latest
// when the object ends. Waits are on conditions with deadlines, never on time alone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>
#include <thread>
#include <utility>
#include <vector>

namespace linkrunner::tests {

inline constexpr std::chrono::seconds patience{30};

struct command {
    std::vector<std::string> words;                               // words[0] is looked up in PATH
    std::vector<std::pair<std::string, std::string>> environment; // beside the test's own
    std::string directory;                                        // "": the test's own
};

class process {
  public:
    explicit process(const command& what); // throws std::system_error
    ~process();                            // SIGKILL, if it still runs
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;

    // The exit code, or minus the signal that ended it; nothing when the time is up.
    std::optional<int> wait_exit(std::chrono::milliseconds limit = patience);

    // The first line of standard output or error (from line `from` on) that fits; nothing when the process
    // has ended or the time is up without one.
    std::optional<std::string> wait_line(const std::function<bool(const std::string&)>& fits,
                                         std::chrono::milliseconds limit = patience, std::size_t from = 0);

    std::string output();     // standard output and error, as they came
    std::size_t line_count(); // complete lines so far

  private:
    void read_output();

    pid_t pid_ = -1;
    int pid_descriptor_ = -1;
    int output_ = -1;
    std::optional<int> ended_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
    std::string last_; // an incomplete line
    bool closed_ = false;
    std::thread reader_;
};

// Runs to its end; the exit code and all output. Throws when it takes longer than `limit`.
std::pair<int, std::string> run(const command& what, std::chrono::milliseconds limit = patience);

} // namespace linkrunner::tests
