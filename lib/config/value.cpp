#include "config/value.hpp"

#include "config/suggest.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace linkrunner::config {
namespace {

bool is_list(kind type) {
    return type == kind::texts || type == kind::counts || type == kind::records;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void move_to(node& tree, int line, int column) {
    tree.line = line;
    tree.column = column;
    for (auto* part : {&tree.items, &tree.names, &tree.values}) {
        for (node& each : *part) {
            move_to(each, line, column);
        }
    }
}

// A list given as one text: YAML in flow style, or items between commas.
std::variant<node, syntax_problem> list_from(const node& scalar) {
    const std::string_view text = trimmed(scalar.text);
    node out;
    if (text.starts_with('[') || text.starts_with('{')) {
        auto parsed = parse_yaml(std::string(text));
        if (std::holds_alternative<syntax_problem>(parsed)) {
            return parsed;
        }
        out = std::get<node>(std::move(parsed));
        if (out.is != node::type::list) {
            return syntax_problem{0, 0, "a list is expected"};
        }
    } else {
        out.is = node::type::list;
        for (std::size_t at = 0; !text.empty() && at <= text.size();) {
            const std::size_t comma = std::min(text.find(',', at), text.size());
            node item;
            item.is = node::type::scalar;
            item.text = std::string(trimmed(text.substr(at, comma - at)));
            out.items.push_back(std::move(item));
            at = comma + 1;
        }
    }
    move_to(out, scalar.line, scalar.column);
    return out;
}

std::string bounds_problem(const shape& form, double value) {
    if (form.least == form.most) {
        return "";
    }
    if (value < form.least) {
        return "too small; at least " + print_bound(form, form.least);
    }
    if (value > form.most) {
        return "too large; at most " + print_bound(form, form.most);
    }
    return "";
}

std::string text_problem(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            return quote(text) + " holds a control character";
        }
    }
    return "";
}

std::string choice_problem(const shape& form, const std::string& text) {
    if (std::find(form.choices.begin(), form.choices.end(), text) != form.choices.end()) {
        return "";
    }
    std::string words;
    for (std::size_t i = 0; i < form.choices.size(); ++i) {
        words += i == 0 ? "" : i + 1 == form.choices.size() ? " or " : ", ";
        words += form.choices[i];
    }
    return quote(text) + " is not one of " + words + did_you_mean(nearest(text, form.choices));
}

// Stores a parsed value within bounds, or says what is wrong with it.
template <class Target, class Parsed, class AsDouble>
std::string store(Target& into, const result<Parsed>& parsed, const shape& form, AsDouble as_double) {
    if (parsed.has_error()) {
        return parsed.error().message;
    }
    std::string wrong = bounds_problem(form, as_double(*parsed));
    if (wrong.empty()) {
        into = static_cast<Target>(*parsed);
    }
    return wrong;
}

double plainly(double number) {
    return number;
}
double whole(std::uint64_t number) {
    return static_cast<double>(number);
}
double in_milliseconds(milliseconds length) {
    return static_cast<double>(length.count());
}

// Takes one scalar into its slot; returns what is wrong with it. Lists are handled elsewhere.
struct scalar_taker {
    const shape& form;
    const std::string& text;

    std::string operator()(std::string* into) const {
        std::string wrong = form.type == kind::choice ? choice_problem(form, text) : text_problem(text);
        if (wrong.empty()) {
            *into = text;
        }
        return wrong;
    }
    std::string operator()(bool* into) const {
        const auto flag = parse_flag(text);
        if (flag.has_error()) {
            return flag.error().message;
        }
        *into = *flag;
        return "";
    }
    std::string operator()(std::uint64_t* into) const {
        return store(*into, form.type == kind::size ? parse_size(text) : parse_count(text), form, whole);
    }
    std::string operator()(unsigned* into) const {
        if (form.type == kind::mode) {
            return store(*into, parse_mode(text), form,
                         [](unsigned mode) { return static_cast<double>(mode); });
        }
        return store(*into, parse_count(text), form, whole);
    }
    std::string operator()(int* into) const {
        std::string wrong = choice_problem(form, text);
        return wrong.empty() ? store(*into, parse_count(text), form, whole) : wrong;
    }
    std::string operator()(double* into) const { return store(*into, parse_number(text), form, plainly); }
    std::string operator()(milliseconds* into) const {
        return store(*into, parse_length(text), form, in_milliseconds);
    }
    std::string operator()(std::optional<milliseconds>* into) const {
        if (text == "off") {
            into->reset();
            return "";
        }
        milliseconds length{};
        std::string wrong = store(length, parse_length(text), form, in_milliseconds);
        if (wrong.empty()) {
            *into = length;
        }
        return wrong;
    }
    std::string operator()(std::optional<std::optional<milliseconds>>* into) const {
        if (text == "inherit") {
            into->reset();
            return "";
        }
        std::optional<milliseconds> own;
        std::string wrong = (*this)(&own);
        if (wrong.empty()) {
            *into = own;
        }
        return wrong;
    }
    template <class Item>
    std::string operator()(std::vector<Item>*) const {
        return "a list is expected";
    }
    std::string operator()(std::optional<double>* into) const {
        if (text == "auto") {
            into->reset();
            return "";
        }
        double rate = 0;
        std::string wrong = store(rate, parse_rate(text), form, plainly);
        if (wrong.empty()) {
            *into = rate;
        }
        return wrong;
    }
};

} // namespace

value_reader::value_reader(std::string source, lookup environment, std::vector<problem>& problems)
    : source_(std::move(source)), environment_(std::move(environment)), problems_(problems) {}

