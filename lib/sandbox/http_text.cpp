#include "sandbox/http_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace linkrunner::sandbox {

namespace {

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool read_request_line(std::string_view line, request_head& head) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || first == 0) {
        return false;
    }
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return false;
    }
    head.close = version == "HTTP/1.0";
    return !head.target.empty();
}

bool read_field(std::string_view line, request_head& head) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return false;
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equals_without_case(name, "content-length")) {
        const auto [end, failure] =
            std::from_chars(value.data(), value.data() + value.size(), head.content_length);
        return failure == std::errc{} && end == value.data() + value.size();
    }
    if (equals_without_case(name, "transfer-encoding")) {
        head.chunked = equals_without_case(value, "chunked");
        return head.chunked;
    }
    if (equals_without_case(name, "linkrunner-key")) {
        head.key = value;
    } else if (equals_without_case(name, "content-type")) {
        head.content_type = value;
    } else if (equals_without_case(name, "expect")) {
        head.expects_continue = equals_without_case(value, "100-continue");
    } else if (equals_without_case(name, "connection")) {
        head.close = head.close || equals_without_case(value, "close");
    }
    return true;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::tm broken_down(wall_time at) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    std::tm out{};
    gmtime_r(&seconds, &out);
    return out;
}

} // namespace

bool equals_without_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

framing read_head(std::string_view buffer, request_head& head) {
    const std::size_t end = buffer.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return framing::incomplete;
    }
    head = {};
    head.size = end + 4;
    std::size_t begin = buffer.find("\r\n");
    if (!read_request_line(buffer.substr(0, begin), head)) {
        return framing::malformed;
    }
    begin += 2;
    while (begin < end + 2) {
        const std::size_t stop = buffer.find("\r\n", begin);
        if (!read_field(buffer.substr(begin, stop - begin), head)) {
            return framing::malformed;
        }
        begin = stop + 2;
    }
    return framing::complete;
}

framing read_chunked(std::string_view buffer, std::string& body, std::size_t& used) {
    body.clear();
    std::size_t at = 0;
    while (true) {
        const std::size_t line = buffer.find("\r\n", at);
        if (line == std::string_view::npos) {
            return framing::incomplete;
        }
        std::uint64_t size = 0;
        const auto [end, failure] = std::from_chars(buffer.data() + at, buffer.data() + line, size, 16);
        if (failure != std::errc{} || (end != buffer.data() + line && *end != ';') || size > (1U << 30)) {
            return framing::malformed;
        }
        at = line + 2;
        if (size == 0) { // trailer fields are read over, up to the empty line
            const std::size_t close =
                buffer.substr(at).starts_with("\r\n") ? at : buffer.find("\r\n\r\n", at);
            if (close == std::string_view::npos) {
                return framing::incomplete;
            }
            used = close + (close == at ? 2 : 4);
            return framing::complete;
        }
        if (buffer.size() < at + size + 2) {
            return framing::incomplete;
        }
        if (buffer.substr(at + size, 2) != "\r\n") {
            return framing::malformed;
        }
        body.append(buffer.substr(at, size));
        at += size + 2;
    }
}

std::string_view reason_for(int status) noexcept {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 402:
        return "Payment Required";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Unnamed";
    }
}

std::string http_date(wall_time at) {
    static constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::tm parts = broken_down(at);
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                   months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                   parts.tm_hour, parts.tm_min, parts.tm_sec);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string iso_time(wall_time at) {
    const std::tm parts = broken_down(at);
    const auto millis = static_cast<int>((at.time_since_epoch() % std::chrono::seconds(1)).count());
    std::array<char, 64> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, millis);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string query_value(std::string_view query, std::string_view key) {
    while (!query.empty()) {
        const std::size_t stop = query.find('&');
        const std::string_view pair = query.substr(0, stop);
        query.remove_prefix(stop == std::string_view::npos ? query.size() : stop + 1);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || pair.substr(0, equals) != key) {
            continue;
        }
        const std::string_view raw = pair.substr(equals + 1);
        std::string out;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] == '%' && i + 2 < raw.size() && hex_digit(raw[i + 1]) >= 0 &&
                hex_digit(raw[i + 2]) >= 0) {
                out += static_cast<char>(hex_digit(raw[i + 1]) * 16 + hex_digit(raw[i + 2]));
                i += 2;
            } else {
                out += raw[i] == '+' ? ' ' : raw[i];
            }
        }
        return out;
    }
    return {};
}

} // namespace linkrunner::sandbox
