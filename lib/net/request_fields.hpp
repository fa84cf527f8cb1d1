// The request line and headers of one request, kept in one piece of memory that is used again for the next.
// Room-internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::net {

bool is_token_character(char c) noexcept; // RFC 9110 section 5.6.2
bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;

class request_fields {
  public:
    void clear();
    // False when the target is neither a path nor an absolute http(s) URI nor "*". `version`: 10 or 11.
    bool set_request_line(std::string_view method, std::string_view target, int version);
    void add(std::string_view name, std::string_view value);

    std::string_view method() const { return text(method_); }
    std::string_view target() const { return text(target_); }
    int version() const { return version_; }
    // The first of that name, "" where absent. The Host of an absolute target replaces the header (RFC 9112
    // section 3.2.2), so that what a handler checks is what the client asked for.
    std::string_view find(std::string_view name) const;
    std::size_t count(std::string_view name) const;

    // Null when the head as a whole is sound; else what is wrong with it.
    const char* what_is_wrong() const;

  private:
    struct span {
        std::uint32_t begin = 0;
        std::uint32_t length = 0;
    };
    struct field {
        span name;
        span value;
    };
    span keep(std::string_view bytes);
    std::string_view text(span where) const {
        return std::string_view(text_).substr(where.begin, where.length);
    }

    std::string text_;
    std::vector<field> fields_;
    span method_, target_, authority_;
    int version_ = 11;
};

} // namespace linkrunner::net
