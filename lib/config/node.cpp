#include "config/node.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <optional>

namespace linkrunner::config {
namespace {

constexpr std::size_t most_text_bytes = 1 << 20;
constexpr std::size_t most_nodes = 20'000;
constexpr int most_levels = 32;

struct refused {
    syntax_problem problem;
};

// yaml-cpp counts from 0 and knows "nowhere" as -1.
syntax_problem problem_at(const YAML::Mark& mark, std::string message) {
    if (mark.is_null()) {
        return {0, 0, std::move(message)};
    }
    return {mark.line + 1, mark.column + 1, std::move(message)};
}

// yaml-cpp finds tabs in the indentation, and then complains of something behind them.
std::optional<syntax_problem> tab_in_indentation(const std::string& text) {
    int line = 1;
    for (std::size_t start = 0; start < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::size_t first = std::min(text.find_first_not_of(" \t\r", start), end);
        const std::size_t tab = text.find('\t', start);
        if (tab < first && first < end) {
            return syntax_problem{line, static_cast<int>(tab - start) + 1,
                                  "a tab in the indentation; YAML wants spaces"};
        }
        start = end + 1;
    }
    return std::nullopt;
}

class converter {
  public:
    explicit converter(const std::string& text) : text_(text) {
        starts_.push_back(0);
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') {
                starts_.push_back(i + 1);
            }
        }
    }

    node convert(const YAML::Node& from, int level) {
        const YAML::Mark mark = from.Mark();
        if (++count_ > most_nodes) {
            throw refused{problem_at(mark, "more than 20000 values")};
        }
        if (level > most_levels) {
            throw refused{problem_at(mark, "nested deeper than 32 levels")};
        }
        node out;
        if (!mark.is_null()) {
            out.line = mark.line + 1;
            out.column = mark.column + 1;
        }
        switch (from.Type()) {
        case YAML::NodeType::Scalar:
            out.is = node::type::scalar;
            out.text = from.Scalar();
            check_quote(mark);
            break;
        case YAML::NodeType::Sequence:
            out.is = node::type::list;
            for (const auto& item : from) {
                out.items.push_back(convert(item, level + 1));
            }
            break;
        case YAML::NodeType::Map:
            out.is = node::type::map;
            for (const auto& entry : from) {
                if (!entry.first.IsScalar()) {
                    throw refused{problem_at(entry.first.Mark(), "a key must be a name")};
                }
                out.names.push_back(convert(entry.first, level + 1));
                out.values.push_back(convert(entry.second, level + 1));
            }
            break;
        case YAML::NodeType::Null:
        case YAML::NodeType::Undefined:
            break;
        }
        return out;
    }

  private:
    // yaml-cpp takes a quote that is never closed for one that ends with the file, and so swallows the keys
    // that follow.
    void check_quote(const YAML::Mark& mark) const {
        if (mark.is_null() || static_cast<std::size_t>(mark.line) >= starts_.size()) {
            return;
        }
        std::size_t at = starts_[static_cast<std::size_t>(mark.line)];
        for (int column = 0; column < mark.column && at < text_.size(); ++column) { // columns are characters
            ++at;
            while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80U) {
                ++at;
            }
        }
        if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) {
            return;
        }
        const char quote = text_[at];
        for (++at; at < text_.size(); ++at) {
            const bool doubled = quote == '\'' && text_[at] == '\'' && text_.substr(at + 1, 1) == "'";
            if (doubled || (quote == '"' && text_[at] == '\\')) {
                ++at; // what follows is part of the text
            } else if (text_[at] == quote) {
                return;
            }
        }
        throw refused{problem_at(mark, "the quote that opens here is never closed")};
    }

    const std::string& text_;
    std::vector<std::size_t> starts_; // of the lines, in bytes
    std::size_t count_ = 0;
};

} // namespace

std::variant<node, syntax_problem> parse_yaml(const std::string& text) {
    if (text.size() > most_text_bytes) {
        return syntax_problem{0, 0, "larger than 1 MiB"};
    }
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text);
        if (documents.empty()) {
            return node{};
        }
        if (documents.size() > 1) {
            return problem_at(documents[1].Mark(), "a second YAML document; one is expected");
        }
        return converter(text).convert(documents[0], 0);
    } catch (const refused& why) {
        return why.problem;
    } catch (const YAML::DeepRecursion& failure) {
        return problem_at(failure.mark, "nested too deeply");
    } catch (const YAML::Exception& failure) {
        if (const auto tab = tab_in_indentation(text)) {
            return *tab;
        }
        return problem_at(failure.mark, "not YAML: " + failure.msg);
    } catch (const std::exception& failure) { // its scanner lets some from the standard library through
        return syntax_problem{0, 0, std::string("not YAML: ") + failure.what()};
    }
}

} // namespace linkrunner::config
