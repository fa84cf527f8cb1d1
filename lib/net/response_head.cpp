#include "net/response_head.hpp"

#include "net/header_text.hpp"

#include <boost/beast/http/status.hpp>

#include <array>
#include <cstdio>
#include <ostream> // Boost's string_view leaves it out

namespace linkrunner::net {
bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

void write_head(std::string& out, const response& answer, persistence connection, body_length length,
                std::string_view date) {
    const auto reason = boost::beast::http::obsolete_reason(
        boost::beast::http::int_to_status(static_cast<unsigned>(answer.status)));
    out = "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(answer.status));
    out += ' ';
    out.append(reason.data(), reason.size());
    out += "\r\n";
    if (may_have_body(answer.status)) {
        if (!answer.content_type.empty()) {
            append_header(out, "Content-Type", answer.content_type);
        }
        if (length == body_length::known) {
            out += "Content-Length: ";
            append_number(out, answer.body.size());
            out += "\r\n";
        } else if (length == body_length::in_chunks) {
            out += "Transfer-Encoding: chunked\r\n";
        }
    }
    out += "Date: ";
    out += date;
    out += "\r\n";
    for (const auto& [name, value] : answer.headers) {
        append_header(out, name, value);
    }
    if (connection == persistence::close) {
        out += "Connection: close\r\n";
    } else if (connection == persistence::keep_http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "\r\n";
}

std::string_view date_text::now() {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto second = std::time(nullptr);
    if (second != second_) {
        second_ = second;
        std::tm parts{};
        ::gmtime_r(&second, &parts);
        std::array<char, 64> text{};
        const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                         days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                         months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                         parts.tm_hour, parts.tm_min, parts.tm_sec);
        text_.assign(text.data(), static_cast<std::size_t>(length));
    }
    return text_;
}

} // namespace linkrunner::net
