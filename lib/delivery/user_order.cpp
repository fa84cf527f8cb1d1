#include "delivery/user_order.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace linkrunner::delivery {

void user_order::read_begins(sequence from) {
    reading_from_ = from;
    ++read_;
}

bool user_order::can_use_more(std::uint64_t user) const {
    const auto found = lines_.find(user);
    return found == lines_.end() ||
           (!found->second.resting && found->second.behind.size() <= by_.behind_head / 4);
}

// Keeps wanted_ in step with what can be said of the user now.
void user_order::refresh(std::uint64_t user) {
    const auto found = unread_.find(user);
    if (found == unread_.end()) {
        return;
    }
    const bool wanted = can_use_more(user);
    if (wanted != found->second.wanted) {
        found->second.wanted = wanted;
        if (wanted) {
            wanted_.emplace(found->second.from, user);
        } else {
            wanted_.erase({found->second.from, user});
        }
    }
}

void user_order::set_from(std::uint64_t user, sequence from) {
    unread& entry = unread_[user];
    if (entry.wanted) {
        wanted_.erase({entry.from, user});
        wanted_.emplace(from, user);
    }
    entry.from = from;
    refresh(user);
}

user_order::place user_order::offer(std::uint64_t user, sequence number) {
    const auto known = unread_.find(user);
    if (known != unread_.end() && number >= known->second.from) {
        // The user's next event only if this read has shown all from there to here, and none was passed over.
        const bool next = reading_from_ <= known->second.from && known->second.passed_in != read_;
        if (!next) {
            return pass(user, number);
        }
    }
    const auto found = lines_.find(user);
    if (found != lines_.end() && (found->second.resting || found->second.behind.size() >= by_.behind_head)) {
        return pass(user, number);
    }
    return take(user, number);
}

user_order::place user_order::pass(std::uint64_t user, sequence number) {
    const auto known = unread_.find(user);
    if (known == unread_.end() && full()) {
        return place::no_room;
    }
    const sequence from = known == unread_.end() ? number : std::min(known->second.from, number);
    set_from(user, from);
    unread_[user].passed_in = read_;
    return place::passed;
}

user_order::place user_order::take(std::uint64_t user, sequence number) {
    line& one = lines_[user];
    place out = place::head;
    if (one.head == 0) {
        one.head = number;
    } else {
        one.behind.insert(std::ranges::lower_bound(one.behind, number), number);
        ++behind_;
        out = place::behind;
    }
    const auto known = unread_.find(user);
    if (known != unread_.end() && number >= known->second.from) {
        set_from(user, number + 1);
    } else {
        refresh(user);
    }
    return out;
}

void user_order::read_ends(sequence next, sequence frontier) {
    std::vector<std::uint64_t> done;
    for (auto it = wanted_.lower_bound({reading_from_, 0}); it != wanted_.end() && it->first < next; ++it) {
        if (unread_.at(it->second).passed_in != read_) {
            done.push_back(it->second);
        }
    }
    for (const std::uint64_t user : done) {
        set_from(user, next);
    }
    while (!wanted_.empty() && wanted_.rbegin()->first >= frontier) {
        unread_.erase(wanted_.rbegin()->second);
        wanted_.erase(std::prev(wanted_.end()));
    }
}

std::vector<sequence> user_order::rest(std::uint64_t user) {
    line& one = lines_[user];
    one.resting = true;
    std::vector<sequence> forgotten = std::exchange(one.behind, {});
    behind_ -= forgotten.size();
    if (!forgotten.empty()) {
        const auto known = unread_.find(user);
        set_from(user, known == unread_.end() ? forgotten.front()
                                              : std::min(known->second.from, forgotten.front()));
    }
    refresh(user);
    return forgotten;
}

void user_order::wake(std::uint64_t user) {
    lines_[user].resting = false;
    refresh(user);
}

std::optional<sequence> user_order::remove(std::uint64_t user, sequence number) {
    const auto found = lines_.find(user);
    if (found == lines_.end()) {
        return std::nullopt;
    }
    line& one = found->second;
    if (one.head != number) {
        const auto gone = std::ranges::lower_bound(one.behind, number);
        if (gone != one.behind.end() && *gone == number) {
            one.behind.erase(gone);
            --behind_;
        }
        refresh(user);
        return std::nullopt;
    }
    std::optional<sequence> next;
    one.resting = false;
    if (one.behind.empty()) {
        lines_.erase(found);
    } else {
        next = one.behind.front();
        one.head = *next;
        one.behind.erase(one.behind.begin());
        --behind_;
    }
    refresh(user);
    return next;
}

bool user_order::is_head(std::uint64_t user, sequence number) const {
    const auto found = lines_.find(user);
    return found != lines_.end() && found->second.head == number;
}

bool user_order::is_behind(std::uint64_t user, sequence number) const {
    const auto found = lines_.find(user);
    return found != lines_.end() && std::ranges::binary_search(found->second.behind, number);
}

std::optional<sequence> user_order::after(std::uint64_t user, sequence number) const {
    const auto found = lines_.find(user);
    if (found == lines_.end()) {
        return std::nullopt;
    }
    const auto next = std::ranges::upper_bound(found->second.behind, number);
    return next == found->second.behind.end() ? std::nullopt : std::optional(*next);
}

std::optional<sequence> user_order::read_again() const {
    return wanted_.empty() ? std::nullopt : std::optional(wanted_.begin()->first);
}

} // namespace linkrunner::delivery
