// Runs the examples of docs/intake-json.md: rows "| case | `example` | `code` |" or "... | taken |", in which
// <FF> stands for a byte.
#include "event/codes.hpp"
#include "unit/event/parsing.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace linkrunner::event {
namespace {

std::string read_page() {
    const auto path = std::filesystem::path(__FILE__).parent_path() / "../../../docs/intake-json.md";
    std::ifstream file(path);
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string with_bytes(const std::string& example) {
    static const std::regex byte("<([0-9A-F]{2})>");
    std::string out;
    std::size_t copied = 0;
    for (std::sregex_iterator at(example.begin(), example.end(), byte), end; at != end; ++at) {
        out += example.substr(copied, static_cast<std::size_t>(at->position()) - copied);
        out += static_cast<char>(std::stoi((*at)[1], nullptr, 16));
        copied = static_cast<std::size_t>(at->position() + at->length());
    }
    return out + example.substr(copied);
}

TEST(documented_json, is_answered_as_the_page_says) {
    const std::string page = read_page();
    const std::regex row(R"(\n\| [^|\n]* \| `([^`\n]*)` \| (?:`(\w+)`|taken) \|(?=\n))");
    int rows = 0;
    for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at) {
        const std::string text = with_bytes((*at)[1]);
        const std::string code = (*at)[2];
        const auto parsed = parse(text, no_id_added());
        const auto* const why = std::get_if<violation>(&parsed);
        EXPECT_EQ(why == nullptr ? "" : why->code, code) << (*at)[0];
        ++rows;
    }
    EXPECT_GT(rows, 50);
}

TEST(documented_json, page_lists_every_code) {
    const std::string page = read_page();
    for (const std::string_view code :
         {codes::malformed_json, codes::invalid_utf8, codes::too_deep, codes::event_too_large,
          codes::not_an_object, codes::missing_field, codes::empty_field, codes::mistyped_field,
          codes::duplicate_field, codes::field_too_long, codes::forbidden_character}) {
        EXPECT_NE(page.find("\n| `" + std::string(code) + "` | "), std::string::npos) << code;
    }
}

} // namespace
} // namespace linkrunner::event
