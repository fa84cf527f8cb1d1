// The words of a fault script and what each sets.
#include "base/duration.hpp"
#include "sandbox/fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace linkrunner::sandbox {

namespace {

constexpr std::chrono::milliseconds default_slow_gap{20};

using problem = std::optional<std::string>; // what is wrong with a word

template <class Number>
problem read_number(std::string_view text, Number least, Number most, Number& out) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        return "'" + std::string(text) + "' is not a number from " + std::to_string(least) + " to " +
               std::to_string(most);
    }
    out = value;
    return std::nullopt;
}

problem read_duration(std::string_view text, std::chrono::milliseconds& out) {
    const auto length = parse_duration(text);
    if (!length) {
        return "'" + std::string(text) + "' is not a duration such as 250ms or 5s";
    }
    out = *length;
    return std::nullopt;
}

struct word {
    std::string_view key;
    bool with_value; // false: a flag; flags with an optional value are told apart by `value` being empty
    problem (*apply)(fault& rule, std::string_view value);
};

constexpr std::uint64_t no_bound = UINT64_MAX;

problem set_status(fault& rule, std::string_view value) {
    return read_number(value, 200, 599, rule.what.status);
}

problem set_retry_after(fault& rule, std::string_view value) {
    if (value.starts_with("date")) { // date, or date+30
        rule.what.retry_after_as_date = true;
        value.remove_prefix(4);
        if (value.starts_with('+')) {
            value.remove_prefix(1);
        }
        if (value.empty()) {
            value = "5";
        }
    }
    std::int64_t seconds = 0;
    problem wrong = read_number<std::int64_t>(value, 0, 1'000'000'000, seconds);
    rule.what.retry_after = std::chrono::seconds(seconds);
    return wrong;
}

problem set_hang(fault& rule, std::string_view value) {
    rule.what.ending = fault_ending::hang;
    return value.empty() ? std::nullopt : read_duration(value, rule.what.hang_for);
}

problem set_slow(fault& rule, std::string_view value) {
    rule.what.slow_gap = default_slow_gap;
    return value.empty() ? std::nullopt : read_duration(value, rule.what.slow_gap);
}

problem set_interim(fault& rule, std::string_view value) {
    while (!value.empty()) {
        const std::string_view one = value.substr(0, value.find(','));
        value.remove_prefix(std::min(value.size(), one.size() + 1));
        if (problem wrong = read_number(one, 100, 199, rule.what.interim.emplace_back())) {
            return wrong;
        }
    }
    return std::nullopt;
}

problem set_http(fault& rule, std::string_view value) {
    if (value != "1.0") {
        return "the only value is '1.0'";
    }
    rule.what.http_1_0 = true;
    return std::nullopt;
}

problem set_header(fault& rule, std::string_view value) {
    if (value.find(':') == std::string_view::npos || value.find_first_of("\r\n") != std::string_view::npos) {
        return "'" + std::string(value) + "' is not a header such as 'RateLimit: \"a\";r=5;t=2'";
    }
    rule.what.header = value;
    return std::nullopt;
}

problem set_connection(fault& rule, std::string_view value) {
    if (value != "close") {
        return "the only value is 'close'";
    }
    rule.what.connection_close = true;
    return std::nullopt;
}

problem set_redirect(fault& rule, std::string_view value) {
    rule.what.location = value;
    if (rule.what.status == 0) {
        rule.what.status = 302;
    }
    return std::nullopt;
}

problem set_accept(fault& rule, std::string_view value) {
    rule.stage = fault_stage::accepted;
    if (value == "reset") {
        rule.what.ending = fault_ending::reset;
    } else if (value == "close") {
        rule.what.ending = fault_ending::close;
    } else if (value == "hang") {
        rule.what.ending = fault_ending::hang;
    } else {
        return "one of reset, close, hang";
    }
    return std::nullopt;
}

problem set_lasts(fault& rule, std::string_view value) {
    rule.lasts.emplace();
    return read_duration(value, *rule.lasts);
}

problem set_big(fault& rule, std::string_view value) {
    rule.what.big_bytes = 1 << 20;
    return value.empty() ? std::nullopt : read_number<std::uint64_t>(value, 1, 1 << 30, rule.what.big_bytes);
}

// clang-format off
constexpr std::array words = {
    word{"after", true, [](fault& r, std::string_view v) { return read_number<std::uint64_t>(v, 0, no_bound, r.after); }},
    word{"count", true, [](fault& r, std::string_view v) { return read_number<std::uint64_t>(v, 1, no_bound, r.count); }},
    word{"every", true, [](fault& r, std::string_view v) { return read_number<std::uint64_t>(v, 1, no_bound, r.every); }},
    word{"probability", true, [](fault& r, std::string_view v) { return read_number<double>(v, 0, 1, r.probability); }},
    word{"seed", true, [](fault& r, std::string_view v) { return read_number<std::uint64_t>(v, 0, no_bound, r.seed); }},
    word{"from", true, [](fault& r, std::string_view v) { return read_duration(v, r.from); }},
    word{"for", true, set_lasts},
    word{"name", true, [](fault& r, std::string_view v) -> problem { r.name = v; return std::nullopt; }},
    word{"user", true, [](fault& r, std::string_view v) -> problem { r.user = v; return std::nullopt; }},
    word{"status", true, set_status},
    word{"retry_after", true, set_retry_after},
    word{"message", true, [](fault& r, std::string_view v) -> problem { r.what.message = v; return std::nullopt; }},
    word{"redirect", true, set_redirect},
    word{"delay", true, [](fault& r, std::string_view v) { return read_duration(v, r.what.delay); }},
    word{"hang", false, set_hang},
    word{"reset", false, [](fault& r, std::string_view) -> problem { r.what.ending = fault_ending::reset; return std::nullopt; }},
    word{"close", false, [](fault& r, std::string_view) -> problem { r.what.ending = fault_ending::close; return std::nullopt; }},
    word{"lost", false, [](fault& r, std::string_view) -> problem {
        r.what.ending = fault_ending::reset; r.what.processed = true; return std::nullopt; }},
    word{"processed", false, [](fault& r, std::string_view) -> problem { r.what.processed = true; return std::nullopt; }},
    word{"truncated", false, [](fault& r, std::string_view) -> problem { r.what.truncated = true; return std::nullopt; }},
    word{"garbage", false, [](fault& r, std::string_view) -> problem { r.what.garbage = true; return std::nullopt; }},
    word{"slow", false, set_slow},
    word{"big", false, set_big},
    word{"interim", true, set_interim},
    word{"http", true, set_http},
    word{"header", true, set_header},
    word{"connection", true, set_connection},
    word{"early", false, [](fault& r, std::string_view) -> problem { r.stage = fault_stage::head; return std::nullopt; }},
    word{"accept", true, set_accept},
};
// clang-format on

constexpr std::array<std::string_view, 3> flags_with_value = {"hang", "slow", "big"};

bool may_have_value(const word& known) {
    if (known.with_value) {
        return true;
    }
    for (const std::string_view key : flags_with_value) {
        if (key == known.key) {
            return true;
        }
    }
    return false;
}

// Takes the next word off `line`; quotes ('..' or "..") hold spaces, ';' included, together.
std::string take_word(std::string_view& line) {
    std::string out;
    char quote = 0;
    std::size_t used = 0;
    for (; used < line.size(); ++used) {
        const char c = line[used];
        if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                out += c;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            break;
        } else {
            out += c;
        }
    }
    line.remove_prefix(used);
    return out;
}

