#include "event/syntax.hpp"

#include "event/batch.hpp"
#include "event/codes.hpp"
#include "event/scan.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <limits>

namespace linkrunner::event {

namespace {

namespace json = boost::json;

// Hears of everything and keeps nothing: only whether the text is valid matters.
struct deaf_handler {
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_key(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

struct verdict {
    json::error_code failure;
    std::size_t offset = 0; // of the first byte that was not consumed
};

verdict read(std::string_view text, std::size_t max_depth, bool allow_invalid_utf8) {
    json::parse_options options;
    options.max_depth = max_depth;
    options.allow_invalid_utf8 = allow_invalid_utf8;
    json::basic_parser<deaf_handler> parser(options);
    verdict found;
    found.offset = parser.write_some(false, text.data(), text.size(), found.failure);
    return found;
}

// Boost.JSON calls invalid UTF-8 a syntax error, or incomplete where a sequence is cut by the end of the
// text. It is told apart by reading again without that check: then the parser gets further.
std::optional<std::size_t> find_invalid_utf8(std::string_view text, std::size_t max_depth,
                                             const verdict& strict) {
    const verdict lax = read(text, max_depth, true);
    const bool further = lax.offset > strict.offset || (strict.failure && !lax.failure);
    if (!further) {
        return std::nullopt;
    }
    if (strict.offset < text.size()) {
        return strict.offset;
    }
    std::size_t lead = text.size();
    while (lead > 0 && static_cast<unsigned char>(text[lead - 1]) < 0xC0) {
        --lead;
    }
    return lead == 0 ? 0 : lead - 1;
}

// An escape \ud800 to \udbff ends where the parser stopped, perhaps one backslash earlier.
bool behind_lone_surrogate(std::string_view read) {
    if (read.ends_with('\\')) {
        read.remove_suffix(1);
    }
    if (read.size() < 6) {
        return false;
    }
    const std::string_view escape = read.substr(read.size() - 6, 4);
    return escape.starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D') &&
           std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

std::string describe_byte(std::string_view text, std::size_t offset) {
    const char c = text[offset];
    const std::string_view before = scan::trim(text.substr(0, offset));
    switch (c) {
    case '/':
        return "a '/' stands where JSON has none; JSON knows no comments, remove them";
    case '\'':
        return "strings and keys need double quotes";
    case 'N':
    case 'I':
        return "JSON has no NaN and no Infinity; leave the field out or send null";
    case '}':
    case ']':
        if (before.ends_with(',')) {
            return "there is a comma too many before the closing bracket";
        }
        break;
    default:
        break;
    }
    if (static_cast<unsigned char>(c) < 0x20) {
        return "a control character stands here as it is; inside a string write it as an escape, such as \\n "
               "or "
               "\\u0000";
    }
    if (static_cast<unsigned char>(c) >= 0x7F) {
        return "a character stands here that JSON only has inside strings";
    }
    return std::string("'") + c + "' is not expected here";
}

std::string describe(std::string_view text, const verdict& found) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        return "the text begins with a byte order mark; send UTF-8 without it";
    }
    if (scan::trim(text).empty()) {
        return "there is no JSON here; send one JSON object";
    }
    if (!found.failure) {
        return "more follows behind the end of the JSON value; send several events as an array, or one per "
               "line "
               "as application/x-ndjson";
    }
    if (found.failure == json::error::exponent_overflow) {
        return "the exponent of this number is too large";
    }
    if (found.failure == json::error::incomplete || found.offset >= text.size()) {
        return "the JSON ends too early: a string, bracket or brace is not closed";
    }
    if (found.failure == json::error::illegal_leading_surrogate ||
        found.failure == json::error::illegal_trailing_surrogate ||
        behind_lone_surrogate(text.substr(0, found.offset))) {
        return "half of a surrogate pair (\\ud800 to \\udfff) stands alone; was the text cut inside a "
               "character?";
    }
    if (found.failure == json::error::expected_hex_digit) {
        return "\\u needs four hexadecimal digits";
    }
    return describe_byte(text, found.offset);
}

} // namespace

std::optional<syntax_error> check_syntax(std::string_view text, std::size_t max_depth) {
    const verdict found = read(text, max_depth, false);
    if (!found.failure && found.offset == text.size()) {
        return std::nullopt;
    }
    if (found.failure == json::error::too_deep) {
        return syntax_error{codes::too_deep,
                            "objects and arrays are nested deeper than " + std::to_string(max_depth) +
                                " levels",
                            found.offset};
    }
    if (found.failure) {
        if (const auto offset = find_invalid_utf8(text, max_depth, found)) {
            return syntax_error{codes::invalid_utf8,
                                "these bytes are not UTF-8; send the text encoded as UTF-8", *offset};
        }
    }
    return syntax_error{codes::malformed_json, describe(text, found), found.offset};
}

violation located(const syntax_error& found, std::string_view body, std::size_t base) {
    violation why{std::string(found.code), found.message, "", 0, 0};
    locate(body, base + found.offset, why.line, why.column);
    return why;
}

std::string unescape(std::string_view literal) {
    json::error_code failure;
    const json::value value = json::parse(literal, failure);
    const json::string* const text = value.if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

} // namespace linkrunner::event
