#include "delivery/structured_field.hpp"

#include <algorithm>
#include <charconv>

namespace linkrunner::delivery {

namespace {

constexpr std::size_t max_integer_digits = 15;                // RFC 9651 section 3.3.1
constexpr std::size_t max_members = 64;                       // nobody needs more
constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~:/"; // RFC 9110 section 5.6.2, and section 3.3.4
constexpr std::string_view key_marks = "_-.*";
constexpr std::string_view base64_marks = "+/=";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_alpha(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}
bool is_one_of(char c, std::string_view marks) {
    return marks.find(c) != std::string_view::npos;
}

class reader {
  public:
    explicit reader(std::string_view field) : rest_(field) {}

    std::optional<std::vector<field_member>> members() {
        std::vector<field_member> out;
        skip(" ");
        while (!rest_.empty()) {
            if (out.size() == max_members || !member(out.emplace_back())) {
                return std::nullopt;
            }
            skip(" \t");
            if (rest_.empty()) {
                break;
            }
            if (!take(',')) {
                return std::nullopt;
            }
            skip(" \t");
            if (rest_.empty()) { // a comma at the end
                return std::nullopt;
            }
        }
        return out;
    }

  private:
    void skip(std::string_view blanks) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
    }

    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    template <class Fits>
    std::string_view take_while(Fits fits) {
        const auto end = std::ranges::find_if_not(rest_, fits);
        const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(taken.size());
        return taken;
    }

    bool member(field_member& out) {
        const std::string_view before = rest_;
        if (key(out.key) && take('=')) {
            return item(out.item) && parameters(out);
        }
        out.key.clear();
        rest_ = before;
        return item(out.item) && parameters(out);
    }

    bool key(std::string& out) {
        if (rest_.empty() || !(is_lower(rest_.front()) || rest_.front() == '*')) {
            return false;
        }
        out = take_while([](char c) { return is_lower(c) || is_digit(c) || is_one_of(c, key_marks); });
        return true;
    }

    bool parameters(field_member& out) {
        while (take(';')) {
            skip(" ");
            auto& [name, value] = out.parameters.emplace_back();
            if (out.parameters.size() > max_members || !key(name) || (take('=') && !item(value))) {
                return false;
            }
        }
        return true;
    }

    bool item(bare_item& out) {
        if (rest_.empty()) {
            return false;
        }
        const char first = rest_.front();
        if (first == '"') {
            return string(out);
        }
        if (first == '-' || is_digit(first)) {
            return number(out);
        }
        if (is_alpha(first) || first == '*') {
            out.what = bare_item::kind::text;
            out.text =
                take_while([](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, token_marks); });
            return true;
        }
        return other(first);
    }

    bool string(bare_item& out) {
        out.what = bare_item::kind::text;
        take('"');
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') {
                return true;
            }
            if (c == '\\') {
                if (rest_.empty() || !is_one_of(rest_.front(), "\"\\")) {
                    return false;
                }
                c = rest_.front();
                rest_.remove_prefix(1);
            } else if (c < ' ' || c > '~') {
                return false;
            }
            out.text += c;
        }
        return false;
    }

    bool number(bare_item& out) {
        const bool negative = take('-');
        const std::string_view digits = take_while(is_digit);
        if (digits.empty() || digits.size() > max_integer_digits) {
            return false;
        }
        if (take('.')) {
            return !take_while(is_digit).empty();
        }
        out.what = bare_item::kind::integer;
        std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
        out.number = negative ? -out.number : out.number;
        return true;
    }

    // A boolean, a byte sequence or a date: of no meaning here, but what follows them may have one.
    bool other(char first) {
        rest_.remove_prefix(1);
        bare_item ignored;
        switch (first) {
        case '?':
            return take('0') || take('1');
        case ':':
            take_while([](char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, base64_marks); });
            return take(':');
        case '@':
            return number(ignored) && ignored.what == bare_item::kind::integer;
        default:
            return false;
        }
    }

    std::string_view rest_;
};

} // namespace

std::optional<std::uint64_t> bare_item::count() const {
    if (what != kind::integer || number < 0) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(number);
}

const bare_item* field_member::parameter(std::string_view name) const {
    const auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                                    [&](const auto& each) { return each.first == name; });
    return found == parameters.rend() ? nullptr : &found->second;
}

std::optional<std::vector<field_member>> parse_structured_field(std::string_view field) {
    return reader(field).members();
}

} // namespace linkrunner::delivery
