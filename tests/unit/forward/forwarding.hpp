// A forwarder between a queue in memory and an upstream that follows a script, on virtual time.
#pragma once

#include "forward/forwarder.hpp"
#include "support/memory_queue.hpp"
#include "support/scripted_upstream.hpp"
#include "support/virtual_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace linkrunner::forward {

using namespace std::chrono_literals;
using test::scripted_upstream;

struct forwarding : testing::Test {
    test::virtual_clock time;
    test::virtual_loop owner{time};
    test::memory_queue queue{owner};
    scripted_upstream upstream{owner, time};
    seeded_random random{1};
    telemetry::metrics metrics;
    settings options;
    std::string secret = "key-1";
    std::unique_ptr<forwarder> made;

    forwarding() {
        options.delivery.rate_per_second = 100;
        options.delivery.lanes = {{"revenue", 8, {}, false}, {"default", 1, {"*"}, false}};
    }

    forwarder& subject() {
        if (!made) {
            made = std::make_unique<forwarder>(options, secret,
                                               ports{queue, upstream, owner, time, random, metrics});
            made->start();
        }
        return *made;
    }

    void accept(int count, std::uint8_t lane = 1, bool ambiguous_dead = false, const char* name = "e") {
        std::vector<spool::new_event> events;
        for (int i = 0; i < count; ++i) {
            spool::new_event event;
            const std::string id = std::to_string(++accepted_);
            event.lane = lane;
            event.ambiguous_dead = ambiguous_dead;
            event.accepted_at = time.wall();
            event.user_key = static_cast<std::uint64_t>(accepted_);
            event.identity = {0, static_cast<std::uint64_t>(accepted_)};
            event.name = name;
            event.event_id = id;
            event.body = "{\"event_id\":\"" + id + "\"}";
            events.push_back(std::move(event));
        }
        queue.append(std::move(events), [](const auto&) {});
        owner.run_ready();
    }

    std::size_t ended(spool::mark_kind how) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(queue.ends, [&](const auto& each) { return each.second == how; }));
    }

  private:
    int accepted_ = 0;
};

} // namespace linkrunner::forward
