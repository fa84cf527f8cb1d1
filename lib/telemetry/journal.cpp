#include "telemetry/journal.hpp"

#include "telemetry/line.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace linkrunner::log {
namespace {

constexpr std::size_t longest_name = 64; // the journal takes no longer ones
constexpr timeval patience{0, 100'000};

// systemd.journal-fields(7): fields that the journal and its tools read.
constexpr std::array meaningful = {"MESSAGE",       "MESSAGE_ID",         "PRIORITY",     "ERRNO",
                                   "INVOCATION_ID", "USER_INVOCATION_ID", "UNIT",         "USER_UNIT",
                                   "TID",           "OBJECT_PID",         "DOCUMENTATION"};
constexpr std::array meaningful_beginnings = {"_", "CODE_", "SYSLOG_", "COREDUMP_", "OBJECT_"};

char priority_of(level severity) {
    switch (severity) {
    case level::trace:
    case level::debug:
        return '7';
    case level::info:
        return '6';
    case level::warning:
        return '4';
    case level::error:
        return '3';
    }
    return '3';
}

// NAME=value, or where the value has line ends the name and the value's length in 64 bits, little endian.
void append(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    if (value.find('\n') == std::string_view::npos) {
        out += '=';
    } else {
        out += '\n';
        std::uint64_t length = value.size();
        for (int i = 0; i < 8; ++i, length >>= 8U) {
            out += static_cast<char>(length & 0xFFU);
        }
    }
    out += value;
    out += '\n';
}

std::string with_lost(const std::string& message, std::uint64_t lost) {
    const std::string count = std::to_string(lost);
    return message.ends_with('}') ? message.substr(0, message.size() - 1) + ",\"lines_lost\":" + count + "}"
                                  : message + " lines_lost=" + count;
}

} // namespace

std::string journal_field(std::string_view key) {
    std::string out;
    for (const char c : key) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool taken = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out += lower ? static_cast<char>(c - 'a' + 'A') : taken ? c : '_';
    }
    const bool digit = !out.empty() && out[0] >= '0' && out[0] <= '9';
    if (out.empty() || digit || std::ranges::find(meaningful, out) != meaningful.end() ||
        std::ranges::any_of(meaningful_beginnings, [&](const char* each) { return out.starts_with(each); })) {
        out.insert(0, "LINKRUNNERD_");
    }
    return out.substr(0, longest_name);
}

std::string journal_entry(level severity, std::string_view message, std::initializer_list<field> fields) {
    std::string out;
    out.reserve(2 * message.size() + 64 + fields.size() * 24);
    append(out, "MESSAGE", message);
    append(out, "PRIORITY", std::string(1, priority_of(severity)));
    append(out, "SYSLOG_IDENTIFIER", "linkrunnerd");
    for (const field& each : fields) {
        if (!each.key.empty()) {
            append(out, journal_field(each.key), value_text(each));
        }
    }
    return out;
}

journal::journal(std::string socket)
    : path_(std::move(socket)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

journal::~journal() {
    ::close(socket_);
}

// The address is given each time: a journal that was started anew is found again.
bool journal::write(level severity, const std::string& message, std::initializer_list<field> fields) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    if (path_.size() >= sizeof where.sun_path) {
        return false;
    }
    std::memcpy(where.sun_path, path_.data(), path_.size());
    const std::uint64_t lost = lost_.load(std::memory_order_relaxed);
    const std::string entry = journal_entry(severity, lost == 0 ? message : with_lost(message, lost), fields);
    const int waiting = stuck_.load(std::memory_order_relaxed) ? MSG_DONTWAIT : 0;
    if (::sendto(socket_, entry.data(), entry.size(), MSG_NOSIGNAL | waiting,
                 reinterpret_cast<const sockaddr*>(&where), sizeof where) >= 0) {
        lost_.fetch_sub(lost, std::memory_order_relaxed);
        stuck_.store(false, std::memory_order_relaxed);
        return true;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
        return false;
    }
    lost_.fetch_add(1, std::memory_order_relaxed);
    stuck_.store(true, std::memory_order_relaxed);
    return true;
}

} // namespace linkrunner::log
