#include "delivery/rate_fields.hpp"

#include "delivery/structured_field.hpp"

#include <algorithm>

namespace linkrunner::delivery {

namespace {

using members = std::vector<field_member>;

std::optional<std::uint64_t> count_of(const bare_item* item) {
    return item != nullptr ? item->count() : std::nullopt;
}

bool is_text(const field_member& member) {
    return member.key.empty() && member.item.what == bare_item::kind::text;
}

// Version 7: one dictionary.
std::vector<rate_left> left_of_dictionary(const members& all) {
    const auto named = [&](std::string_view key) {
        const auto found =
            std::find_if(all.rbegin(), all.rend(), [&](const auto& each) { return each.key == key; });
        return found == all.rend() ? std::nullopt : found->item.count();
    };
    const auto remaining = named("remaining");
    return remaining ? std::vector<rate_left>{{"", *remaining, named("reset")}} : std::vector<rate_left>{};
}

} // namespace

std::vector<rate_policy> parse_rate_policies(std::string_view field) {
    std::vector<rate_policy> out;
    for (const field_member& member : parse_structured_field(field).value_or(members{})) {
        rate_policy policy;
        const bool named = is_text(member);
        const auto quota = named ? count_of(member.parameter("q")) : count_of(&member.item);
        const bare_item* window = member.parameter("w");
        if (!quota || !member.key.empty() || (window != nullptr && !window->count())) {
            continue;
        }
        policy.name = named ? member.item.text : "";
        policy.quota = *quota;
        policy.window = count_of(window);
        const bare_item* unit = member.parameter("qu");
        policy.in_requests = unit == nullptr || unit->text == "requests";
        out.push_back(std::move(policy));
    }
    return out;
}

std::vector<rate_left> parse_rate_left(std::string_view field) {
    const members all = parse_structured_field(field).value_or(members{});
    if (!all.empty() && !all.front().key.empty()) {
        return left_of_dictionary(all);
    }
    std::vector<rate_left> out;
    for (const field_member& member : all) {
        const auto remaining = count_of(member.parameter("r"));
        const bare_item* reset = member.parameter("t");
        if (is_text(member) && remaining && (reset == nullptr || reset->count())) {
            out.push_back({member.item.text, *remaining, count_of(reset)});
        }
    }
    return out;
}

} // namespace linkrunner::delivery
