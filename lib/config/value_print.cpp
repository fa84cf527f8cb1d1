#include "base/json_text.hpp"
#include "config/units.hpp"
#include "config/value.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace linkrunner::config {
namespace {

// Words that YAML 1.1 or 1.2 readers may take for something else than text.
bool is_special_word(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    static const std::set<std::string> words = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    return words.contains(text);
}

bool is_plain(std::string_view text) {
    const auto is_word = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
    };
    const auto starts_well = [](unsigned char c) { return std::isalpha(c) != 0 || c == '/'; };
    return !text.empty() && starts_well(static_cast<unsigned char>(text[0])) &&
           std::all_of(text.begin(), text.end(), is_word) && !is_special_word(std::string(text));
}

template <class Items, class Print>
std::string flow_list(const Items& items, Print print) {
    std::string out = "[";
    for (std::size_t i = 0; i < items.size(); ++i) {
        out += (i == 0 ? "" : ", ") + print(items[i]);
    }
    return out + "]";
}

std::string print_item(const std::string& text) {
    std::string out = print_text(text);
    if (!out.starts_with('"')) { // in a list all items look alike
        out.insert(out.begin(), '"');
        out.push_back('"');
    }
    return out;
}

template <class Record>
std::string print_record(const Record& record) {
    Record copy = record;
    std::string out = "{";
    for (const auto& each : form_of<Record>().keys) {
        out += (out.size() == 1 ? "" : ", ") + std::string(each.name) + ": " +
               print_value(each.at(copy), each.form);
    }
    return out + "}";
}

struct printer {
    const shape& form;

    std::string operator()(const std::string* text) const { return print_text(*text); }
    std::string operator()(const bool* flag) const { return *flag ? "true" : "false"; }
    std::string operator()(const std::uint64_t* number) const {
        return form.type == kind::size ? print_size(*number) : std::to_string(*number);
    }
    std::string operator()(const unsigned* number) const {
        return form.type == kind::mode ? "\"" + print_mode(*number) + "\"" : std::to_string(*number);
    }
    std::string operator()(const int* number) const { return std::to_string(*number); }
    std::string operator()(const double* number) const { return print_number(*number); }
    std::string operator()(const milliseconds* length) const { return print_length(*length); }
    std::string operator()(const std::optional<milliseconds>* length) const {
        return *length ? print_length(**length) : "off";
    }
    std::string operator()(const std::optional<std::optional<milliseconds>>* length) const {
        return *length ? (*this)(&**length) : "inherit";
    }
    std::string operator()(const std::optional<double>* rate) const {
        return *rate ? print_number(**rate) + "/s" : "auto";
    }
    std::string operator()(const std::vector<std::string>* texts) const {
        return flow_list(*texts, print_item);
    }
    std::string operator()(const std::vector<unsigned>* numbers) const {
        return flow_list(*numbers, [](unsigned number) { return std::to_string(number); });
    }
    template <class Record>
    std::string operator()(const std::vector<Record>* records) const {
        return flow_list(*records, print_record<Record>);
    }
};

} // namespace

std::string print_text(std::string_view text) {
    if (is_plain(text)) {
        return std::string(text);
    }
    std::string doubled;
    for (const char c : text) {
        doubled += c == '$' ? "$$" : std::string(1, c);
    }
    std::string out;
    append_json_string(out, doubled); // a JSON string is a YAML one
    return out;
}

std::string print_value(slot from, const shape& form) {
    return std::visit([&](const auto* value) { return printer{form}(value); }, from);
}

std::string print_bound(const shape& form, double bound) {
    switch (form.type) {
    case kind::size:
        return print_size(static_cast<std::uint64_t>(bound));
    case kind::duration:
    case kind::optional_duration:
    case kind::inherited_duration:
        return print_length(milliseconds(static_cast<std::int64_t>(bound)));
    case kind::optional_rate:
        return bound < 1 ? print_number(bound * 60) + "/m" : print_number(bound) + "/s";
    default:
        return print_number(bound);
    }
}

} // namespace linkrunner::config
