#include "telemetry/log.hpp"

#include "base/utc_text.hpp"
#include "telemetry/journal.hpp"
#include "telemetry/line.hpp"
#include "telemetry/repeat_limit.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace linkrunner::log {
namespace {

spdlog::level::level_enum severity_of(level severity) {
    switch (severity) {
    case level::trace:
        return spdlog::level::trace;
    case level::debug:
        return spdlog::level::debug;
    case level::info:
        return spdlog::level::info;
    case level::warning:
        return spdlog::level::warn;
    case level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

// A flag of the pattern that stands for a word chosen by level: trace, debug, info, warning, error.
class word_by_level : public spdlog::custom_flag_formatter {
  public:
    using words = std::array<std::string_view, 5>;
    explicit word_by_level(const words& choice) : words_(choice) {}

    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const auto index = std::min(static_cast<std::size_t>(message.level), words_.size() - 1);
        out.append(words_[index].data(), words_[index].data() + words_[index].size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<word_by_level>(words_);
    }

  private:
    words words_;
};

constexpr word_by_level::words text_levels = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
constexpr word_by_level::words json_levels = {"trace", "debug", "info", "warning", "error"};
constexpr word_by_level::words priorities = {"7", "7", "6", "4", "3"}; // sd-daemon(3)

std::unique_ptr<spdlog::formatter> make_formatter(format how, bool journal) {
    auto made = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    made->add_flag<word_by_level>('N', text_levels);
    made->add_flag<word_by_level>('J', json_levels);
    made->add_flag<word_by_level>('Q', priorities);
    std::string pattern = journal ? "<%Q>" : "";
    if (how == format::json) {
        pattern += R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%J",%v})";
    } else if (journal) {
        pattern += "%v"; // the journal keeps time and priority itself
    } else {
        pattern += "%Y-%m-%dT%H:%M:%S.%eZ %^%N%$ %v";
    }
    made->set_pattern(pattern);
    return made;
}

bool wants_colour(int descriptor) {
    const char* refused = std::getenv("NO_COLOR"); // https://no-color.org
    const char* terminal = std::getenv("TERM");
    return ::isatty(descriptor) != 0 && (refused == nullptr || *refused == '\0') && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

// As the pattern has it.
std::string json_line(level severity, const std::string& members) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    return "{\"time\":\"" + utc_text(now) + "\",\"level\":\"" +
           std::string(json_levels[static_cast<std::size_t>(severity)]) + "\"," + members + "}";
}

struct output {
    log::format format = log::format::text;
    std::shared_ptr<spdlog::logger> logger;
};

std::unique_ptr<output> make_output(format how, bool before_setup) {
    const bool journal_on_error = is_journal(STDERR_FILENO);
    const bool journal = journal_on_error || is_journal(STDOUT_FILENO);
    const bool to_error =
        before_setup || journal_on_error || (!journal && how == format::text && ::isatty(STDERR_FILENO) != 0);
    const bool colour =
        !journal && how == format::text && wants_colour(to_error ? STDERR_FILENO : STDOUT_FILENO);
    const auto mode = colour ? spdlog::color_mode::always : spdlog::color_mode::never;
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (to_error) {
        sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(mode);
    } else {
        sink = std::make_shared<spdlog::sinks::ansicolor_stdout_sink_mt>(mode);
    }
    auto made = std::make_unique<output>();
    made->format = how;
    made->logger = std::make_shared<spdlog::logger>("linkrunnerd", std::move(sink));
    made->logger->set_formatter(make_formatter(how, journal));
    made->logger->set_level(spdlog::level::trace); // lines below the level are left out before they are made
    return made;
}

struct state {
    std::atomic<level> lowest = level::info;
    std::atomic<output*> current = nullptr;
    std::atomic<journal*> native = nullptr;
    repeat_limit repeats;
    std::mutex mutex;
    // Never freed: another thread may be writing to the one that is replaced.
    std::vector<std::unique_ptr<output>> outputs;
    std::vector<std::unique_ptr<journal>> journals;

    void replace(std::unique_ptr<output> with) {
        const std::lock_guard lock(mutex);
        outputs.push_back(std::move(with));
        current.store(outputs.back().get(), std::memory_order_release);
    }
    void replace(std::unique_ptr<journal> with) {
        const std::lock_guard lock(mutex);
        journals.push_back(std::move(with));
        native.store(journals.back().get(), std::memory_order_release);
    }
};

// Never destroyed: threads and static objects may log until the very end.
state& shared() {
    static state& only = []() -> state& {
        auto* made = new state;
        made->replace(make_output(format::text, true));
        return *made;
    }();
    return only;
}

} // namespace

void setup(const settings& options) {
    // A reader of the log that goes away must not take the daemon with it.
    std::signal(SIGPIPE, SIG_IGN);
    shared().lowest.store(options.level, std::memory_order_relaxed);
    shared().replace(make_output(options.format, false));
}

// systemd.exec(5): JOURNAL_STREAM holds "device:inode" of the stream that systemd connected to the journal.
// Comparing it tells a redirected stream, or a child's, from the real one.
bool is_journal(int descriptor) {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (stream == nullptr || ::fstat(descriptor, &status) != 0) {
        return false;
    }
    return std::string_view(stream) == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

void use_journal(const std::string& socket) {
    const bool wanted = is_journal(STDERR_FILENO) || is_journal(STDOUT_FILENO);
    shared().replace(wanted ? std::make_unique<journal>(socket) : nullptr);
}

void set_level(level lowest) {
    shared().lowest.store(lowest, std::memory_order_relaxed);
}

bool enabled(level severity) {
    return severity >= shared().lowest.load(std::memory_order_relaxed);
}

void write(level severity, std::string_view message, std::initializer_list<field> fields) {
    if (!enabled(severity)) {
        return;
    }
    std::uint64_t suppressed = 0;
    if (severity >= level::warning) {
        const auto admitted = shared().repeats.admit(message, std::chrono::steady_clock::now());
        if (!admitted) {
            return;
        }
        suppressed = *admitted;
    }
    const output& to = *shared().current.load(std::memory_order_acquire);
    const std::string line = to.format == format::json ? json_members(message, fields, suppressed)
                                                       : text_line(message, fields, suppressed);
    if (journal* const native = shared().native.load(std::memory_order_acquire)) {
        if (native->write(severity, to.format == format::json ? json_line(severity, line) : line, fields)) {
            return;
        }
    }
    to.logger->log(severity_of(severity), spdlog::string_view_t(line.data(), line.size()));
}

} // namespace linkrunner::log
