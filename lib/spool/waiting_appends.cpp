#include "spool/waiting_appends.hpp"

#include <algorithm>
#include <iterator>

namespace linkrunner::spool {

namespace {

constexpr std::chrono::seconds longest_wait(1);

template <class T>
void move_all(std::vector<T>& from, std::vector<T>& into) {
    into.insert(into.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    from.clear();
}

} // namespace

void waiting_appends::add(round& job) {
    move_all(job.appends, jobs_);
    move_all(job.appended, callbacks_);
}

void waiting_appends::give_back(round& job) {
    waited_ = !jobs_.empty();
    add(job);
    job.appends = std::exchange(jobs_, {});
    job.appended = std::exchange(callbacks_, {});
}

void waiting_appends::take(round& job, steady_time now) {
    if (std::ranges::none_of(job.appends, &append_job::waits)) {
        return;
    }
    round others; // those that are answered
    for (std::size_t index = 0; index < job.appends.size(); ++index) {
        const bool waits = std::exchange(job.appends[index].waits, false);
        (waits ? jobs_ : others.appends).push_back(std::move(job.appends[index]));
        (waits ? callbacks_ : others.appended).push_back(std::move(job.appended[index]));
    }
    job.appends = std::move(others.appends);
    job.appended = std::move(others.appended);
    if (!waited_ || !job.appends.empty()) {
        until_ = now + longest_wait;
    }
}

} // namespace linkrunner::spool
