#include "delivery/lane_reader.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::delivery {

std::optional<lane_reader::plan> lane_reader::next(std::optional<sequence> again, bool forward) const {
    const bool ahead = forward && !at_end_;
    if (again && (!ahead || !again_last_)) {
        return plan{*again, true};
    }
    if (ahead) {
        return plan{frontier_, false};
    }
    return std::nullopt;
}

void lane_reader::begins(const plan& what) {
    reading_ = true;
    again_last_ = what.again;
    from_ = what.from;
    stored_meanwhile_ = false;
    cut_.reset();
    replayed_.reset();
}

void lane_reader::cut_at(sequence number) {
    if (!cut_) {
        cut_ = number;
    }
}

sequence lane_reader::ended(sequence next, bool at_end) {
    if (cut_) {
        frontier_ = from_ <= frontier_ ? std::max(frontier_, *cut_) : frontier_;
        at_end_ = false;
    } else if (from_ <= frontier_ && next >= frontier_) {
        frontier_ = next;
        at_end_ = at_end && !stored_meanwhile_;
    }
    if (replayed_) {
        frontier_ = std::min(frontier_, *replayed_);
        at_end_ = false;
    }
    const sequence shown = cut_ ? std::min(*cut_, next) : next;
    reading_ = false;
    cut_.reset();
    replayed_.reset();
    gone_before_ = std::exchange(gone_now_, {});
    return shown;
}

void lane_reader::gone_elsewhere(sequence number) {
    if (reading_) {
        gone(number);
    }
}

void lane_reader::stored() {
    at_end_ = false;
    stored_meanwhile_ = true;
}

void lane_reader::replayed(sequence number) {
    gone_now_.erase(number);
    gone_before_.erase(number);
    frontier_ = std::min(frontier_, number);
    at_end_ = false;
    replayed_ = std::min(replayed_.value_or(number), number);
}

} // namespace linkrunner::delivery
