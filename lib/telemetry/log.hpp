// Structured log lines through spdlog: a message that stays the same, and fields. Text ("message key=value",
// coloured on a terminal), JSON lines, or journald (text with a "<n>" priority prefix, sd-daemon(3)).
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
