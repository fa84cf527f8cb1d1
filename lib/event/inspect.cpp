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

class inspection {
  public:
    inspection(const fields& found, const actions& checks, const patterns& revenue_names, inspected& what)
        : found_(found), checks_(checks), revenue_names_(revenue_names), what_(what) {}

    std::optional<violation> run() {
        check_name();
        check_user();
        if (found_.odd_amount || found_.long_field) {
            check_data();
        }
        if (!found_.has_amount && checks_[rule::missing_amount] != action::off &&
            revenue_names_.match(what_.name)) {
            note(rule::missing_amount,
                 "the name speaks of revenue and there is no amount; without it nothing is counted, send "
                 "event_data.amount as a number",
                 "/event_data/amount");
        }
        return std::move(refused_);
    }

  private:
    // Notes what a rule found; true when it is to be fixed.
    bool note(rule which, std::string message, std::string pointer, bool fixable = false) {
        const action wanted = checks_[which];
        if (wanted == action::off) {
            return false;
        }
        if (wanted == action::reject) {
            if (!refused_) {
                refused_ =
                    violation{std::string(word_for(which)), std::move(message), std::move(pointer), 0, 0};
            }
            return false;
        }
        const bool fixed = wanted == action::fix && fixable;
        what_.findings.push_back({which, fixed, std::move(message), std::move(pointer)});
        return fixed;
    }

    void check_name() {
        if (is_snake_case(what_.name)) {
            return;
        }
        std::string better(documented_name_like(what_.name));
        const bool documented = !better.empty() && checks_[rule::documented_name] != action::off;
        const rule which = documented ? rule::documented_name : rule::name_style;
        if (!documented) {
            better = to_snake_case(what_.name);
        }
        std::string message = documented ? "event_name is a documented one but for its spelling"
                                         : "event_name is not in snake_case";
        if (!better.empty()) {
            message += "; send " + better;
        }
        if (note(which, std::move(message), "/event_name", !better.empty())) {
            std::string literal;
            append_json_string(literal, better);
            what_.changes.replace(found_[field::event_name].literal, std::move(literal));
            what_.name = std::move(better);
        }
    }

    void check_user() {
        if (checks_[rule::placeholder_user] == action::off || what_.user_id.empty() ||
            !is_placeholder(what_.user_id)) {
            return;
        }
        note(rule::placeholder_user,
             "user_id looks like that of a program that had none; all such events would count for one user",
             "/user_id");
    }

    void check_data() {
        const std::string_view data = found_[field::event_data].literal;
        const char* const end = data.data() + data.size();
        std::string buffer;
        scan::for_each_member(data.data(), end, [&](std::string_view literal, const char* value) {
            const char* const behind = scan::skip_value(value, end);
            const std::string key(text_of(literal, buffer));
            check_member(key, {value, static_cast<std::size_t>(behind - value)});
            return behind;
        });
    }

    void check_member(const std::string& key, std::string_view value) {
        const value_kind kind = kind_of(value.front());
        std::string buffer;
        const std::string_view text =
            kind == value_kind::string ? text_of(value, buffer) : std::string_view();
        if (key == "amount" && kind != value_kind::number && kind != value_kind::null) {
            check_amount(value, kind == value_kind::string ? number_in(text) : std::string());
        }
        if (characters(key) > filterable_key) {
            note(rule::long_field, "the key is longer than 128 characters, so that nobody can filter by it",
                 pointer_to(key));
        } else if (characters(text) > filterable_text) {
            note(rule::long_field, "the text is longer than 256 characters, so that nobody can filter by it",
                 pointer_to(key));
        }
    }

    void check_amount(std::string_view value, std::string number) {
        if (number.empty()) {
            note(rule::amount_not_number,
                 "amount is no number, so that it is not counted as revenue; send digits without quotes, "
                 "separators or currency",
                 "/event_data/amount");
        } else if (note(rule::amount_as_string, "amount is a number in quotes; send it without them",
                        "/event_data/amount", true)) {
            what_.changes.replace(value, std::move(number));
        }
    }

    const fields& found_;
    const actions& checks_;
    const patterns& revenue_names_;
    inspected& what_;
    std::optional<violation> refused_;
};

} // namespace

std::optional<violation> inspect(const fields& found, const actions& checks, const patterns& revenue_names,
                                 inspected& what) {
    return inspection(found, checks, revenue_names, what).run();
}

} // namespace linkrunner::event
