#include "event/batch.hpp"

#include "event/codes.hpp"
#include "event/scan.hpp"
#include "event/syntax.hpp"

#include <algorithm>
#include <cstring>

namespace linkrunner::event {

namespace {

// How far an element without an end is read to say where it went wrong: bounded, because a refusal should not
// cost more than an acceptance.
constexpr std::size_t diagnosed_bytes = 64 * 1024;
constexpr std::size_t diagnosed_depth = 256;

} // namespace

batch_reader::batch_reader(batch_format format, std::string_view body) : format_(format), body_(body) {}

std::variant<batch_item, violation, std::monostate> batch_reader::next() {
    if (ended_) {
        return std::monostate{};
    }
    return format_ == batch_format::array ? next_element() : next_line();
}

std::variant<batch_item, violation, std::monostate> batch_reader::next_element() {
    const char* const begin = body_.data();
    const char* const end = begin + body_.size();
    const auto offset_of = [begin](const char* p) { return static_cast<std::size_t>(p - begin); };
    const char* p = scan::skip_space(begin + position_, end);
    const bool first = !begun_;
    if (first) {
        if (p == end || *p != '[') {
            return condemn(offset_of(p), "an array of events begins with '['");
        }
        begun_ = true;
        p = scan::skip_space(p + 1, end);
    }
    if (p != end && *p == ']') {
        ended_ = true;
        p = scan::skip_space(p + 1, end);
        if (p != end) {
            return condemn(offset_of(p), "more follows behind the end of the array");
        }
        return std::monostate{};
    }
    if (!first) {
        if (p == end || *p != ',') {
            return condemn(offset_of(p), p == end ? "the array is not closed; its ']' is missing"
                                                  : "a ',' or the closing ']' is missing between two events");
        }
        p = scan::skip_space(p + 1, end);
    }
    const char* const behind = scan::skip_value(p, end);
    const std::size_t offset = offset_of(p);
    if (behind == nullptr) {
        const auto error = check_syntax(body_.substr(offset, diagnosed_bytes), diagnosed_depth);
        if (error && error->code != codes::too_deep && error->offset < diagnosed_bytes &&
            offset + error->offset < body_.size()) {
            ended_ = true;
            return located(*error, body_, offset);
        }
        return condemn(body_.size(),
                       "the body ends inside an event: a string, bracket or brace is not closed");
    }
    if (behind == p) {
        return condemn(offset, p == end ? "the array is not closed; its ']' is missing"
                                        : "an event is missing here; is there a comma too many?");
    }
    position_ = offset_of(behind);
    return batch_item{index_++, offset, body_.substr(offset, position_ - offset)};
}

std::variant<batch_item, violation, std::monostate> batch_reader::next_line() {
    while (position_ < body_.size()) {
        const std::size_t start = position_;
        const std::size_t feed = std::min(body_.find('\n', start), body_.size());
        position_ = feed + 1;
        std::string_view line = body_.substr(start, feed - start);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (!scan::trim(line).empty()) {
            return batch_item{index_++, start, line};
        }
    }
    ended_ = true;
    return std::monostate{};
}

violation batch_reader::condemn(std::size_t offset, std::string message) {
    ended_ = true;
    return located({codes::malformed_json, std::move(message), offset}, body_);
}

bool condemns_body(batch_format format, const violation& why) noexcept {
    return format == batch_format::array &&
           (why.code == codes::malformed_json || why.code == codes::invalid_utf8);
}

void locate_in_body(violation& why, std::string_view body, const batch_item& item) {
    if (why.line == 0) {
        return;
    }
    std::size_t line = 0;
    std::size_t column = 0;
    locate(body, item.offset, line, column);
    if (why.line == 1) {
        why.column += column - 1;
    }
    why.line += line - 1;
}

void locate(std::string_view body, std::size_t offset, std::size_t& line, std::size_t& column) {
    const std::string_view before = body.substr(0, offset);
    line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    const void* const feed = before.empty() ? nullptr : ::memrchr(before.data(), '\n', before.size());
    column = feed == nullptr
                 ? before.size() + 1
                 : static_cast<std::size_t>(before.data() + before.size() - static_cast<const char*>(feed));
}

} // namespace linkrunner::event
