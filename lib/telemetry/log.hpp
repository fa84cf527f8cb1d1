// Structured log lines through spdlog: a message that stays the same, and fields. Text ("message key=value",
// coloured on a terminal) or JSON lines; to a standard stream that is systemd's journal with a "<n>" priority
// prefix (sd-daemon(3)), and from use_journal() on by the journal's own protocol.
// Thread-safe. Until setup() has been called, text to standard error. Lines go to standard error under
// systemd and in text mode on a terminal, to standard output otherwise. Repeats are limited: of the same
// message at warning or above, at most 5 in 10 s are written; the next one written afterwards carries
// suppressed=<n>. Fields never hold secrets: the callers see to that.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace linkrunner::log {

enum class level { trace, debug, info, warning, error };
enum class format { text, json };

struct settings {
    log::level level = log::level::info;
    log::format format = log::format::text;
};

void setup(const settings& options);
void set_level(level lowest);

// True where systemd has connected this standard stream to its journal.
bool is_journal(int descriptor);

// From now on, where a standard stream is the journal, lines go to the journal by its own protocol: the same
// text (or JSON) as MESSAGE, and each field as a field of the journal. Lines that it cannot be given that way
// go to the stream as before. Not for the first lines of a process, nor for those of one that ends at once:
// the journal looks up which unit a datagram is from when it reads it, and remembers the sender of a stream.
void use_journal(const std::string& socket = "/run/systemd/journal/socket");

struct field {
    std::string_view key;
    std::variant<std::string, std::int64_t, double, bool> value;

    field(std::string_view name, std::string text) : key(name), value(std::move(text)) {}
    field(std::string_view name, std::string_view text) : key(name), value(std::string(text)) {}
    field(std::string_view name, const char* text) : key(name), value(std::string(text)) {}
    field(std::string_view name, bool flag) : key(name), value(flag) {}
    field(std::string_view name, double number) : key(name), value(number) {}
    template <std::integral T>
    field(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) {}

    // Left out of the line where there is no text: a field without a key.
    static field if_any(std::string_view name, std::string_view text) {
        return {text.empty() ? std::string_view() : name, text};
    }
};

void write(level severity, std::string_view message, std::initializer_list<field> fields = {});

inline void debug(std::string_view message, std::initializer_list<field> fields = {}) {
    write(level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<field> fields = {}) {
    write(level::info, message, fields);
}
inline void warning(std::string_view message, std::initializer_list<field> fields = {}) {
    write(level::warning, message, fields);
}
inline void error(std::string_view message, std::initializer_list<field> fields = {}) {
    write(level::error, message, fields);
}

// True when a line of this level would be written: for fields that are costly to make.
bool enabled(level severity);

} // namespace linkrunner::log