void skip_blanks(std::string_view& line) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t' || line.front() == '\r')) {
        line.remove_prefix(1);
    }
}

problem apply_word(fault& rule, const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string_view key = std::string_view(text).substr(0, equals);
    const std::string_view value =
        equals == std::string::npos ? std::string_view{} : std::string_view(text).substr(equals + 1);
    for (const word& known : words) {
        if (known.key != key) {
            continue;
        }
        if (known.with_value && value.empty()) {
            return std::string(key) + " needs a value";
        }
        if (!may_have_value(known) && equals != std::string::npos) {
            return std::string(key) + " takes no value";
        }
        if (problem wrong = known.apply(rule, value)) {
            return std::string(key) + ": " + *wrong;
        }
        return std::nullopt;
    }
    return "unknown word '" + text + "'";
}

problem check_whole(const fault& rule) {
    if (rule.stage != fault_stage::request && (!rule.name.empty() || !rule.user.empty())) {
        return "name and user are not known before the body is read";
    }
    if (rule.stage == fault_stage::head && rule.what.status == 0 &&
        rule.what.ending == fault_ending::answer && !rule.what.garbage) {
        return "early needs a status, garbage, or an ending";
    }
    if (rule.stage != fault_stage::request && rule.what.processed) {
        return "nothing can be processed before the body is read";
    }
    if (rule.what.only_delays() && rule.what.delay.count() == 0) {
        return "the rule does nothing";
    }
    return std::nullopt;
}

result<fault> parse_rule(std::string_view line) {
    fault rule;
    rule.text = line;
    while (true) {
        skip_blanks(line);
        if (line.empty()) {
            break;
        }
        if (problem wrong = apply_word(rule, take_word(line))) {
            return make_error(std::errc::invalid_argument, "fault '" + rule.text + "': " + *wrong);
        }
    }
    if (problem wrong = check_whole(rule)) {
        return make_error(std::errc::invalid_argument, "fault '" + rule.text + "': " + *wrong);
    }
    return rule;
}

// The end of the rule that starts at `begin`: a newline or ';' outside quotes.
std::size_t rule_end(std::string_view script, std::size_t begin) {
    char quote = 0;
    for (std::size_t at = begin; at < script.size(); ++at) {
        const char c = script[at];
        if (c == '\n' || (quote == 0 && c == ';')) {
            return at;
        }
        if (quote != 0) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        }
    }
    return script.size();
}

} // namespace

result<std::vector<fault>> parse_faults(std::string_view script) {
    std::vector<fault> rules;
    for (std::size_t begin = 0; begin < script.size();) {
        const std::size_t end = rule_end(script, begin);
        std::string_view line = script.substr(begin, end - begin);
        begin = end + 1;
        skip_blanks(line);
        while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.front() == '#') {
            continue;
        }
        result<fault> rule = parse_rule(line);
        if (!rule) {
            return rule.error();
        }
        rules.push_back(std::move(*rule));
    }
    return rules;
}

} // namespace linkrunner::sandbox
