#include "control/selection.hpp"

#include "base/duration.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace linkrunner::control {

namespace {

namespace json = boost::json;

error wrong(std::string message) {
    return make_error(std::errc::invalid_argument, std::move(message));
}

int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            at += 2;
        } else {
            out += text[at] == '+' ? ' ' : text[at];
        }
    }
    return out;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t out = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc{} && end == text.data() + text.size() && !text.empty() ? std::optional(out)
                                                                                       : std::nullopt;
}

// Takes a field that both kinds of requests have; false for another name.
result<bool> take_text(const std::string& name, std::string value, wall_time now, spool::dead_filter& into) {
    if (name == "event_name") {
        into.name = std::move(value);
    } else if (name == "event_id") {
        into.event_id = std::move(value);
    } else if (name == "older_than" || name == "newer_than") {
        wall_time moment{};
        if (auto read = read_age(name, value, now, moment); !read) {
            return read.error();
        }
        (name == "older_than" ? into.accepted_before : into.accepted_since) = moment;
    } else if (name == "reason") {
        into.reason = spool::dead_reason_from(value);
        if (!into.reason) {
            return wrong("reason is one of rejected, attempts, age, ambiguous");
        }
    } else {
        return false;
    }
    return true;
}

result<void> take_numbers(const json::value& value, spool::dead_filter& into) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->empty() || list->size() > most_numbers) {
        return wrong("numbers is a list of 1 to " + std::to_string(most_numbers) +
                     " numbers of dead letters");
    }
    for (const json::value& each : *list) {
        const std::int64_t* number = each.if_int64();
        if (number == nullptr || *number <= 0) {
            return wrong("numbers holds something else than positive whole numbers");
        }
        into.numbers.push_back(static_cast<spool::sequence>(*number));
    }
    std::ranges::sort(into.numbers);
    const auto repeated = std::ranges::unique(into.numbers);
    into.numbers.erase(repeated.begin(), repeated.end());
    return {};
}

} // namespace

std::vector<std::pair<std::string, std::string>> query_fields(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
        const auto equals = pair.find('=');
        if (!pair.empty()) {
            out.emplace_back(decoded(pair.substr(0, equals)), equals == std::string_view::npos
                                                                  ? std::string()
                                                                  : decoded(pair.substr(equals + 1)));
        }
    }
    return out;
}

result<void> read_number(const std::string& name, std::string_view value, std::uint64_t most,
                         std::uint64_t& into) {
    const auto number = whole_number(value);
    if (!number || (name == "limit" && *number == 0) || *number > most) {
        return wrong(name + (name == "limit" ? " is a whole number, 1 to " + std::to_string(most)
                                             : std::string(" is the number of an event")));
    }
    into = *number;
    return {};
}

result<void> read_age(const std::string& name, std::string_view value, wall_time now, wall_time& into) {
    const auto age = parse_duration(value);
    if (!age) {
        return wrong(name + " is a duration, as 30s, 15m, 24h or 7d");
    }
    into = now - *age;
    return {};
}

result<void> read_query(std::string_view query, spool::dead_query& into, std::size_t most, wall_time now) {
    for (auto& [name, value] : query_fields(query)) {
        if (name == "from" || name == "limit") {
            std::uint64_t number = 0;
            if (auto read = read_number(name, value, name == "limit" ? most : ~std::uint64_t{0}, number);
                !read) {
                return read;
            }
            name == "from" ? into.from = number : into.max_events = static_cast<std::size_t>(number);
            continue;
        }
        const auto taken = take_text(name, std::move(value), now, into.filter);
        if (!taken) {
            return taken.error();
        }
        if (!*taken) {
            return wrong("there is no parameter '" + name +
                         "'; from, limit, reason, event_name, event_id, older_than, newer_than are known");
        }
    }
    return {};
}

result<spool::dead_filter> read_selection(std::string_view body, wall_time now) {
    boost::system::error_code failure;
    const json::value parsed = json::parse({body.data(), body.size()}, failure);
    const json::object* fields = failure ? nullptr : parsed.if_object();
    if (fields == nullptr) {
        return wrong(
            "the body is a JSON object that says which dead letters are meant, as {\"numbers\": [7]}, "
            "{\"reason\": \"rejected\"} or {\"all\": true}");
    }
    spool::dead_filter out;
    bool something = false;
    for (const auto& [key, value] : *fields) {
        const std::string name(key);
        if (name == "all") {
            if (!value.is_bool() || !value.get_bool()) {
                return wrong("all can only be true");
            }
        } else if (name == "numbers") {
            if (auto taken = take_numbers(value, out); !taken) {
                return taken.error();
            }
        } else {
            const auto taken = value.is_string() ? take_text(name, std::string(value.get_string()), now, out)
                                                 : result<bool>(false);
            if (!taken) {
                return taken.error();
            }
            if (!*taken) {
                return wrong("'" + name +
                             "' is no text that is known here: numbers, reason, event_name, event_id, "
                             "older_than, newer_than, all");
            }
        }
        something = true;
    }
    if (!something) {
        return wrong("nothing is selected; {\"all\": true} means all dead letters");
    }
    return out;
}

} // namespace linkrunner::control
