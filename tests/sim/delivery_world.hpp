// The way of an event from a client's POST to the API, in one simulated world: the real intake, the real
// spool on a simulated disk, the real forwarder and its rules, a scripted API, virtual time. Lives end by a
// crash or by an orderly stop, and the next one goes on with what the disk kept. It watches what must hold at
// every moment, and knows at the end what each side saw.
#pragma once

#include "forward/forwarder.hpp"
#include "intake/service.hpp"
#include "spool/queue.hpp"
#include "support/scripted_upstream.hpp"
#include "support/simulated_disk.hpp"
#include "support/virtual_loop.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::test {

enum class weather : std::uint8_t {
    fine,
    outage,         // 503
    unreachable,    // no connection
    replies_lost,   // counted or not, no answer comes
    errors,         // 500 and 502, counted or not
    throttled,      // 429, Retry-After or not
    wrong_key,      // 401 with any key but the newest
    rejecting_some, // 400 for a few events
    last = rejecting_some
};

struct client_event {
    std::string id;
    std::uint64_t user = 0;
    bool revenue = false;      // lane 0, and ambiguous: dead
    bool accepted = false;     // answered with success: a promise
    bool rejected = false;     // by the API, once
    std::uint32_t posted = 0;  // times
    std::uint32_t counted = 0; // by the API
    std::uint64_t first_counted = 0;
};

class delivery_world {
  public:
    delivery_world(std::uint64_t seed, double rate, double burst);
    ~delivery_world();

    void post_new(std::size_t how_many);
    void post_again(); // what was not answered with success, once more
    void run_for(std::chrono::nanoseconds span);
    bool run_until_empty(std::chrono::nanoseconds at_most);
    void crash();
    void stop_and_start();
    void change_key();

    void set_weather(weather now) { weather_ = now; }
    void fail_disk(bool failing);

    void check(); // the ledger, at any moment
    void check_end();

    std::size_t attempts() const { return attempts_.size(); }
    std::size_t events() const { return events_.size(); }

  private:
    struct life;

    void begin();
    net::answer reply(const net::outgoing& request);
    void count(client_event& event);
    void post(client_event& event);
    std::uint64_t any(std::uint64_t from, std::uint64_t to) {
        return from + random_.next() % (to - from + 1);
    }
    bool chance(unsigned percent) { return any(1, 100) <= percent; }
    void check_rate() const;
    void check_order() const;

    seeded_random random_;
    virtual_clock time_;
    simulated_disk disk_;
    spool::settings spool_;
    intake::settings intake_;
    forward::settings forward_;
    weather weather_ = weather::fine;
    bool may_repeat_ = false; // some answer or mark was lost: what is not revenue may be counted twice
    std::uint64_t key_ = 1;
    std::vector<client_event> events_; // in the order they were first posted
    std::map<std::string, std::size_t> by_id_;
    std::vector<steady_time> attempts_;
    std::uint64_t counted_ = 0;
    std::unique_ptr<life> life_;
};

} // namespace linkrunner::test
