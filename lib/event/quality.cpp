#include "event/quality.hpp"

#include "event/syntax.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace linkrunner::event {

namespace {

constexpr std::array<std::string_view, 10> documented_names = {
    "purchase_initiated", "purchase_completed", "item_viewed",     "cart_added",           "checkout_started",
    "search_performed",   "content_viewed",     "level_completed", "achievement_unlocked", "user_referred"};

// What languages and templates print for a user id that is not there.
constexpr std::array<std::string_view, 11> placeholders = {
    "null", "undefined", "nil", "none", "nan", "n/a", "0", "-1", "true", "false", "[object object]"};
constexpr std::array<std::string_view, 9> payment_types = {
    "FIRST_PAYMENT",        "SECOND_PAYMENT", "WALLET_TOPUP", "FUNDS_WITHDRAWAL", "SUBSCRIPTION_CREATED",
    "SUBSCRIPTION_RENEWED", "ONE_TIME",       "RECURRING",    "DEFAULT"};
constexpr std::array<std::string_view, 4> payment_statuses = {"PAYMENT_INITIATED", "PAYMENT_COMPLETED",
                                                              "PAYMENT_FAILED", "PAYMENT_CANCELLED"};

constexpr std::string_view nil_uuid = "00000000-0000-0000-0000-000000000000"; // RFC 9562 section 5.9

struct bracket {
    std::string_view open, close;
};
constexpr std::array<bracket, 5> template_brackets = {
    {{"{{", "}}"}, {"${", "}"}, {"<%", "%>"}, {"#{", "}"}, {"%(", ")s"}}};

constexpr bool is_small(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_capital(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr char small(char c) noexcept {
    return is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_but_for_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, small, small);
}

} // namespace

std::string_view word_for(rule which) noexcept {
    switch (which) {
    case rule::amount_as_string:
        return "amount_as_string";
    case rule::amount_not_number:
        return "amount_not_number";
    case rule::name_style:
        return "name_style";
    case rule::documented_name:
        return "documented_name";
    case rule::long_field:
        return "long_field";
    case rule::placeholder_user:
        return "placeholder_user";
    case rule::missing_amount:
        return "missing_amount";
    case rule::payment_event:
        return "payment_event";
    case rule::missing_payment_id:
        return "missing_payment_id";
    case rule::payment_type:
        return "payment_type";
    case rule::payment_status:
        return "payment_status";
    }
    return "";
}

bool is_snake_case(std::string_view name) noexcept {
    bool joined = true; // an underscore may not stand here
    for (const char c : name) {
        if (c == '_' ? joined : !is_small(c) && !is_digit(c)) {
            return false;
        }
        joined = c == '_';
    }
    return !joined;
}

std::string to_snake_case(std::string_view name) {
    std::string out;
    bool word_ended = false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (static_cast<unsigned char>(c) >= 0x80) {
            return {};
        }
        if (!is_small(c) && !is_capital(c) && !is_digit(c)) {
            word_ended = true;
            continue;
        }
        const bool follows_capital = i > 0 && is_capital(name[i - 1]);
        const bool follows_word = i > 0 && (is_small(name[i - 1]) || is_digit(name[i - 1]));
        const bool before_small = i + 1 < name.size() && is_small(name[i + 1]);
        if (is_capital(c) && (follows_word || (follows_capital && before_small))) {
            word_ended = true;
        }
        if (word_ended && !out.empty()) {
            out += '_';
        }
        word_ended = false;
        out += small(c);
    }
    return out;
}

std::string_view documented_name_like(std::string_view name) {
    for (const std::string_view known : documented_names) {
        const bool alike = std::ranges::equal(name, known, [](char left, char right) {
            return left == '-' || left == ' ' ? right == '_' : small(left) == right;
        });
        if (alike) {
            return name == known ? std::string_view() : known;
        }
    }
    return {};
}

std::string number_in(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return {};
    }
    text = text.substr(first, text.find_last_not_of(space) - first + 1);
    if (text.starts_with('+') && !text.starts_with("+-")) {
        text.remove_prefix(1);
    }
    const bool may_be_number = !text.empty() && (is_digit(text.front()) || text.front() == '-');
    if (!may_be_number || check_syntax(text, 0)) {
        return {};
    }
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} ? std::string(text) : std::string();
}

bool is_placeholder(std::string_view user_id) {
    constexpr std::string_view space = " \t";
    const std::size_t first = user_id.find_first_not_of(space);
    if (first == std::string_view::npos) {
        return true;
    }
    const std::string_view text = user_id.substr(first, user_id.find_last_not_of(space) - first + 1);
    if (text == nil_uuid) {
        return true;
    }
    const auto is_text = [text](std::string_view known) { return same_but_for_case(text, known); };
    const auto in_brackets = [text](const bracket& each) {
        return text.size() >= each.open.size() + each.close.size() && text.starts_with(each.open) &&
               text.ends_with(each.close);
    };
    return std::ranges::any_of(placeholders, is_text) || std::ranges::any_of(template_brackets, in_brackets);
}

bool is_payment_type(std::string_view type) noexcept {
    return std::ranges::find(payment_types, type) != payment_types.end();
}

bool is_payment_status(std::string_view status) noexcept {
    return std::ranges::find(payment_statuses, status) != payment_statuses.end();
}

} // namespace linkrunner::event
