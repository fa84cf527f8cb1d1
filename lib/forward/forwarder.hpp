// The shell round the scheduler (lib/delivery): reads waiting events from the queue in batches, sends what
// the scheduler names, reports how it ended, and records the end as a mark. It decides nothing about delivery
// itself. Sends to the Linkrunner API, an event each request, or to another linkrunnerd, many (relay.hpp).
// Lives on the loop's thread. Memory is bounded: the scheduler's window of events, and `max_held_bytes` of
// bodies.
#pragma once

#include "delivery/scheduler.hpp"
#include "env/clock.hpp"
#include "env/loop.hpp"
#include "env/random.hpp"
#include "net/client.hpp"
#include "spool/queue.hpp"
#include "telemetry/activity.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace_ids.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace linkrunner::forward {

struct settings {
    delivery::settings delivery;
    std::size_t read_events = 256;         // of one read from the queue
    std::size_t read_bytes = 1 << 20;      // likewise
    std::size_t max_held_bytes = 16 << 20; // bodies in memory, beyond which nothing more is read
    // The upstream is another linkrunnerd: what it has taken over ends as handed_off.
    bool to_forwarder = false;
    std::size_t request_bytes = 512 << 10; // to it: beyond them nothing is added to a request
    // Max_age of the events of a name where it is not delivery.max_age: delivery::age_off, or nothing. May be
    // empty.
    std::function<std::optional<std::chrono::milliseconds>(std::string_view)> max_age_of;
};

// What the forwarder works with; all of it outlives the forwarder.
struct ports {
    spool::queue& queue;
    net::client& upstream;
    loop& owner;
    const clock& time;
    random_source& random;
    telemetry::metrics& metrics;
    telemetry::trace_ids* traces =
        nullptr; // for log lines; those of events that have ended are forgotten; may be null
    telemetry::activity* activity = nullptr; // told of each attempt and end
};

// The last failed attempt, for people.
struct last_error {
    wall_time at{};
    std::string what; // "401 {\"msg\": ...}" or "connect to ...: Connection refused"
};

class forwarder {
  public:
    // `secret` opens the upstream: the server key, or the token of another linkrunnerd.
    forwarder(settings options, std::string secret, ports with);
    ~forwarder();

    // Begins to deliver; call once.
    void start();

    // Other settings of delivery from now on (scheduler::change() says which stay).
    void change(const settings& options);

    // Holds for authorization are probed at once with the new one.
    void set_secret(std::string secret);
    // Every hold is probed at once.
    void probe_holds();

    // An operator's: nothing is sent while it is paused; a rate takes the place of the configured one,
    // nothing gives that back; draining is only shown.
    void pause(bool paused);
    bool paused() const { return paused_; }
    void limit_rate(std::optional<double> per_second);
    std::optional<double> rate_limit() const { return rate_limit_; }
    void show_draining(bool draining);

    // Dead letters that an operator made pending again; to be told of each.
    void replayed(const std::vector<std::pair<std::uint8_t, spool::sequence>>& lanes_and_numbers);

    // Delivers on until nothing waits, or nothing can be delivered before `no_more_after`, or that time has
    // come; from then on no attempt begins. `idle` is called when none is in flight any more.
    void drain(steady_time no_more_after, std::function<void()> idle);

    // No attempt begins any more; answers of attempts in flight are still recorded. Idempotent.
    void stop();

    delivery::scheduler::view view() const;
    std::optional<std::chrono::milliseconds> forecast(std::uint8_t lane) const;
    const std::optional<last_error>& error() const { return error_; }
    bool is_in_flight(spool::sequence number) const;

  private:
    struct item;

    void pump();
    void read_more();
    void read_lane(std::uint8_t lane);
    void take(std::uint8_t lane, spool::batch batch);
    void keep(spool::stored_event event);
    std::vector<spool::sequence> hold_back(spool::sequence first, spool::sequence last);
    void let_go(spool::sequence first, spool::sequence last, const std::vector<spool::sequence>& gone);
    void dismiss();
    void begin(const delivery::send_event& what);
    void send(spool::sequence number);
    void ended(spool::sequence number, const net::answer& how);
    bool take_off(const delivery::send_event& what);
    void not_begun(spool::sequence number);
    void begin_request(const delivery::send_event& first);
    void request_ended(const std::vector<spool::sequence>& numbers, const net::answer& how);
    void account(const net::answer& how);
    void settle(spool::sequence number, const net::answer& how, bool filtered = false);
    void log_attempt(const item& tried, const delivery::attempt_end& facts, const net::answer& how) const;
    std::string_view trace_of(spool::sequence number) const;
    void forget_trace(spool::sequence number);
    void conclude(spool::sequence number, const delivery::verdict& verdict, bool filtered);
    void leave(const item& done, bool filtered);
    std::string excerpt_of(const net::answer& how) const;
    void not_counted(item& tried);
    void bury(const item& dead, const delivery::verdict& verdict);
    void bury_removal(const item& dead, const delivery::verdict& verdict);
    void tell(const item& tried, const telemetry::attempt_view& how, const delivery::verdict& verdict,
              bool filtered);
    void forget(spool::sequence number);
    void record(spool::mark mark);
    void flush_marks();
    void arm();
    void tell_state();
    void check_drained();

    settings options_;
    std::string secret_;
    std::string former_secret_;
    ports ports_;
    std::unique_ptr<delivery::scheduler> scheduler_;
    std::unordered_map<spool::sequence, std::unique_ptr<item>> items_;
    std::size_t held_bytes_ = 0;
    std::array<bool, spool::max_lanes> reading_{};
    std::vector<spool::mark> marks_; // of this turn of the loop, recorded together
    loop::timer_id timer_ = 0;
    steady_time timer_at_{};
    std::size_t in_flight_ = 0;
    bool started_ = false;
    bool stopped_ = false;
    bool paused_ = false;
    std::optional<double> rate_limit_;
    std::function<void()> idle_;
    steady_time drain_end_{};
    delivery::upstream_state told_ = delivery::upstream_state::healthy;
    std::optional<last_error> error_;
};

} // namespace linkrunner::forward
