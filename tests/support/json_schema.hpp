// As much of JSON Schema 2020-12 as the project's own schemas use: type, const, enum, minimum, properties,
// required, items, minItems, maxItems. Any other word in a schema is an offence. Stricter in one thing: what
// a schema does not name must not be there, so that nothing stays without a description.
#pragma once

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace linkrunner::tests {

class json_schema {
  public:
    explicit json_schema(const std::string& file) {
        std::ifstream in(file);
        root_ = boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    }

    // What the document offends against, as "<pointer>: <what>"; empty: nothing.
    std::vector<std::string> offences(const boost::json::value& document) const {
        std::vector<std::string> out;
        check(root_.as_object(), document, "", out);
        return out;
    }

  private:
    using value = boost::json::value;
    using object = boost::json::object;

    static bool is(std::string_view type, const value& what) {
        return (type == "object" && what.is_object()) || (type == "array" && what.is_array()) ||
               (type == "string" && what.is_string()) || (type == "boolean" && what.is_bool()) ||
               (type == "null" && what.is_null()) || (type == "number" && what.is_number()) ||
               (type == "integer" && (what.is_int64() || what.is_uint64()));
    }

    static bool has_type(const value& types, const value& what) {
        if (types.is_string()) {
            return is(types.get_string(), what);
        }
        return std::ranges::any_of(types.as_array(),
                                   [&](const value& each) { return is(each.as_string(), what); });
    }

    static void check(const object& schema, const value& what, const std::string& at,
                      std::vector<std::string>& out) {
        const auto offence = [&](const std::string& text) {
            out.push_back((at.empty() ? "/" : at) + ": " + text + ": " + boost::json::serialize(what));
        };
        for (const auto& [word, rule] : schema) {
            if (word == "type"      ? !has_type(rule, what)
                : word == "const"   ? rule != what
                : word == "enum"    ? std::ranges::find(rule.as_array(), what) == rule.as_array().end()
                : word == "minimum" ? what.is_number() && what.to_number<double>() < rule.to_number<double>()
                : word == "minItems"
                    ? what.is_array() && what.get_array().size() < rule.to_number<std::size_t>()
                : word == "maxItems"
                    ? what.is_array() && what.get_array().size() > rule.to_number<std::size_t>()
                    : false) {
                offence(std::string(word) + " " + boost::json::serialize(rule));
            } else if (word == "required" && what.is_object()) {
                for (const value& name : rule.as_array()) {
                    what.get_object().contains(name.as_string())
                        ? void()
                        : offence("without " + std::string(name.as_string()));
                }
            } else if (word == "properties" && what.is_object()) {
                check_members(rule.as_object(), what.get_object(), at, out);
            } else if (word == "items" && what.is_array()) {
                for (std::size_t i = 0; i < what.get_array().size(); ++i) {
                    check(rule.as_object(), what.get_array()[i], at + "/" + std::to_string(i), out);
                }
            } else if (!known(word)) {
                out.push_back(at + ": the schema has a word that is not checked: " + std::string(word));
            }
        }
    }

    static void check_members(const object& properties, const object& members, const std::string& at,
                              std::vector<std::string>& out) {
        for (const auto& [name, member] : members) {
            const value* schema = properties.if_contains(name);
            const std::string place = at + "/" + std::string(name);
            if (schema == nullptr) {
                out.push_back(place + ": is not in the schema");
            } else {
                check(schema->as_object(), member, place, out);
            }
        }
    }

    static bool known(std::string_view word) {
        constexpr std::string_view words[] = {"$schema",  "title",    "description", "type",
                                              "const",    "enum",     "minimum",     "minItems",
                                              "maxItems", "required", "properties",  "items"};
        return std::ranges::find(words, word) != std::ranges::end(words);
    }

    value root_;
};

} // namespace linkrunner::tests
