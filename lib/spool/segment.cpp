#include "spool/segment.hpp"

#include <algorithm>

namespace linkrunner::spool {

event_state after(event_state before, mark_kind mark) noexcept {
    const bool is_dead = before == event_state::dead;
    if (!is_live(before)) {
        return before;
    }
    switch (mark) {
    case mark_kind::sending:
        return is_dead ? before : event_state::sending;
    case mark_kind::delivered:
        return event_state::delivered;
    case mark_kind::dead:
        return event_state::dead;
    case mark_kind::dropped:
        return event_state::dropped;
    case mark_kind::replayed:
        return event_state::pending;
    case mark_kind::handed_off:
        return event_state::handed_off;
    }
    return before;
}

std::optional<mark_kind> end_of(event_state state) noexcept {
    switch (state) {
    case event_state::dead:
        return mark_kind::dead;
    case event_state::delivered:
        return mark_kind::delivered;
    case event_state::handed_off:
        return mark_kind::handed_off;
    case event_state::dropped:
        return mark_kind::dropped;
    case event_state::absent:
    case event_state::pending:
    case event_state::sending:
    case event_state::lost:
        break;
    }
    return {};
}

sequence segment::next() const noexcept {
    if (header.sparse) {
        return header.last + 1;
    }
    return header.first + states_.size();
}

std::uint64_t segment::numbers() const noexcept {
    return header.sparse ? header.numbers : states_.size();
}

std::size_t segment::index_from(sequence number) const noexcept {
    if (number <= header.first) {
        return 0;
    }
    if (!header.sparse) {
        return std::min<std::uint64_t>(number - header.first, states_.size());
    }
    if (number > header.last) {
        return states_.size();
    }
    const auto offset = static_cast<std::uint32_t>(number - header.first);
    return static_cast<std::size_t>(std::ranges::lower_bound(numbers_, offset) - numbers_.begin());
}

std::optional<std::size_t> segment::index_of(sequence number) const noexcept {
    const std::size_t index = index_from(number);
    if (number < header.first || index >= states_.size() || number_at(index) != number) {
        return {};
    }
    return index;
}

sequence segment::number_at(std::size_t index) const noexcept {
    return header.first + (header.sparse ? numbers_[index] : index);
}

void segment::add(sequence number, std::uint8_t lane, std::uint64_t offset, event_state state) {
    if (header.sparse) {
        numbers_.push_back(static_cast<std::uint32_t>(number - header.first));
    } else {
        add_gap(number, event_state::lost);
    }
    push(std::min(lane, last_lane_), state, offset);
}

void segment::add_gap(sequence up_to, event_state gap) {
    while (next() < up_to) {
        push(0, gap, 0);
    }
}

void segment::note_missing(sequence number, mark_kind mark) {
    event_state& state = missing_.try_emplace(number, event_state::pending).first->second;
    state = after(state, mark);
}

void segment::settle_missing() {
    std::uint64_t missing = header.kept - std::min(header.kept, held());
    header.kept -= missing;
    header.removed.accepted += missing;
    for (const auto& [number, state] : missing_) {
        std::uint64_t* const ended = state == event_state::delivered    ? &header.removed.delivered
                                     : state == event_state::handed_off ? &header.removed.handed_off
                                     : state == event_state::dropped    ? &header.removed.dropped
                                                                        : nullptr;
        if (ended != nullptr && missing > 0) {
            ++*ended;
            --missing;
        }
    }
    header.removed.lost += missing;
    missing_.clear();
}

void segment::push(std::uint8_t lane, event_state state, std::uint64_t offset) {
    // A gap has no frame; the next frame that there is serves for its checkpoint too.
    while (offset != 0 && checkpoints_.size() * checkpoint_step <= states_.size()) {
        checkpoints_.push_back(static_cast<std::uint32_t>(offset / 8));
    }
    states_.push_back(static_cast<std::uint8_t>(lane << 3 | static_cast<std::uint8_t>(state)));
    count_state(state, lane, 1);
}

void segment::count_state(event_state state, std::uint8_t lane, int change) noexcept {
    counts_[static_cast<std::size_t>(state)] += static_cast<std::uint64_t>(change);
    if (is_pending(state)) {
        lane_pending_[lane] += static_cast<std::uint64_t>(change);
    }
}

event_state segment::state(sequence number) const noexcept {
    const auto index = index_of(number);
    return index ? static_cast<event_state>(states_[*index] & state_mask) : event_state::absent;
}

std::uint8_t segment::lane(sequence number) const noexcept {
    const auto index = index_of(number);
    return index ? static_cast<std::uint8_t>(states_[*index] >> 3) : std::uint8_t{0};
}

void segment::set_state(sequence number, event_state state) noexcept {
    const auto index = index_of(number);
    if (!index) {
        return;
    }
    std::uint8_t& byte = states_[*index];
    const auto lane = static_cast<std::uint8_t>(byte >> 3);
    count_state(static_cast<event_state>(byte & state_mask), lane, -1);
    count_state(state, lane, 1);
    byte = static_cast<std::uint8_t>(lane << 3 | static_cast<std::uint8_t>(state));
}

template <class Condition>
std::optional<sequence> segment::next_if(sequence from, Condition holds) const noexcept {
    for (std::size_t index = index_from(from); index < states_.size(); ++index) {
        if (holds(static_cast<event_state>(states_[index] & state_mask), states_[index] >> 3)) {
            return number_at(index);
        }
    }
    return {};
}

std::optional<sequence> segment::next_pending(int lane, sequence from) const noexcept {
    return next_if(
        from, [lane](event_state state, int of) { return is_pending(state) && (lane < 0 || of == lane); });
}

std::optional<sequence> segment::next_in_state(event_state state, sequence from) const noexcept {
    return next_if(from, [state](event_state of, int) { return of == state; });
}

std::optional<sequence> segment::next_live(sequence from) const noexcept {
    return next_if(from, [](event_state state, int) { return is_live(state); });
}

std::optional<sequence> segment::next_held(sequence from) const noexcept {
    return next_if(from, [](event_state, int) { return true; });
}

std::uint64_t segment::average_frame() const noexcept {
    const std::uint64_t frames = states_.size() - count(event_state::absent);
    return frames == 0 || end < header_area_bytes ? 0 : (end - header_area_bytes) / frames;
}

std::uint64_t segment::live_bytes() const noexcept {
    return live() * average_frame();
}

std::uint64_t segment::dead_bytes() const noexcept {
    return count(event_state::dead) * average_frame();
}

std::uint64_t segment::offset_before(sequence number) const noexcept {
    const std::size_t step = index_from(number) / checkpoint_step;
    if (checkpoints_.empty()) {
        return end;
    }
    return std::uint64_t{checkpoints_[std::min(step, checkpoints_.size() - 1)]} * 8;
}

tally segment::sum() const noexcept {
    tally out = header.removed;
    tally here;
    for (std::size_t state = 1; state < event_states; ++state) {
        here.accepted += counts_[state];
    }
    here.delivered = count(event_state::delivered);
    here.handed_off = count(event_state::handed_off);
    here.dropped = count(event_state::dropped);
    here.lost = count(event_state::lost);
    out.add(here);
    return out;
}

} // namespace linkrunner::spool
