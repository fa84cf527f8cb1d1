#include "event/edits.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace linkrunner::event {

void edits::replace(std::string_view place, std::string with) {
    all_.push_back(
        {static_cast<std::size_t>(place.data() - text_.data()), place.size(), all_.size(), std::move(with)});
}

std::string edits::apply() {
    // Insertions before what replaces the bytes that follow, a long change before those within it, and then
    // in the order in which they came.
    if (all_.size() > 1) {
        std::ranges::sort(all_, {}, [](const change& each) {
            return std::tuple(each.offset, each.length != 0, ~each.length, each.order);
        });
    }
    std::size_t added = 0;
    for (const change& each : all_) {
        added += each.with.size();
    }
    std::string out;
    out.reserve(text_.size() + added);
    std::size_t done = 0;
    for (const change& each : all_) {
        if (each.offset < done) {
            continue;
        }
        out.append(text_.substr(done, each.offset - done)).append(each.with);
        done = each.offset + each.length;
    }
    return out.append(text_.substr(done));
}

} // namespace linkrunner::event
