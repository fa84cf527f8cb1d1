// The few pieces of HTTP/1.1 (RFC 9112) that a misbehaving server needs on the level of bytes, where a
// library would insist on behaving well. Pure.
#pragma once

#include "env/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace linkrunner::sandbox {

struct request_head {
    std::string_view method, target;
    std::string_view key, content_type; // of the headers linkrunner-key and Content-Type
    std::size_t size = 0;               // bytes, with the empty line
    std::uint64_t content_length = 0;
    bool chunked = false;
    bool expects_continue = false;
    bool close = false; // Connection: close, or HTTP/1.0
};

enum class framing : std::uint8_t { incomplete, complete, malformed };

// Reads the head at the start of `buffer`; the views point into it.
framing read_head(std::string_view buffer, request_head& head);

// Decodes a chunked body (RFC 9112 section 7.1) at the start of `buffer`; `used` is its size on the wire.
framing read_chunked(std::string_view buffer, std::string& body, std::size_t& used);

std::string_view reason_for(int status) noexcept;

// IMF-fixdate (RFC 9110 section 5.6.7).
std::string http_date(wall_time at);

// "2026-01-31T12:00:00.123Z"
std::string iso_time(wall_time at);

bool equals_without_case(std::string_view a, std::string_view b) noexcept;

// The value of a key in a query string, percent-decoded; "" where absent.
std::string query_value(std::string_view query, std::string_view key);

} // namespace linkrunner::sandbox
