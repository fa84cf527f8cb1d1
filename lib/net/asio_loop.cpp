#include "net/asio_loop.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

namespace linkrunner::net {
namespace {

using boost::system::error_code;
using executor = boost::asio::io_context::executor_type;
using asio_timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, executor>;
using asio_signals = boost::asio::basic_signal_set<executor>;

struct heap_entry {
    steady_time when;
    loop::timer_id id;
};

// The heap's top is the earliest; of two at the same time the one that was set first.
bool later(const heap_entry& left, const heap_entry& right) {
    return std::pair(left.when, left.id) > std::pair(right.when, right.id);
}

} // namespace

struct asio_loop::timers {
    explicit timers(boost::asio::io_context& context) : alarm(context) {}

    loop::timer_id add(steady_time when, task work) {
        const auto id = next_id++;
        tasks.emplace(id, std::move(work));
        heap.push_back({when, id});
        std::push_heap(heap.begin(), heap.end(), later);
        arm();
        return id;
    }

    void forget(loop::timer_id id) {
        if (tasks.erase(id) == 0) {
            return;
        }
        if (tasks.empty()) { // otherwise the alarm would keep run() waiting for nothing
            heap.clear();
            armed = steady_time::max();
            alarm.cancel();
        } else if (heap.size() > 64 && heap.size() > 2 * tasks.size()) {
            std::erase_if(heap, [this](const heap_entry& entry) { return !tasks.contains(entry.id); });
            std::make_heap(heap.begin(), heap.end(), later);
        }
    }

    void drop_cancelled() {
        while (!heap.empty() && !tasks.contains(heap.front().id)) {
            std::pop_heap(heap.begin(), heap.end(), later);
            heap.pop_back();
        }
    }

    // An alarm that rings too early (its timer was cancelled) is cheaper than one moved at each cancel().
    void arm() {
        drop_cancelled();
        if (heap.empty() || ringing || armed <= heap.front().when) {
            return;
        }
        armed = heap.front().when;
        alarm.expires_at(armed);
        alarm.async_wait([this](error_code failure) {
            if (failure != boost::asio::error::operation_aborted) {
                ring();
            }
        });
    }

    // Timers set by the tasks of this round wait for the next one, so that they cannot starve the sockets.
    void ring() {
        ringing = true;
        armed = steady_time::max();
        const auto now = std::chrono::steady_clock::now();
        const auto end = next_id;
        for (drop_cancelled(); !heap.empty() && heap.front().when <= now && heap.front().id < end;
             drop_cancelled()) {
            const auto found = tasks.find(heap.front().id);
            const auto work = std::move(found->second);
            tasks.erase(found);
            std::pop_heap(heap.begin(), heap.end(), later);
            heap.pop_back();
            work();
        }
        ringing = false;
        arm();
    }

    asio_timer alarm;
    steady_time armed = steady_time::max();
    bool ringing = false;
    std::vector<heap_entry> heap;
    std::unordered_map<loop::timer_id, task> tasks;
    loop::timer_id next_id = 1;
};

struct asio_loop::signals {
    struct watch {
        explicit watch(boost::asio::io_context& context) : set(context) {}
        void wait() {
            set.async_wait([this](error_code failure, int number) {
                if (!failure) {
                    told(number);
                    wait();
                }
            });
        }
        asio_signals set;
        std::function<void(int)> told;
    };
    std::vector<std::unique_ptr<watch>> watches;
};

asio_loop::asio_loop() : timers_(std::make_unique<timers>(context_)), signals_(std::make_unique<signals>()) {}

asio_loop::~asio_loop() = default;

void asio_loop::post(task work) {
    boost::asio::post(context_, std::move(work));
}

loop::timer_id asio_loop::call_at(steady_time when, task work) {
    return timers_->add(when, std::move(work));
}

void asio_loop::cancel(timer_id id) {
    timers_->forget(id);
}

void asio_loop::run() {
    context_.run();
    context_.restart();
}

void asio_loop::stop() {
    context_.stop();
}

void asio_loop::on_signals(std::initializer_list<int> numbers, std::function<void(int)> told) {
    auto added = std::make_unique<signals::watch>(context_);
    for (const int number : numbers) {
        added->set.add(number);
    }
    added->told = std::move(told);
    added->wait();
    signals_->watches.push_back(std::move(added));
}

} // namespace linkrunner::net
