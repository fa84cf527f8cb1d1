#include "cli/manual.hpp"

#include <algorithm>
#include <cctype>

namespace linkrunner::cli {

namespace {

// Text that roff takes as it is (man(7), groff(7)): a line must not begin with a control character.
std::string escaped(const std::string& text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

std::string paragraphs(const std::string& text) {
    std::string out;
    bool literal = false;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        begin = end + 1;
        const bool example = line.starts_with("  ");
        if (example != literal) {
            out += example ? ".PP\n.nf\n" : ".fi\n.PP\n";
            literal = example;
        }
        out += line.empty() ? ".PP\n" : escaped(example ? line.substr(2) : line) + "\n";
    }
    return out + (literal ? ".fi\n" : "");
}

// "REASON:{rejected,attempts}" -> "REASON"; the choices are said elsewhere.
std::string type_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type.substr(0, std::min(type.find_first_of(":="), type.find(" in ")));
}

std::vector<std::string> choices_of(const CLI::Option& option) {
    std::vector<std::string> out;
    const std::string type = option.get_type_name();
    const auto begin = type.find('{');
    const auto end = type.find('}', begin == std::string::npos ? 0 : begin);
    for (std::size_t at = begin; at != std::string::npos && end != std::string::npos && at < end;) {
        const std::size_t next = std::min(type.find(',', at + 1), end);
        out.push_back(type.substr(at + 1, next - at - 1));
        at = next;
    }
    return out;
}

bool is_shown(const CLI::Option& option) {
    return !option.get_group().empty();
}

std::string option_entry(const CLI::Option& option) {
    std::string names;
    for (const std::string& each : option.get_snames()) {
        names += (names.empty() ? "\\fB\\-" : ", \\fB\\-") + escaped(each) + "\\fR";
    }
    for (const std::string& each : option.get_lnames()) {
        names += (names.empty() ? "\\fB\\-\\-" : ", \\fB\\-\\-") + escaped(each) + "\\fR";
    }
    if (option.get_positional()) {
        names = "\\fI" + escaped(option.get_name(true)) + "\\fR";
    } else if (option.get_items_expected_max() > 0 && !type_of(option).empty()) {
        names += " \\fI" + escaped(type_of(option)) + "\\fR";
    }
    std::string out = ".TP\n" + names + "\n" + escaped(option.get_description());
    if (!option.get_default_str().empty()) {
        out += " (default: " + escaped(option.get_default_str()) + ")";
    }
    if (!option.get_envname().empty()) {
        out += "; or the variable " + escaped(option.get_envname());
    }
    return out + "\n";
}

bool is_help(const CLI::Option& option) {
    return option.check_lname("help");
}

// With those of option groups, which belong to no command, and have a --help of their own.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
    std::vector<const CLI::Option*> out;
    for (const CLI::Option* each : command.get_options()) {
        if (is_shown(*each)) {
            out.push_back(each);
        }
    }
    for (const CLI::App* group :
         command.get_subcommands([](const CLI::App* each) { return each->get_name().empty(); })) {
        for (const CLI::Option* each : group->get_options()) {
            if (is_shown(*each) && !is_help(*each)) {
                out.push_back(each);
            }
        }
    }
    return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
}

std::string synopsis(const CLI::App& command, const std::string& name) {
    std::string out = "\\fB" + escaped(name) + "\\fR [\\fIOPTIONS\\fR]";
    for (const CLI::Option* each : options_of(command)) {
        if (each->get_positional()) {
            const std::string shown =
                escaped(each->get_name(true)) + (each->get_items_expected_max() > 1 ? "..." : "");
            out += each->get_required() ? " \\fI" + shown + "\\fR" : " [\\fI" + shown + "\\fR]";
        }
    }
    return out + (commands_of(command).empty() ? "" : " \\fICOMMAND\\fR ...");
}

void describe_commands(std::string& out, const CLI::App& parent, const std::string& before) {
    for (const CLI::App* each : commands_of(parent)) {
        const std::string name = before + each->get_name();
        if (commands_of(*each).empty()) {
            out += ".SS " + synopsis(*each, name) + "\n" + escaped(each->get_description()) + ".\n";
            for (const CLI::Option* option : options_of(*each)) {
                out += is_help(*option) ? "" : option_entry(*option);
            }
        }
        describe_commands(out, *each, name + " ");
    }
}