std::string value_reader::where(const node& at) const {
    if (at.line == 0) {
        return source_;
    }
    return source_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

void value_reader::complain(const node& at, std::string message) {
    problems_.push_back({where(at), std::move(message)});
}

bool value_reader::expand_in_place(std::string_view name, node& scalar) {
    if (!environment_ || scalar.is != node::type::scalar) {
        return true;
    }
    auto expanded = expand(scalar.text, environment_);
    if (expanded.has_error()) {
        complain(scalar, std::string(name) + ": " + expanded.error().message);
        return false;
    }
    scalar.text = *std::move(expanded);
    return true;
}

bool value_reader::read(slot into, const shape& form, std::string_view name, std::string_view text) {
    node scalar;
    scalar.is = node::type::scalar;
    scalar.text = std::string(text);
    return read(into, form, name, scalar);
}

bool value_reader::read(slot into, const shape& form, std::string_view name, const node& from) {
    const std::string prefix = std::string(name) + ": ";
    node value = from;
    if (value.is == node::type::none) {
        complain(from, prefix + "no value; leave the line out for the default");
        return false;
    }
    if (!expand_in_place(name, value)) {
        return false;
    }
    if (!is_list(form.type)) {
        return read_scalar(into, form, name, value);
    }
    if (value.is == node::type::list) {
        return read_list(into, form, name, value.items);
    }
    if (value.is != node::type::scalar) {
        complain(from, prefix + "a list is expected");
        return false;
    }
    const auto list = list_from(value);
    if (const auto* wrong = std::get_if<syntax_problem>(&list)) {
        complain(from, prefix + wrong->message);
        return false;
    }
    // References were resolved in the text as a whole: what they brought is not looked at again.
    return value_reader(source_, {}, problems_).read_list(into, form, name, std::get<node>(list).items);
}

// Takes the items of a list into its slot.
struct value_reader::list_taker {
    value_reader& reader;
    const shape& form;
    std::string_view name;
    const std::vector<node>& items;

    bool operator()(std::vector<std::string>* into) const { return reader.read_texts(*into, name, items); }
    bool operator()(std::vector<unsigned>* into) const {
        return reader.read_counts(*into, form, name, items);
    }
    template <class Record>
    bool operator()(std::vector<Record>* into) const {
        return reader.read_records(*into, name, items);
    }
    template <class Scalar>
    bool operator()(Scalar*) const {
        return false; // never: its shape is no list
    }
};

bool value_reader::read_list(slot into, const shape& form, std::string_view name,
                             const std::vector<node>& items) {
    return std::visit(list_taker{*this, form, name, items}, into);
}

bool value_reader::read_scalar(slot into, const shape& form, std::string_view name, const node& at) {
    if (at.is != node::type::scalar) {
        complain(at, std::string(name) + ": one value is expected, not a " +
                         (at.is == node::type::list ? "list" : "map"));
        return false;
    }
    const std::string wrong = std::visit(scalar_taker{form, at.text}, into);
    if (!wrong.empty()) {
        complain(at, std::string(name) + ": " + wrong);
    }
    return wrong.empty();
}

bool value_reader::read_texts(std::vector<std::string>& into, std::string_view name,
                              const std::vector<node>& items) {
    static const shape text_form{};
    std::vector<std::string> read_items;
    bool good = true;
    for (const node& item : items) {
        std::string text;
        if (!read(&text, text_form, name, item)) {
            good = false;
        } else if (text.empty()) {
            complain(item, std::string(name) + ": an empty item");
            good = false;
        }
        read_items.push_back(std::move(text));
    }
    if (good) {
        into = std::move(read_items);
    }
    return good;
}

bool value_reader::read_counts(std::vector<unsigned>& into, const shape& form, std::string_view name,
                               const std::vector<node>& items) {
    const shape item_form{kind::count, form.least, form.most, {}};
    std::vector<unsigned> read_items;
    bool good = true;
    for (const node& item : items) {
        unsigned number = 0;
        good = read(&number, item_form, name, item) && good;
        read_items.push_back(number);
    }
    if (good) {
        into = std::move(read_items);
    }
    return good;
}

template <class Record>
bool value_reader::read_records(std::vector<Record>& into, std::string_view name,
                                const std::vector<node>& items) {
    std::vector<Record> records;
    bool good = true;
    for (const node& item : items) {
        const std::string item_name = std::string(name) + "[" + std::to_string(records.size()) + "]";
        records.emplace_back();
        good = read_record(records.back(), item_name, item) && good;
    }
    if (good) {
        into = std::move(records);
    }
    return good;
}

template <class Record>
bool value_reader::read_record(Record& into, const std::string& name, const node& from) {
    const record_form<Record>& form = form_of<Record>();
    if (from.is != node::type::map) {
        complain(from, name + ": a map is expected, for example " + std::string(form.example));
        return false;
    }
    std::vector<std::string_view> known;
    for (const auto& each : form.keys) {
        known.push_back(each.name);
    }
    bool good = true;
    for (std::size_t i = 0; i < from.names.size(); ++i) {
        const std::string& part = from.names[i].text;
        const auto found = std::ranges::find(form.keys, part, &basic_key<Record>::name);
        const auto same = [&](const node& other) { return other.text == part; };
        if (found == form.keys.end()) {
            complain(from.names[i],
                     "unknown key " + quote(part) + " in " + name + did_you_mean(nearest(part, known)));
            good = false;
        } else if (std::any_of(from.names.begin(), from.names.begin() + static_cast<std::ptrdiff_t>(i),
                               same)) {
            complain(from.names[i], "duplicate key '" + part + "' in " + name);
            good = false;
        } else {
            good = read(found->at(into), found->form, name + "." + part, from.values[i]) && good;
        }
    }
    return good;
}

} // namespace linkrunner::config
