#include "intake/waiters.hpp"

namespace linkrunner::intake {

std::string_view word_for_end(spool::mark_kind how) {
    switch (how) {
    case spool::mark_kind::delivered:
        return "delivered";
    case spool::mark_kind::dead:
        return "dead";
    case spool::mark_kind::handed_off:
        return "handed_off";
    default:
        return "dropped";
    }
}

struct waiters::waiter {
    std::function<bool()> cares;
    std::function<void(const ends&)> done;
    ends known;
    std::vector<spool::watch_id> watches;
    std::size_t open = 0;
    bool complete = false; // all watches are placed: the last end may finish it
    loop::timer_id timer = 0;
};

waiters::waiters(spool::queue& queue, loop& owner, const clock& time, std::size_t limit)
    : queue_(queue), loop_(owner), clock_(time), limit_(limit) {}

waiters::~waiters() = default;

bool waiters::wait(std::vector<spool::sequence> numbers, std::chrono::milliseconds timeout,
                   std::function<bool()> cares, std::function<void(const ends&)> done) {
    if (watched_ + numbers.size() > limit_) {
        forget_the_gone();
    }
    if (watched_ + numbers.size() > limit_) {
        return false;
    }
    const std::uint64_t id = next_id_++;
    waiter& entry = *(waiting_[id] = std::make_unique<waiter>());
    entry.cares = std::move(cares);
    entry.done = std::move(done);
    entry.known.resize(numbers.size());
    entry.open = numbers.size();
    watched_ += numbers.size();
    entry.watches.reserve(numbers.size());
    for (std::size_t index = 0; index < numbers.size(); ++index) {
        entry.watches.push_back(
            queue_.watch(numbers[index], [this, id, index](spool::mark_kind how) { ended(id, index, how); }));
    }
    entry.complete = true;
    if (entry.open == 0) {
        finish(id);
    } else {
        entry.timer = loop_.call_at(clock_.steady() + timeout, [this, id] { finish(id); });
    }
    return true;
}

void waiters::ended(std::uint64_t id, std::size_t index, spool::mark_kind how) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) {
        return;
    }
    waiter& entry = *found->second;
    if (!entry.known[index]) {
        entry.known[index] = how;
        --entry.open;
    }
    if (entry.open == 0 && entry.complete) {
        finish(id);
    }
}

void waiters::finish(std::uint64_t id) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) {
        return;
    }
    const std::unique_ptr<waiter> entry = std::move(found->second);
    waiting_.erase(found);
    watched_ -= entry->known.size();
    for (const spool::watch_id watch : entry->watches) {
        queue_.unwatch(watch);
    }
    if (entry->timer != 0) {
        loop_.cancel(entry->timer);
    }
    entry->done(entry->known);
}

void waiters::forget_the_gone() {
    std::vector<std::uint64_t> gone;
    for (const auto& [id, entry] : waiting_) {
        if (!entry->cares()) {
            gone.push_back(id);
        }
    }
    for (const std::uint64_t id : gone) {
        finish(id);
    }
}

void waiters::release_all() {
    while (!waiting_.empty()) {
        finish(waiting_.begin()->first);
    }
}

} // namespace linkrunner::intake
