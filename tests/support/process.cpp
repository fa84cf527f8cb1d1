#include "support/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace linkrunner::tests {

namespace {

std::vector<std::string> merged_environment(const command& what) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        bool replaced = false;
        for (const auto& [name, value] : what.environment) {
            replaced = replaced || text.starts_with(name + "=");
        }
        if (!replaced) {
            out.emplace_back(text);
        }
    }
    for (const auto& [name, value] : what.environment) {
        out.push_back(name + "=" + value);
    }
    return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

} // namespace

process::process(const command& what) {
    std::vector<std::string> words = what.words;
    std::vector<std::string> variables = merged_environment(what);
    const std::vector<char*> arguments = pointers_to(words);
    const std::vector<char*> environment = pointers_to(variables);
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) { // only async-signal-safe calls from here to exec
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(pipe_ends[1], STDOUT_FILENO);
        ::dup2(pipe_ends[1], STDERR_FILENO);
        if (::getppid() != parent || (!what.directory.empty() && ::chdir(what.directory.c_str()) != 0)) {
            ::_exit(126);
        }
        ::execvpe(arguments[0], arguments.data(), environment.data());
        ::_exit(127);
    }
    ::close(pipe_ends[1]);
    output_ = pipe_ends[0];
    if (pid_ < 0) {
        ::close(output_);
        throw std::system_error(errno, std::generic_category(), "fork");
    }
    pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    reader_ = std::thread([this] { read_output(); });
}

process::~process() {
    if (!ended_) {
        signal(SIGKILL);
        wait_exit();
    }
    reader_.join();
    ::close(output_);
    ::close(pid_descriptor_);
}

void process::signal(int number) const {
    if (!ended_) {
        ::kill(pid_, number);
    }
}

std::optional<int> process::wait_exit(std::chrono::milliseconds limit) {
    if (ended_) {
        return ended_;
    }
    pollfd watched{pid_descriptor_, POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(limit.count())) != 1) {
        return std::nullopt;
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return ended_;
}

void process::read_output() {
    char piece[16384];
    while (true) {
        const ssize_t size = ::read(output_, piece, sizeof piece);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        const std::scoped_lock lock(mutex_);
        if (size <= 0) {
            closed_ = true;
            changed_.notify_all();
            return;
        }
        last_.append(piece, static_cast<std::size_t>(size));
        for (std::size_t end = last_.find('\n'); end != std::string::npos; end = last_.find('\n')) {
            lines_.push_back(last_.substr(0, end));
            last_.erase(0, end + 1);
        }
        changed_.notify_all();
    }
}

std::optional<std::string> process::wait_line(const std::function<bool(const std::string&)>& fits,
                                              std::chrono::milliseconds limit, std::size_t from) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(mutex_);
    while (true) {
        for (; from < lines_.size(); ++from) {
            if (fits(lines_[from])) {
                return lines_[from];
            }
        }
        if (closed_ || changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
            return std::nullopt;
        }
    }
}

std::string process::output() {
    const std::scoped_lock lock(mutex_);
    std::string out;
    for (const std::string& line : lines_) {
        out += line + "\n";
    }
    return out + last_;
}

std::size_t process::line_count() {
    const std::scoped_lock lock(mutex_);
    return lines_.size();
}

std::pair<int, std::string> run(const command& what, std::chrono::milliseconds limit) {
    process child(what);
    const auto code = child.wait_exit(limit);
    if (!code) {
        throw std::runtime_error(what.words.front() + " did not end in time: " + child.output());
    }
    // The pipe's end comes with the process's; a grandchild that holds it open is not waited for.
    child.wait_line([](const std::string&) { return false; }, std::chrono::seconds(1));
    return {*code, child.output()};
}

} // namespace linkrunner::tests
