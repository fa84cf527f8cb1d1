#include "base/json_text.hpp"
#include "config/reference.hpp"
#include "config/units.hpp"
#include "config/value.hpp"

#include <set>
#include <type_traits>

namespace linkrunner::config {
namespace {

std::string json(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

// Objects and arrays, a member a line.
class writer {
  public:
    explicit writer(std::string& out) : out_(out) {}

    void open(std::string_view name, char bracket = '{') {
        begin(name);
        out_ += bracket;
        ++level_;
        first_ = true;
    }
    void close(char bracket = '}') {
        --level_;
        out_ += "\n" + std::string(level_ * 2, ' ') + bracket;
        first_ = false;
    }
    // `value` is JSON already.
    void member(std::string_view name, std::string_view value) {
        begin(name);
        out_ += value;
    }

  private:
    void begin(std::string_view name) {
        if (level_ > 0) {
            out_ += first_ ? "\n" : ",\n";
            out_ += std::string(level_ * 2, ' ');
        }
        if (!name.empty()) {
            out_ += json(name) + ": ";
        }
        first_ = false;
    }

    std::string& out_;
    std::size_t level_ = 0;
    bool first_ = true;
};

struct default_json {
    const shape& form;

    std::string operator()(std::string* text) const { return json(*text); }
    std::string operator()(bool* flag) const { return *flag ? "true" : "false"; }
    std::string operator()(int* number) const { return std::to_string(*number); }
    template <class Record>
        requires std::is_class_v<Record> && (!std::is_same_v<Record, std::string>)
    std::string operator()(std::vector<Record>* records) const {
        std::string out;
        for (Record& record : *records) {
            std::string members;
            for (const auto& each : form_of<Record>().keys) {
                members +=
                    (members.empty() ? "" : ", ") + json(each.name) + ": " +
                    std::visit([&](auto* value) { return default_json{each.form}(value); }, each.at(record));
            }
            out += (out.empty() ? "{" : ", {") + members + "}";
        }
        return "[" + out + "]";
    }
    template <class Value>
    std::string operator()(Value* value) const {
        std::string text = print_value(value, form);
        const bool is_json = form.type == kind::count || form.type == kind::number ||
                             form.type == kind::texts || form.type == kind::counts || text.starts_with('"');
        return is_json ? text : json(text);
    }
};

std::string pattern(std::string_view text) {
    return R"({"type": "string", "pattern": )" + json(text) + "}";
}

std::string bounded(const char* type, const shape& form) {
    return std::string(R"({"type": ")") + type + R"(", "minimum": )" + print_number(form.least) +
           R"(, "maximum": )" + print_number(form.most) + "}";
}

std::string choices(const shape& form, bool as_numbers) {
    std::string out;
    for (const std::string_view each : form.choices) {
        out += (out.empty() ? "" : ", ") + (as_numbers ? std::string(each) : json(each));
    }
    return R"({"enum": [)" + out + "]}";
}

constexpr std::string_view duration_pattern = R"(^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$)";

// The forms that a value may have; a text with a reference to the environment is always one.
std::vector<std::string> alternatives(const shape& form, bool as_numbers) {
    const std::string any_text = R"({"type": "string"})";
    const std::string reference = R"({"$ref": "#/definitions/reference"})";
    switch (form.type) {
    case kind::text:
        return {any_text};
    case kind::choice:
        return {choices(form, as_numbers), reference};
    case kind::flag:
        return {R"({"type": "boolean"})", reference};
    case kind::count:
        return {bounded("integer", form), reference};
    case kind::number:
        return {bounded("number", form), reference};
    case kind::size:
        return {pattern(R"(^[0-9]+(\.[0-9]+)?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$)"), reference};
    case kind::duration:
        return {pattern(duration_pattern), reference};
    case kind::optional_duration:
        return {R"({"const": "off"})", pattern(duration_pattern), reference};
    case kind::inherited_duration:
        return {R"({"enum": ["inherit", "off"]})", pattern(duration_pattern), reference};
    case kind::optional_rate:
        return {R"({"const": "auto"})", pattern(R"(^[0-9]+(\.[0-9]+)?/(s|m)$)"), reference};
    case kind::mode:
        return {pattern("^0?[0-7]{1,3}$"), reference};
    case kind::texts:
        return {R"({"type": "array", "items": {"type": "string", "minLength": 1}})", any_text};
    case kind::counts:
        return {R"({"type": "array", "items": {"anyOf": [)" + bounded("integer", form) + ", " + reference +
                    "]}}",
                any_text};
    case kind::records:
        return {R"({"type": "array", "items": {"$ref": "#/definitions/)" + std::string(form.choices[0]) +
                    R"("}, "minItems": )" + print_number(form.least) + R"(, "maxItems": )" +
                    print_number(form.most) + "}",
                reference};
    }
    return {};
}

template <class Owner>
void write_key(writer& to, std::string_view name, const basic_key<Owner>& each, Owner& defaults) {
    const slot at = each.at(defaults);
    to.open(name);
    to.member("description", json(each.description));
    to.member("default", std::visit([&](auto* value) { return default_json{each.form}(value); }, at));
    const auto forms = alternatives(each.form, std::holds_alternative<int*>(at));
    to.open("anyOf", '[');
    for (const std::string& form : forms) {
        to.member("", form);
    }
    to.close(']');
    to.close();
}

// The keys below a prefix: "", "delivery.", "delivery.backoff.".
void write_section(writer& to, const std::string& prefix, settings& defaults) {
    to.member("type", json("object"));
    to.member("additionalProperties", "false");
    to.open("properties");
    std::set<std::string> done;
    for (const key& each : keys()) {
        if (!each.name.starts_with(prefix)) {
            continue;
        }
        const std::string_view rest = each.name.substr(prefix.size());
        const std::string part(rest.substr(0, rest.find('.')));
        if (!done.insert(part).second) {
            continue;
        }
        if (part == rest) {
            write_key(to, part, each, defaults);
        } else {
            to.open(part);
            write_section(to, prefix + part + ".", defaults);
            to.close();
        }
    }
    to.close();
}

void write_definitions(writer& to) {
    to.open("definitions");
    to.open("reference");
    to.member("description", json("A text with ${NAME} or ${NAME:-otherwise}, taken from the environment."));
    to.member("type", json("string"));
    to.member("pattern", json(R"(\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\})"));
    to.close();
    for_each_record_form([&](const auto& form, auto record) {
        to.open(form.name);
        to.member("type", json("object"));
        to.member("additionalProperties", "false");
        to.member("required", form.required);
        to.open("properties");
        for (const auto& each : form.keys) {
            write_key(to, each.name, each, record);
        }
        to.close();
        to.close();
    });
    to.close();
}

} // namespace

std::string schema_json() {
    std::string out;
    writer to(out);
    settings defaults;
    to.open("");
    to.member("$schema", json("http://json-schema.org/draft-07/schema#"));
    to.member("title", json("linkrunnerd.yaml"));
    to.member("description", json("Configuration of linkrunnerd; see docs/configuration.md."));
    write_section(to, "", defaults);
    write_definitions(to);
    to.close();
    return out + "\n";
}

} // namespace linkrunner::config
