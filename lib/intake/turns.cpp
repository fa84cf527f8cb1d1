#include "intake/turns.hpp"

#include <deque>
#include <utility>

namespace linkrunner::intake {

struct turns::line {
    loop& owner;
    std::size_t free;
    std::deque<std::function<void(turn)>> waiting;
};

turns::turns(loop& owner, std::size_t most_at_once)
    : line_(std::make_shared<line>(line{owner, most_at_once, {}})) {}

void turns::wait(std::function<void(turn)> begin) {
    line_->waiting.push_back(std::move(begin));
    next(line_);
}

void turns::next(const std::shared_ptr<line>& all) {
    if (all->free == 0 || all->waiting.empty()) {
        return;
    }
    --all->free;
    const auto begin = std::move(all->waiting.front());
    all->waiting.pop_front();
    begin(turn(static_cast<void*>(nullptr), [known = std::weak_ptr<line>(all)](void*) {
        if (const auto still = known.lock()) {
            ++still->free;
            still->owner.post([known] {
                if (const auto there = known.lock()) {
                    next(there);
                }
            });
        }
    }));
}

} // namespace linkrunner::intake
