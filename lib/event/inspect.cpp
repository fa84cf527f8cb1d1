#include "event/inspect.hpp"

#include "base/json_text.hpp"
#include "event/scan.hpp"

#include <utility>

namespace linkrunner::event {

namespace {

std::string pointer_to(std::string_view key) {
    std::string out = "/event_data/";
    for (const char c : key) {
        out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return out;
}

std::size_t characters(std::string_view utf8) {
    std::size_t count = 0;
    for (const char c : utf8) {
        count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

} // namespace

bool remarks::note(rule which, std::string message, std::string pointer, bool fixable) {
    const action wanted = checks_[which];
    if (wanted == action::off) {
        return false;
    }
    if (wanted == action::reject) {
        if (!refused_) {
            refused_ = violation{std::string(word_for(which)), std::move(message), std::move(pointer), 0, 0};
        }
        return false;
    }
    const bool fixed = wanted == action::fix && fixable;
    into_.push_back({which, fixed, std::move(message), std::move(pointer)});
    return fixed;
}

void check_user(std::string_view user_id, remarks& said) {
    if (said.wanted(rule::placeholder_user) && !user_id.empty() && is_placeholder(user_id)) {
        said.note(
            rule::placeholder_user,
            "user_id looks like that of a program that had none; all such events would count for one user",
            "/user_id");
    }
}

bool check_amount(std::string_view value, const std::string& pointer, remarks& said, edits& changes) {
    std::string buffer;
    std::string number =
        kind_of(value.front()) == value_kind::string ? number_in(text_of(value, buffer)) : std::string();
    if (number.empty()) {
        said.note(rule::amount_not_number,
                  "amount is no number, so that it is not counted as revenue; send digits without quotes, "
                  "separators or currency",
                  pointer);
        return false;
    }
    const bool mended = said.note(rule::amount_as_string,
                                  "amount is a number in quotes; send it without them", pointer, true);
    if (mended) {
        changes.replace(value, std::move(number));
    }
    return mended;
}

void check_data(std::string_view event_data, bool with_amount, remarks& said, edits& changes) {
    const char* const end = event_data.data() + event_data.size();
    std::string buffer;
    scan::for_each_member(event_data.data(), end, [&](std::string_view literal, const char* begin) {
        const char* const behind = scan::skip_value(begin, end);
        const std::string key(text_of(literal, buffer));
        const std::string_view value(begin, static_cast<std::size_t>(behind - begin));
        const value_kind kind = kind_of(*begin);
        if (with_amount && key == "amount" && kind != value_kind::number && kind != value_kind::null) {
            check_amount(value, "/event_data/amount", said, changes);
        }
        if (characters(key) > filterable_key) {
            said.note(rule::long_field,
                      "the key is longer than 128 characters, so that nobody can filter by it",
                      pointer_to(key));
        } else if (kind == value_kind::string && characters(text_of(value, buffer)) > filterable_text) {
            said.note(rule::long_field,
                      "the text is longer than 256 characters, so that nobody can filter by it",
                      pointer_to(key));
        }
        return behind;
    });
}

namespace {

void check_name(const fields& found, inspected& what, remarks& said) {
    if (is_snake_case(what.name)) {
        return;
    }
    std::string better(documented_name_like(what.name));
    const bool documented = !better.empty() && said.wanted(rule::documented_name);
    const rule which = documented ? rule::documented_name : rule::name_style;
    if (!documented) {
        better = to_snake_case(what.name);
    }
    std::string message = documented ? "event_name is a documented one but for its spelling"
                                     : "event_name is not in snake_case";
    if (!better.empty()) {
        message += "; send " + better;
    }
    if (said.note(which, std::move(message), "/event_name", !better.empty())) {
        std::string literal;
        append_json_string(literal, better);
        what.changes.replace(found[field::event_name].literal, std::move(literal));
        what.name = std::move(better);
    }
}

} // namespace

std::optional<violation> inspect(const fields& found, const actions& checks, const patterns& revenue_names,
                                 inspected& what) {
    remarks said(checks, what.findings);
    check_name(found, what, said);
    check_user(what.user_id, said);
    if (found.odd_amount || found.long_field) {
        check_data(found[field::event_data].literal, true, said, what.changes);
    }
    if (!found.has_amount && said.wanted(rule::missing_amount) && revenue_names.match(what.name)) {
        said.note(rule::missing_amount,
                  "the name speaks of revenue and there is no amount; without it nothing is counted, send "
                  "event_data.amount as a number",
                  "/event_data/amount");
    }
    if (found.has_amount && found.has_payment_id) {
        said.note(
            rule::payment_event,
            "an event with amount and payment_id is a payment; sent to capture-payment it is counted as "
            "revenue, and once only",
            "/event_data/payment_id");
    }
    return said.take_refusal();
}

} // namespace linkrunner::event