// For each command path ("", " dead", " dead list"): what may follow it.
void collect_words(const CLI::App& command, const std::string& path, std::string& words, std::string& paths) {
    std::string here;
    for (const CLI::Option* each : options_of(command)) {
        for (const std::string& name : each->get_lnames()) {
            here += "--" + name + " ";
        }
    }
    for (const CLI::App* each : commands_of(command)) {
        here += each->get_name() + " ";
        const std::string below = path + " " + each->get_name();
        paths += (paths.empty() ? "'" : "|'") + below + "'";
        collect_words(*each, below, words, paths);
    }
    words += "        '" + path + "') words='" + here + "' ;;\n";
}

void collect_choices(const CLI::App& command, std::string& out) {
    for (const CLI::Option* each : options_of(command)) {
        std::string words;
        for (const std::string& choice : choices_of(*each)) {
            words += choice + " ";
        }
        for (const std::string& name : each->get_lnames()) {
            if (!words.empty() && out.find("        --" + name + ")") == std::string::npos) {
                out += "        --" + name + ") words='" + words + "' ;;\n";
            }
        }
    }
    for (const CLI::App* each : commands_of(command)) {
        collect_choices(*each, out);
    }
}

} // namespace

std::string man_page(const CLI::App& program, const manual_text& text) {
    const std::string& name = program.get_name();
    std::string out = ".TH " + upper(escaped(name)) + " " + std::to_string(text.section) +
                      " \"\" \"linkrunnerd " LINKRUNNER_VERSION "\" \"Linkrunner\"\n";
    out += ".SH NAME\n" + escaped(name) + " \\- " + escaped(text.summary) + "\n";
    out += ".SH SYNOPSIS\n" + synopsis(program, name) + "\n";
    out +=
        ".SH DESCRIPTION\n" + escaped(program.get_description()) + "\n.PP\n" + paragraphs(text.description);
    out += ".SH OPTIONS\n";
    for (const CLI::Option* each : options_of(program)) {
        out += option_entry(*each);
    }
    std::string commands;
    describe_commands(commands, program, "");
    out += commands.empty() ? "" : ".SH COMMANDS\n" + commands;
    for (const auto& [title, paragraph] : text.sections) {
        out += ".SH " + upper(title) + "\n" + paragraphs(paragraph);
    }
    out += ".SH SEE ALSO\n";
    for (std::size_t index = 0; index < text.see_also.size(); ++index) {
        const std::string& each = text.see_also[index];
        const auto bracket = std::min(each.find('('), each.size());
        out += ".BR " + escaped(each.substr(0, bracket)) + " " + escaped(each.substr(bracket)) +
               (index + 1 < text.see_also.size() ? " ,\n" : "\n");
    }
    return out;
}

std::string bash_completion(const CLI::App& program) {
    const std::string& name = program.get_name();
    std::string function = "_" + name;
    std::ranges::replace(function, '-', '_');
    std::string words;
    std::string paths;
    collect_words(program, "", words, paths);
    std::string choices;
    collect_choices(program, choices);
    std::string out = "# bash completion of " + name + ", made by " + name + " --print-completion\n" +
                      function +
                      "() {\n"
                      "    local path='' words='' index\n"
                      "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                      "    for ((index = 1; index < COMP_CWORD; ++index)); do\n"
                      "        case \"$path ${COMP_WORDS[index]}\" in\n";
    out += paths.empty() ? "" : "        " + paths + ") path+=\" ${COMP_WORDS[index]}\" ;;\n";
    out += "        *) ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"$path\" in\n" +
           words +
           "    esac\n"
           "    case \"$before\" in\n" +
           choices +
           "        *) ;;\n"
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "}\n"
           "complete -o default -F " +
           function + " " + name + "\n";
    return out;
}

// As --version does: what is thrown is printed, and the program ends well.
void add_printing(CLI::App& program, manual_text text) {
    program
        .add_flag_callback(
            "--print-manual",
            [&program, text = std::move(text)] { throw CLI::CallForVersion(man_page(program, text), 0); })
        ->group("");
    program
        .add_flag_callback("--print-completion",
                           [&program] { throw CLI::CallForVersion(bash_completion(program), 0); })
        ->group("");
}

} // namespace linkrunner::cli
