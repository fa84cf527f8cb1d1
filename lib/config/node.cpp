#include "config/node.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <sstream>

namespace linkrunner::config {
namespace {

constexpr std::size_t most_text_bytes = 1 << 20;
constexpr std::size_t most_nodes = 20'000;
constexpr std::size_t most_levels = 32;

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

// Builds the tree from the parser's events. The library's own tree is not used: its LoadAll() never ends on a
// text such as ",", and copies of aliases could not be bounded.
class builder : public YAML::EventHandler {
  public:
    explicit builder(const std::string& text) : text_(text) {
        starts_.push_back(0);
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') {
                starts_.push_back(i + 1);
            }
        }
    }

    node take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) {
            throw refused{problem_at(mark, "a second YAML document, or what is not YAML; one is expected")};
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(made(node::type::none, mark), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchored_.find(anchor);
        if (found == anchored_.end()) {
            throw refused{problem_at(mark, "an alias inside of what it stands for")};
        }
        count(size_of(found->second), mark);
        node copy = found->second;
        copy.line = mark.line + 1;
        copy.column = mark.column + 1;
        add(std::move(copy), 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        if (tag == "!") { // in quotes
            check_quote(mark);
        }
        node scalar = made(node::type::scalar, mark);
        scalar.text = value;
        add(std::move(scalar), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(made(node::type::list, mark), anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(made(node::type::map, mark), anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

  private:
    struct unfinished {
        node tree;
        YAML::anchor_t anchor;
    };

    node made(node::type type, const YAML::Mark& mark) {
        count(1, mark);
        node out;
        out.is = type;
        out.line = mark.line + 1;
        out.column = mark.column + 1;
        return out;
    }

    void open(node container, YAML::anchor_t anchor) {
        if (open_.size() >= most_levels) {
            throw refused{{container.line, container.column, "nested deeper than 32 levels"}};
        }
        open_.push_back({std::move(container), anchor});
    }

    void close() {
        unfinished done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.tree), done.anchor);
    }

    void add(node part, YAML::anchor_t anchor) {
        if (anchor != 0) {
            anchored_[anchor] = part;
        }
        if (open_.empty()) {
            root_ = std::move(part);
            return;
        }
        node& parent = open_.back().tree;
        if (parent.is == node::type::list) {
            parent.items.push_back(std::move(part));
        } else if (parent.names.size() > parent.values.size()) {
            parent.values.push_back(std::move(part));
        } else if (part.is == node::type::scalar) {
            parent.names.push_back(std::move(part));
        } else {
            throw refused{{part.line, part.column, "a key must be a name"}};
        }
    }

    static std::size_t size_of(const node& tree) {
        std::size_t out = 1;
        for (const auto* parts : {&tree.items, &tree.names, &tree.values}) {
            for (const node& each : *parts) {
                out += size_of(each);
            }
        }
        return out;
    }

    void count(std::size_t more, const YAML::Mark& mark) {
        count_ += more;
        if (count_ > most_nodes) {
            throw refused{problem_at(mark, "more than 20000 values")};
        }
    }

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
    node root_;
    std::vector<unfinished> open_;
    std::map<YAML::anchor_t, node> anchored_; // finished ones
    std::size_t count_ = 0;
    std::size_t documents_ = 0;
};

} // namespace

std::variant<node, syntax_problem> parse_yaml(const std::string& text) {
    if (text.size() > most_text_bytes) {
        return syntax_problem{0, 0, "larger than 1 MiB"};
    }
    try {
        std::istringstream in(text);
        YAML::Parser parser(in);
        builder tree(text);
        for (bool more = true; more;) {
            more = parser.HandleNextDocument(tree); // the second one is refused
        }
        return tree.take_root();
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
