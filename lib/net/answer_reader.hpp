// Reads one HTTP/1.1 answer after another from bytes. Room-internal; no input or output of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linkrunner::net {

class answer_reader {
  public:
    enum class progress : std::uint8_t { need_more, whole, malformed, too_large };

    struct step {
        progress what = progress::need_more;
        std::size_t consumed = 0;
    };

    // The headers that are of interest, "" where absent.
    struct fields {
        std::string retry_after, date;
        std::string ratelimit, ratelimit_policy; // several lines are joined (RFC 9110 section 5.3)
        std::string ratelimit_limit, ratelimit_remaining, ratelimit_reset;
    };

    answer_reader(std::size_t max_header_bytes, std::size_t max_body_bytes);
    ~answer_reader();

    // The next byte begins an answer. `bodiless`: it answers a HEAD or CONNECT request.
    void begin(bool bodiless);
    // Bytes that were not consumed must be offered again, with more after them. 1xx answers are skipped.
    step read(std::string_view bytes);
    // The stream has ended: true when that is how the answer was framed.
    bool end_of_stream();

    bool begun() const; // at least one byte was consumed or looked at
    bool keep_alive() const;
    int status() const;
    fields& headers();
    std::string& body();
    const std::string& why() const; // it is malformed or too large

  private:
    class parser;
    std::unique_ptr<parser> parser_;
};

} // namespace linkrunner::net
