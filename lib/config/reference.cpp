#include "config/reference.hpp"

#include "config/outline.hpp"
#include "config/value.hpp"

#include <algorithm>

namespace linkrunner::config {
namespace {

constexpr std::size_t line_width = 100;

// A vertical bar would end the cell.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '|' ? "\\|" : std::string(1, c);
    }
    return out;
}

std::string code(std::string_view text) {
    return "`" + std::string(text) + "`";
}

template <class Owner>
void add_row(std::string& out, const basic_key<Owner>& each, Owner& defaults) {
    out += "| " + code(each.name) + " | " + cell(describe(each.form)) + " | " +
           cell(code(print_value(each.at(defaults), each.form))) + " | " + cell(each.description);
    if (each.effect == since::start) {
        out += " Taken at start only.";
    }
    out += " |\n";
}

constexpr std::string_view table_head = "| key | value | default | meaning |\n|---|---|---|---|\n";

// Lines of a comment, no longer than the width where words allow.
void add_comment(std::string& out, const std::string& indent, std::string_view text) {
    std::string line;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string_view word = text.substr(at, end - at);
        if (!line.empty() && indent.size() + 2 + line.size() + 1 + word.size() > line_width) {
            out += indent + "# " + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + std::string(word);
        at = end + 1;
    }
    out += indent + "# " + line + "\n";
}

std::string without_code_marks(std::string text) {
    std::erase(text, '`');
    return text;
}

} // namespace

std::string describe(const shape& form) {
    std::string out;
    switch (form.type) {
    case kind::text:
        return "text";
    case kind::choice:
        for (const std::string_view each : form.choices) {
            out += (out.empty() ? "" : " | ") + code(each);
        }
        return out;
    case kind::flag:
        return "`true` | `false`";
    case kind::mode:
        return "file mode, octal";
    case kind::texts:
        return "list of texts";
    case kind::counts:
        return "list of whole numbers";
    case kind::records:
        return "list of " + std::string(form.choices[0]) + "s";
    case kind::count:
        out = "whole number";
        break;
    case kind::number:
        out = "number";
        break;
    case kind::size:
        out = "size";
        break;
    case kind::duration:
        out = "duration";
        break;
    case kind::optional_duration:
        out = "`off`, or duration";
        break;
    case kind::inherited_duration:
        out = "`inherit`, `off`, or duration";
        break;
    case kind::optional_rate:
        out = "`auto`, or rate";
        break;
    }
    return out + ", " + print_bound(form, form.least) + " to " + print_bound(form, form.most);
}

std::string reference_markdown() {
    settings defaults;
    std::string out;
    std::string_view section;
    for (const key& each : keys()) {
        const std::string_view its = each.name.substr(0, each.name.find('.'));
        if (its != section) {
            section = its;
            out +=
                (out.empty() ? "### " : "\n### ") + std::string(section) + "\n\n" + std::string(table_head);
        }
        add_row(out, each, defaults);
    }
    for_each_record_form([&](const auto& form, auto record) {
        out += "\n### " + std::string(form.title) + "\n\n" + std::string(table_head);
        for (const auto& each : form.keys) {
            add_row(out, each, record);
        }
    });
    return out;
}

std::string example_yaml() {
    settings defaults;
    std::string out =
        "# linkrunnerd.yaml: every key, with its default. A key is set by taking away the # before "
        "it.\n# What the keys mean in full: docs/configuration.md. Checked by linkrunnerd --check.\n"
        "# yaml-language-server: $schema=linkrunnerd.schema.json\n";
    outline lines;
    std::string_view section;
    for (const key& each : keys()) {
        const std::string_view its = each.name.substr(0, each.name.find('.'));
        if (its != section) {
            section = its;
            out += "\n";
        }
        std::string start = lines.enter(out, each.name);
        const std::string indent(start.find_first_not_of(' '), ' ');
        add_comment(out, indent, each.description);
        if (each.form.type != kind::text && each.form.type != kind::texts && each.form.type != kind::flag) {
            add_comment(out, indent, "(" + without_code_marks(describe(each.form)) + ")");
        }
        start.insert(indent.size(), "#");
        out += start + ": " + print_value(each.at(defaults), each.form) + "\n";
    }
    return out;
}

} // namespace linkrunner::config
