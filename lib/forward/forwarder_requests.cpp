// Requests to another linkrunnerd, which carry many events each.
#include "forward/item.hpp"
#include "forward/relay.hpp"

#include <utility>

namespace linkrunner::forward {

void forwarder::begin_request(const delivery::send_event& first) {
    std::vector<spool::sequence> numbers;
    std::string lines;
    std::optional<delivery::send_event> what = first;
    while (what && take_off(*what)) {
        append_relayed(lines, items_.at(what->number)->event, ports_.queue.hash_seed());
        numbers.push_back(what->number);
        what = lines.size() < options_.request_bytes
                   ? scheduler_->next_along(what->number, numbers.size(), ports_.time.steady(),
                                            ports_.time.wall())
                   : std::nullopt;
    }
    if (numbers.empty()) {
        return;
    }
    ports_.upstream.send(
        relay_request(std::move(lines), secret_, ports_.queue.hash_seed()),
        [this, numbers = std::move(numbers)](const net::answer& how) { request_ended(numbers, how); });
}

// The scheduler is told the ends of all events of the request with nothing in between.
void forwarder::request_ended(const std::vector<spool::sequence>& numbers, const net::answer& how) {
    if (how.failure == net::transport_error::stopped) {
        for (const spool::sequence number : numbers) {
            not_begun(number);
        }
        check_drained();
        return;
    }
    in_flight_ -= numbers.size();
    for (const spool::sequence number : numbers) {
        items_.at(number)->in_flight = false;
    }
    const auto results = results_of(how, numbers.size());
    const net::answer whole = results ? how : without_unknown_success(how);
    account(whole);
    if (!results && numbers.size() > 1 && delivery::may_blame_one(facts_of(whole))) {
        scheduler_->refused_together(numbers);
    } else {
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            results ? settle(numbers[i], (*results)[i].how, (*results)[i].filtered)
                    : settle(numbers[i], whole);
        }
    }
    pump();
    check_drained();
}

} // namespace linkrunner::forward
