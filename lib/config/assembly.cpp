#include "config/assembly.hpp"

#include "config/key.hpp"
#include "config/node.hpp"
#include "config/proxy.hpp"
#include "config/suggest.hpp"
#include "config/units.hpp"
#include "config/value.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

namespace linkrunner::config {
namespace {

class file_walk {
  public:
    file_walk(assembly& into, const std::string& file, const lookup& environment)
        : into_(into), file_(file), reader_(file, environment, into.problems) {}

    void section(const std::string& prefix, const node& from) {
        for (std::size_t i = 0; i < from.names.size(); ++i) {
            const std::string name = prefix + from.names[i].text;
            if (const node* first = earlier(from, i)) {
                reader_.complain(from.names[i], "duplicate key '" + name + "'; it is on line " +
                                                    std::to_string(first->line) + " already");
            } else if (const key* known = find_key(name); known != nullptr && is_one_part(from.names[i])) {
                value(*known, from.names[i], from.values[i]);
            } else if (is_section(name) && is_one_part(from.names[i])) {
                subsection(name, from.names[i], from.values[i]);
            } else {
                unknown(name, from.names[i]);
            }
        }
    }

  private:
    static bool is_one_part(const node& name) { return name.text.find('.') == std::string::npos; }

    static const node* earlier(const node& map, std::size_t index) {
        for (std::size_t i = 0; i < index; ++i) {
            if (map.names[i].text == map.names[index].text) {
                return &map.names[i];
            }
        }
        return nullptr;
    }

    void subsection(const std::string& name, const node& at, const node& from) {
        if (from.is == node::type::map) {
            section(name + ".", from);
        } else if (from.is != node::type::none) { // "intake:" with all of its keys commented out is fine
            reader_.complain(at, name + ": a map of keys is expected");
        }
    }

    void value(const key& known, const node& name, const node& from) {
        const node& at = from.is == node::type::none ? name : from; // yaml-cpp puts nothing on the next line
        node located = from;
        located.line = at.line;
        located.column = at.column;
        if (reader_.read(known.at(into_.values), known.form, known.name, located)) {
            into_.places[std::string(known.name)] = {reader_.where(located),
                                                     file_ + ":" + std::to_string(located.line)};
        }
    }

    void unknown(const std::string& name, const node& at) {
        if (find_key(name) != nullptr || is_section(name)) {
            reader_.complain(at, "unknown key " + quote(at.text) +
                                     "; in a file the parts of a name are nested: \"" +
                                     name.substr(0, name.find('.')) + ":\" and the rest indented below it");
            return;
        }
        reader_.complain(at, "unknown key '" + printable(name) + "'" + did_you_mean(meant_key(name)));
    }

    static std::string printable(const std::string& name) {
        const std::string in_quotes = quote(name);
        return in_quotes.substr(1, in_quotes.rfind('"') - 1);
    }

    assembly& into_;
    const std::string& file_;
    value_reader reader_;
};

std::optional<std::string> read_file(const std::string& file, std::vector<problem>& problems) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) {
        if (in && in.peek() == std::ifstream::traits_type::eof() && errno == 0) {
            return ""; // an empty file makes the copy fail
        }
        problems.push_back({file, std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno)});
        return std::nullopt;
    }
    return std::move(text).str();
}

// Kubernetes gives every container variables about the services around it; one that is named linkrunnerd
// or linkrunnerd-something brings LINKRUNNERD_SERVICE_HOST, LINKRUNNERD_PORT_7417_TCP and so on.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
bool is_service_link(const std::string& variable) {
    static const std::regex pattern("LINKRUNNERD(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
                                    "PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");
    return variable.size() < 256 && std::regex_match(variable, pattern);
}

void apply_one(assembly& into, const std::string& name, std::string_view value, const place& from,
               const std::string& unknown) {
    const key* known = find_key(name);
    if (known == nullptr) {
        into.problems.push_back({from.where, unknown});
        return;
    }
    if (value_reader(from.where, {}, into.problems).read(known->at(into.values), known->form, name, value)) {
        into.places[name] = from;
    }
}

} // namespace

void apply_file(assembly& into, const std::string& file, const lookup& environment) {
    const auto text = read_file(file, into.problems);
    if (!text) {
        return;
    }
    const auto parsed = parse_yaml(*text);
    if (const auto* wrong = std::get_if<syntax_problem>(&parsed)) {
        node at;
        at.line = wrong->line;
        at.column = wrong->column;
        value_reader(file, {}, into.problems).complain(at, wrong->message);
        return;
    }
    const node& root = std::get<node>(parsed);
    if (root.is == node::type::map) {
        file_walk(into, file, environment).section("", root);
    } else if (root.is != node::type::none) {
        value_reader(file, {}, into.problems).complain(root, "a map of sections is expected");
    }
}

void apply_environment(assembly& into, const std::vector<std::pair<std::string, std::string>>& variables) {
    for (const auto& [variable, value] : variables) {
        const std::string name = key_name(variable);
        if (find_key(name) == nullptr && is_service_link(variable)) {
            continue;
        }
        // A single underscore between section and key is the usual slip.
        std::string unknown = "no key has this name";
        std::optional<std::string> meant;
        for (const key& each : keys()) {
            std::string slip = "LINKRUNNERD_" + std::string(each.name);
            for (char& c : slip) {
                c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            }
            if (slip == variable) {
                meant = environment_name(each.name);
            }
        }
        if (!meant) {
            if (const auto near = meant_key(name)) {
                meant = environment_name(*near);
            }
        }
        const std::string where = "environment " + variable;
        apply_one(into, name, value, {where, where}, unknown + did_you_mean(meant));
    }
}

void apply_overrides(assembly& into, const std::vector<std::string>& overrides) {
    for (const std::string& each : overrides) {
        const std::size_t equals = each.find('=');
        if (equals == std::string::npos) {
            into.problems.push_back(
                {"--set", quote(each) + " is not KEY=VALUE, for example upstream.url=http://127.0.0.1:8080"});
            continue;
        }
        const std::string name = each.substr(0, equals);
        std::string unknown = "unknown key " + quote(name);
        if (is_section(name)) {
            unknown = quote(name) + " is a section; set its keys one by one";
        } else {
            unknown += did_you_mean(meant_key(name));
        }
        apply_one(into, name, std::string_view(each).substr(equals + 1), {"--set " + name, "--set"}, unknown);
    }
}

void apply_surroundings(assembly& into, const lookup& environment) {
    if (!environment) {
        return;
    }
    const auto state = environment("STATE_DIRECTORY"); // systemd.exec(5): several are joined by colons
    if (state && !state->empty() && !into.is_set("spool.directory")) {
        into.values.spool.directory = state->substr(0, state->find(':'));
        into.places["spool.directory"] = {"environment STATE_DIRECTORY", "environment STATE_DIRECTORY"};
    }
    if (!into.is_set("upstream.proxy")) {
        if (const auto found = proxy_from_environment(into.values.upstream.url, environment)) {
            const std::string origin = "environment " + found->variable;
            into.values.upstream.proxy = found->url;
            into.places["upstream.proxy"] = {origin, origin};
        }
    }
}

} // namespace linkrunner::config
