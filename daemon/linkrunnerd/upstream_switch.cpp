#include "upstream_switch.hpp"

#include <utility>

namespace linkrunner::daemon {

upstream_switch::upstream_switch(loop& owner, std::unique_ptr<net::client> first) : owner_(owner) {
    lines_.push_back({std::move(first)});
}

void upstream_switch::change(std::unique_ptr<net::client> next) {
    const place former = std::prev(lines_.end());
    lines_.push_back({std::move(next)});
    if (former->in_hand == 0) {
        retire(former);
    }
}

void upstream_switch::send(net::outgoing request, std::function<void(net::answer)> done) {
    const place where = std::prev(lines_.end());
    ++where->in_hand;
    where->to->send(std::move(request), [this, where, done = std::move(done)](net::answer how) {
        ended(where);
        done(std::move(how));
    });
}

void upstream_switch::ended(place where) {
    --where->in_hand;
    if (where->in_hand == 0 && where != std::prev(lines_.end())) {
        retire(where);
    }
}

// Later: it may be the client's own call that we are in.
void upstream_switch::retire(place where) {
    owner_.post([this, where] {
        where->to->stop();
        lines_.erase(where);
    });
}

void upstream_switch::stop() {
    for (const line& each : lines_) {
        each.to->stop();
    }
}

std::size_t upstream_switch::open_connections() const {
    std::size_t out = 0;
    for (const line& each : lines_) {
        out += each.to->open_connections();
    }
    return out;
}

} // namespace linkrunner::daemon
