#include "telemetry/line.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace linkrunner::log {
namespace {

constexpr std::size_t longest_value_bytes = 2048;

struct code_point {
    char32_t value = 0;
    std::size_t length = 0; // 0: the byte is not UTF-8
};

// Decodes the character at the start of `bytes`, which is not empty (RFC 3629).
code_point decode(std::string_view bytes) {
    const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char first = byte_at(0);
    if (first < 0x80) {
        return {first, 1};
    }
    std::size_t length = 0;
    char32_t value = 0;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
        value = first & 0x1FU;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        value = first & 0x0FU;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        value = first & 0x07U;
    }
    if (length == 0 || bytes.size() < length) {
        return {};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte_at(i) & 0xC0U) != 0x80U) {
            return {};
        }
        value = (value << 6U) | (byte_at(i) & 0x3FU);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF) {
        return {};
    }
    return {value, length};
}

bool is_harmful(char32_t value) {
    return value < 0x20 || (value >= 0x7F && value <= 0x9F) || value == 0x2028 || value == 0x2029 ||
           (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069) || value == 0xFEFF;
}

void append_hex(std::string& out, const char* format, unsigned value) {
    char text[16];
    std::snprintf(text, sizeof text, format, value);
    out += text;
}

// The cut may fall inside a character: what is left of it is taken away.
std::string_view shortened(std::string_view text) {
    if (text.size() <= longest_value_bytes) {
        return text;
    }
    std::size_t end = longest_value_bytes;
    while (end > longest_value_bytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end);
}

void append_escape(std::string& out, char32_t value) {
    switch (value) {
    case '\n':
        out += "\\n";
        break;
    case '\r':
        out += "\\r";
        break;
    case '\t':
        out += "\\t";
        break;
    default:
        append_hex(out, "\\u%04x", static_cast<unsigned>(value));
    }
}

enum class style { bare, quoted, json };

void append_escaped(std::string& out, std::string_view whole, style how) {
    const std::string_view text = shortened(whole);
    for (std::size_t i = 0; i < text.size();) {
        const code_point c = decode(text.substr(i));
        if (c.length == 0) {
            if (how == style::json) {
                out += "\xEF\xBF\xBD";
            } else {
                append_hex(out, "\\x%02x", static_cast<unsigned char>(text[i]));
            }
            ++i;
            continue;
        }
        if (is_harmful(c.value)) {
            append_escape(out, c.value);
        } else if (how != style::bare && (c.value == '"' || c.value == '\\')) {
            out += '\\';
            out += text[i];
        } else {
            out += text.substr(i, c.length);
        }
        i += c.length;
    }
    if (text.size() < whole.size()) {
        out += "...";
    }
}

bool needs_quotes(std::string_view text) {
    if (text.empty()) {
        return true;
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return true;
        }
    }
    return false;
}

template <class Number>
std::string digits(Number number) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, number);
    return {text, end.ptr};
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    append_escaped(out, text, style::json);
    out += '"';
}

struct as_text {
    std::string& out;
    void operator()(const std::string& text) const {
        if (!needs_quotes(text)) {
            append_escaped(out, text, style::bare);
            return;
        }
        out += '"';
        append_escaped(out, text, style::quoted);
        out += '"';
    }
    void operator()(std::int64_t number) const { out += digits(number); }
    void operator()(double number) const { out += digits(number); }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

struct as_value {
    std::string operator()(const std::string& text) const {
        const std::string_view kept = shortened(text);
        return std::string(kept) + (kept.size() < text.size() ? "..." : "");
    }
    std::string operator()(std::int64_t number) const { return digits(number); }
    std::string operator()(double number) const { return digits(number); }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

struct as_json {
    std::string& out;
    void operator()(const std::string& text) const { append_json_string(out, text); }
    void operator()(std::int64_t number) const { out += digits(number); }
    void operator()(double number) const {
        if (std::isfinite(number)) {
            out += digits(number);
        } else {
            append_json_string(out, digits(number));
        }
    }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

} // namespace

std::string text_line(std::string_view message, std::initializer_list<field> fields,
                      std::uint64_t suppressed) {
    std::string out;
    out.reserve(message.size() + fields.size() * 24);
    append_escaped(out, message, style::bare);
    for (const field& each : fields) {
        if (each.key.empty()) {
            continue;
        }
        out += ' ';
        append_escaped(out, each.key, style::bare);
        out += '=';
        std::visit(as_text{out}, each.value);
    }
    if (suppressed != 0) {
        out += " suppressed=" + digits(suppressed);
    }
    return out;
}

std::string json_members(std::string_view message, std::initializer_list<field> fields,
                         std::uint64_t suppressed) {
    std::string out;
    out.reserve(message.size() + 16 + fields.size() * 24);
    out += "\"msg\":";
    append_json_string(out, message);
    for (const field& each : fields) {
        if (each.key.empty()) {
            continue;
        }
        out += ',';
        append_json_string(out, each.key);
        out += ':';
        std::visit(as_json{out}, each.value);
    }
    if (suppressed != 0) {
        out += ",\"suppressed\":" + digits(suppressed);
    }
    return out;
}

std::string value_text(const field& each) {
    return std::visit(as_value{}, each.value);
}

} // namespace linkrunner::log
