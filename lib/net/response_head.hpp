// The head of an answer as bytes. Room-internal.
#pragma once

#include "net/message.hpp"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace linkrunner::net {

enum class persistence : std::uint8_t {
    keep,          // HTTP/1.1: needs no word
    keep_http_1_0, // has to be said
    close
};

enum class body_length : std::uint8_t { known, in_chunks, by_end };

// 204 and 304 have no body and no length (RFC 9110 section 6.4.1).
bool may_have_body(int status);

// Replaces `out`.
void write_head(std::string& out, const response& answer, persistence connection, body_length length,
                std::string_view date);

// "Tue, 15 Nov 1994 08:12:31 GMT", made anew once a second (RFC 9110 section 5.6.7).
class date_text {
  public:
    std::string_view now();

  private:
    std::time_t second_ = 0;
    std::string text_;
};

} // namespace linkrunner::net
