#include "config/reference.hpp"

#include "config/node.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

#include <regex>
#include <sstream>

using namespace linkrunner::config;

namespace {

const std::filesystem::path root =
    std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

bool rewriting() {
    return std::getenv("LINKRUNNER_REWRITE") != nullptr;
}

void expect_committed(const std::filesystem::path& file, const std::string& expected) {
    if (rewriting()) {
        std::ofstream(file, std::ios::binary) << expected;
    }
    EXPECT_EQ(content(file), expected)
        << file << " is out of date: LINKRUNNER_REWRITE=1 unit_config writes it anew";
}

TEST(Reference, TheDocumentSaysWhatTheTableSays) {
    const auto file = root / "docs" / "configuration.md";
    const std::string begin = "<!-- reference -->\n";
    const std::string end = "<!-- /reference -->\n";
    const std::string text = content(file);
    const auto from = text.find(begin);
    const auto to = text.find(end);
    ASSERT_NE(from, std::string::npos);
    ASSERT_NE(to, std::string::npos);
    expect_committed(file, text.substr(0, from + begin.size()) + "\n" + reference_markdown() + "\n" +
                               text.substr(to));
}

TEST(Reference, TheSchemaSaysWhatTheTableSays) {
    expect_committed(root / "config" / "linkrunnerd.schema.json", schema_json());
}

TEST(Reference, TheExampleSaysWhatTheTableSays) {
    expect_committed(root / "config" / "linkrunnerd.yaml", example_yaml());
}

TEST(Reference, EveryKeyHasItsRowAndItsPlaceInTheExample) {
    const std::string rows = reference_markdown();
    for (const key& each : keys()) {
        EXPECT_THAT(rows, testing::HasSubstr("| `" + std::string(each.name) + "` |"));
    }
}

const node* member(const node* map, const std::string& name) {
    for (std::size_t i = 0; map != nullptr && i < map->names.size(); ++i) {
        if (map->names[i].text == name) {
            return &map->values[i];
        }
    }
    return nullptr;
}

TEST(Reference, TheSchemaKnowsEveryKeyWithItsDefault) {
    const auto parsed = parse_yaml(schema_json()); // JSON is YAML
    const node* schema = std::get_if<node>(&parsed);
    ASSERT_NE(schema, nullptr);
    for (const key& each : keys()) {
        const node* at = schema;
        std::istringstream parts{std::string(each.name)};
        for (std::string part; std::getline(parts, part, '.');) {
            at = member(member(at, "properties"), part);
        }
        EXPECT_NE(member(at, "default"), nullptr) << each.name;
    }
}

class Example : public test::Configuration {};

TEST_F(Example, LoadsAsItIsAndWithEveryKeyUncommentedToTheDefaults) {
    settings defaults;
    defaults.server_key = "the-server-key";
    EXPECT_EQ(good(example_yaml()).values, defaults);
    const std::string uncommented =
        std::regex_replace(example_yaml(), std::regex("(^|\n)( *)#([a-z])"), "$1$2$3");
    const loaded all = good(uncommented);
    EXPECT_EQ(all.values, defaults);
    for (const key& each : keys()) {
        EXPECT_THAT(origin(all, std::string(each.name)), testing::HasSubstr("c.yaml:")) << each.name;
    }
}

} // namespace
