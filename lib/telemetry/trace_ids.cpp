#include "telemetry/trace_ids.hpp"

#include <algorithm>

namespace linkrunner::telemetry {

namespace {

// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
constexpr std::size_t trace_at = 3;
constexpr std::size_t parent_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t whole = 55;

bool is_hex(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) noexcept {
    return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

} // namespace

std::optional<trace_id> trace_id_of(std::string_view traceparent) noexcept {
    if (traceparent.size() < whole || traceparent[2] != '-' || traceparent[parent_at - 1] != '-' ||
        traceparent[flags_at - 1] != '-') {
        return std::nullopt;
    }
    const std::string_view version = traceparent.substr(0, 2);
    const bool more = traceparent.size() > whole; // later versions may have more fields
    if (!is_hex(version) || version == "ff" || (more && (version == "00" || traceparent[whole] != '-'))) {
        return std::nullopt;
    }
    trace_id out;
    const std::string_view id = traceparent.substr(trace_at, out.size());
    if (!is_id(id) || !is_id(traceparent.substr(parent_at, 16)) || !is_hex(traceparent.substr(flags_at, 2))) {
        return std::nullopt;
    }
    std::ranges::copy(id, out.begin());
    return out;
}

void trace_ids::remember(std::uint64_t number, const trace_id& id) {
    known_.try_emplace(number, id);
    if (known_.size() > most_) {
        known_.erase(known_.begin());
    }
}

std::string_view trace_ids::of(std::uint64_t number) const {
    const auto found = known_.find(number);
    return found == known_.end() ? std::string_view()
                                 : std::string_view(found->second.data(), found->second.size());
}

} // namespace linkrunner::telemetry
