#include "config/suggest.hpp"

#include "config/key.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace linkrunner::config {
namespace {

constexpr std::size_t longest_name = 64; // longer ones are no misspellings, and the work is quadratic

std::string_view last_part(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

std::set<std::string_view> names_and_sections() {
    std::set<std::string_view> out;
    for (const key& each : keys()) {
        for (std::size_t dot = each.name.find('.'); dot != std::string_view::npos;
             dot = each.name.find('.', dot + 1)) {
            out.insert(each.name.substr(0, dot));
        }
        out.insert(each.name);
    }
    return out;
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        above[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        before.swap(above);
        above.swap(row);
    }
    return above[b.size()];
}

std::optional<std::string> nearest(std::string_view wrong, const std::vector<std::string_view>& words) {
    if (wrong.size() > longest_name) {
        return std::nullopt;
    }
    std::optional<std::string> best;
    std::size_t best_distance = 2 + (wrong.size() + 1) / 4;
    for (const std::string_view word : words) {
        const std::size_t distance = edit_distance(wrong, word);
        if (distance < best_distance && distance < word.size()) {
            best = std::string(word);
            best_distance = distance;
        }
    }
    return best;
}

std::optional<std::string> meant_key(std::string_view wrong) {
    if (wrong.size() > longest_name) {
        return std::nullopt;
    }
    // The part that differs is short, so a long section name must not make everything in it look alike.
    std::optional<std::string> best;
    std::size_t best_distance = 2 + (last_part(wrong).size() + 1) / 4;
    for (const std::string_view name : names_and_sections()) {
        const std::size_t distance = edit_distance(wrong, name);
        if (distance < best_distance && distance < last_part(name).size()) {
            best = std::string(name);
            best_distance = distance;
        }
    }
    if (best) {
        return best;
    }
    best_distance = std::numeric_limits<std::size_t>::max();
    for (const key& each : keys()) {
        const std::size_t distance = edit_distance(wrong, each.name);
        if (last_part(each.name) == last_part(wrong) && distance < best_distance) {
            best = std::string(each.name);
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(const std::optional<std::string>& name) {
    return name ? "; did you mean '" + *name + "'?" : "";
}

} // namespace linkrunner::config
