#include "sandbox/answer.hpp"

#include "sandbox/http_text.hpp"

namespace linkrunner::sandbox {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view not_http = "\x15\x03\x01\x00 this is not HTTP \xff\xfe\r\n\r\n\0\0"sv;

} // namespace

void append_answer(std::string& out, const reply& what, bool close) {
    for (const int status : what.how.interim) {
        out += "HTTP/1.1 " + std::to_string(status) + " Interim\r\n\r\n";
    }
    if (what.how.garbage) {
        out += not_http;
        return;
    }
    thread_local std::int64_t dated = -1; // a date is made once a second
    thread_local std::string date;
    const std::int64_t second = what.at.time_since_epoch().count() / 1000;
    if (second != dated) {
        dated = second;
        date = http_date(what.at);
    }
    out.append(what.how.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ")
        .append(std::to_string(what.status))
        .append(" ")
        .append(reason_for(what.status));
    out.append("\r\nDate: ").append(date).append("\r\nContent-Type: ").append(what.content_type);
    if (what.status == 204 ||
        what.status == 304) { // RFC 9110 section 6.4.1: no content, whatever was asked for
        out.append("\r\n").append(what.headers).append(close ? "Connection: close\r\n\r\n" : "\r\n");
        return;
    }
    out.append("\r\nContent-Length: ").append(std::to_string(what.body.size())).append("\r\n");
    out.append(what.headers).append(close ? "Connection: close\r\n\r\n" : "\r\n");
    out.append(what.body, 0, what.how.truncated ? what.body.size() / 2 : std::string::npos);
}

} // namespace linkrunner::sandbox
