// The memory that large bodies share. Room-internal.
//
// A body's share is taken in one go before its bytes are read, so that bodies in hand never wait for each
// other. Those that must wait get theirs in the order in which they came.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace linkrunner::net {

class body_pool {
  public:
    explicit body_pool(std::uint64_t bytes) : size_(bytes), free_(bytes) {}

    // What a body of that size takes: never more than there is.
    std::uint64_t share_of(std::uint64_t bytes) const { return std::min(bytes, size_); }

    bool take(std::uint64_t share) {
        if (!waiting_.empty() || share > free_) {
            return false;
        }
        free_ -= share;
        return true;
    }

    // `granted` is called, with the share taken, when it can be had. `who` is for forget().
    void wait(const void* who, std::uint64_t share, std::function<void()> granted) {
        waiting_.push_back({who, share, std::move(granted)});
    }

    void forget(const void* who) {
        std::erase_if(waiting_, [who](const waiter& each) { return each.who == who; });
        grant();
    }

    void give_back(std::uint64_t share) {
        free_ += share;
        grant();
    }

  private:
    struct waiter {
        const void* who;
        std::uint64_t share;
        std::function<void()> granted;
    };

    void grant() {
        while (!waiting_.empty() && waiting_.front().share <= free_) {
            auto next = std::move(waiting_.front());
            waiting_.pop_front();
            free_ -= next.share;
            next.granted();
        }
    }

    std::uint64_t size_, free_;
    std::deque<waiter> waiting_;
};

} // namespace linkrunner::net
