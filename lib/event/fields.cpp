#include "event/fields.hpp"

#include "base/json_text.hpp"
#include "event/codes.hpp"
#include "event/scan.hpp"
#include "event/syntax.hpp"

#include <algorithm>

namespace linkrunner::event {

value_kind kind_of(char first) noexcept {
    switch (first) {
    case '{':
        return value_kind::object;
    case '[':
        return value_kind::array;
    case '"':
        return value_kind::string;
    case 't':
    case 'f':
        return value_kind::boolean;
    case 'n':
        return value_kind::null;
    default:
        return value_kind::number;
    }
}

std::string_view text_of(std::string_view literal, std::string& buffer) {
    const std::string_view inner = literal.substr(1, literal.size() - 2);
    if (inner.find('\\') == std::string_view::npos) {
        return inner;
    }
    buffer = unescape(literal);
    return buffer;
}

namespace {

const char* word_for(value_kind kind) noexcept {
    switch (kind) {
    case value_kind::absent:
        return "absent";
    case value_kind::null:
        return "null";
    case value_kind::boolean:
        return "a boolean";
    case value_kind::number:
        return "a number";
    case value_kind::string:
        return "a string";
    case value_kind::array:
        return "an array";
    case value_kind::object:
        return "an object";
    }
    return "";
}

constexpr std::size_t event_fields = static_cast<std::size_t>(field::payment_id); // payments have all

// field_names.size() for none.
std::size_t field_called(std::string_view name, endpoint path) noexcept {
    const auto count =
        static_cast<std::ptrdiff_t>(path == endpoint::capture_event ? event_fields : field_names.size());
    const auto found = std::find(field_names.begin(), field_names.begin() + count, name);
    return found == field_names.begin() + count ? field_names.size()
                                                : static_cast<std::size_t>(found - field_names.begin());
}

const char* read_event_data(const char* open, const char* end, fields& found, std::string& buffer) {
    return scan::for_each_member(open, end, [&](std::string_view key, const char* value) {
        const value_kind kind = kind_of(*value);
        const char* const behind = scan::skip_value(value, end);
        if (kind != value_kind::null) {
            const std::string_view name = text_of(key, buffer);
            if (name == "amount") {
                found.has_amount = true;
                found.odd_amount = found.odd_amount || kind != value_kind::number;
            }
            found.has_payment_id = found.has_payment_id || name == "payment_id";
        }
        // In bytes and with the quotes: what is short by that is short in characters.
        const auto bytes = static_cast<std::size_t>(behind - value);
        if (key.size() > filterable_key + 2 || (kind == value_kind::string && bytes > filterable_text + 2)) {
            found.long_field = true;
        }
        return behind;
    });
}

// What is wrong with a text that must be usable as a key, or "".
std::string_view fault_of(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos) {
        return codes::empty_field;
    }
    if (text.size() > max_bytes) {
        return codes::field_too_long;
    }
    if (text.find('\0') != std::string_view::npos) {
        return codes::forbidden_character;
    }
    return "";
}

std::string describe_fault(std::string_view code, std::size_t max_bytes) {
    if (code == codes::empty_field) {
        return " is empty or blank; send a value that names something";
    }
    if (code == codes::field_too_long) {
        return " is longer than " + std::to_string(max_bytes) + " bytes; send a shorter one";
    }
    return " contains the character U+0000; remove it";
}

} // namespace

std::variant<fields, violation> find_fields(std::string_view object, endpoint path) {
    const char* const end = object.data() + object.size();
    fields found;
    std::size_t twice = field_names.size();
    std::string buffer;
    scan::for_each_member(object.data(), end, [&](std::string_view key, const char* value) {
        const std::size_t index = field_called(text_of(key, buffer), path);
        const value_kind kind = kind_of(*value);
        const bool is_data = index == static_cast<std::size_t>(field::event_data);
        const char* const behind = is_data && kind == value_kind::object
                                       ? read_event_data(value, end, found, buffer)
                                       : scan::skip_value(value, end);
        if (index != field_names.size()) {
            member& known = found.members[index];
            if (known.kind != value_kind::absent) {
                twice = std::min(twice, index);
            }
            known = {kind, {value, static_cast<std::size_t>(behind - value)}};
        }
        return behind;
    });
    if (twice != field_names.size()) {
        return refuse_field(codes::duplicate_field, static_cast<field>(twice),
                            " is there twice, so it is not clear which one counts; send it once");
    }
    return found;
}

std::optional<violation> read_text(const fields& found, field which, std::size_t max_bytes, text_value& out) {
    if (auto why = check_kind(found, which, value_kind::string)) {
        return why;
    }
    const member& value = found[which];
    if (!value.given()) {
        return std::nullopt;
    }
    out.text = text_of(value.literal, out.unescaped);
    if (const std::string_view code = fault_of(out.text, max_bytes); !code.empty()) {
        return refuse_field(code, which, describe_fault(code, max_bytes));
    }
    return std::nullopt;
}

std::optional<violation> check_id(std::string_view id, std::size_t max_bytes, const std::string& what) {
    std::string_view code = fault_of(id, max_bytes);
    std::string message = what;
    if (code.empty()) {
        std::string literal;
        append_json_string(literal, id);
        if (!check_syntax(literal, 0)) {
            return std::nullopt;
        }
        code = codes::invalid_utf8;
        message += " is not UTF-8";
    } else {
        message += describe_fault(code, max_bytes);
    }
    return violation{std::string(code), std::move(message), "", 0, 0};
}

std::optional<violation> check_kind(const fields& found, field which, value_kind wanted) {
    const member& value = found[which];
    if (!value.given() || value.kind == wanted) {
        return std::nullopt;
    }
    std::string message = std::string(" must be ") + word_for(wanted) + " and is " + word_for(value.kind);
    if (wanted == value_kind::string && value.kind == value_kind::number) {
        message += "; send it as a string, in double quotes";
    }
    return refuse_field(codes::mistyped_field, which, message);
}

violation refuse_field(std::string_view code, field which, const std::string& what_is_wrong) {
    const std::string name(field_names[static_cast<std::size_t>(which)]);
    return {std::string(code), name + what_is_wrong, "/" + name, 0, 0};
}

} // namespace linkrunner::event
