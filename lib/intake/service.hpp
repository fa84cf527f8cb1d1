// The intake: HTTP requests become events in the spool, and get their answers. Lives on the loop's thread and
// outlives the servers that call it. An answer of success is given only after the spool's.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "event/event.hpp"
#include "event/lanes.hpp"
#include "intake/batch_report.hpp"
#include "intake/post_options.hpp"
#include "intake/settings.hpp"
#include "intake/turns.hpp"
#include "intake/waiters.hpp"
#include "net/message.hpp"
#include "spool/queue.hpp"
#include "telemetry/activity.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace_ids.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::intake {

struct accepted_event;

// What the intake works with; all of it outlives the service.
struct ports {
    spool::queue& queue;
    loop& owner;
    const clock& time;
    event::id_source& ids;
    telemetry::metrics& metrics;
    // How long an event accepted now into this lane will wait; nothing when that cannot be said.
    std::function<std::optional<std::chrono::milliseconds>(std::uint8_t lane)> forecast;
    // Called when may_read() has become true again.
    std::function<void()> resume_reading;
    telemetry::trace_ids* traces = nullptr;  // of the events accepted; may be null
    telemetry::activity* activity = nullptr; // told of each acceptance
};

class service final : public net::request_handler {
  public:
    service(settings options, std::string server_key, ports with);

    std::optional<net::response> refuse_early(net::request& head) override;
    void handle(net::request& whole, net::responder answer) override;
    net::response protocol_error(int status, std::string_view code, std::string_view message) override;
    bool may_read() override;

    void set_server_key(std::string key) { server_key_ = std::move(key); }
    void set_token(std::string token) { options_.token = std::move(token); }

    // Other settings from now on; batches under way end as they began.
    void change(settings options);

    // From now on events are refused as `draining`, and everybody who waits is answered; or no longer.
    void drain(bool draining = true);

    // The process stops, but events are taken to its end: everybody who waits for the end of an event is
    // answered, now and from now on.
    void stop_waiting();

  private:
    struct post; // one POST on its way to its answer
    using post_ptr = std::shared_ptr<post>;

    void inflate(const post_ptr& work, std::string compressed);
    void accept_body(const post_ptr& work, std::string body);
    void accept_one(const post_ptr& work, std::string_view text);
    std::string stamp_of(const post_ptr& work) const;
    int success_of(const route& where) const;
    void accept_batch(const post_ptr& work, std::string body, event::batch_format format);
    void append_batch(const post_ptr& work, const std::shared_ptr<batch>& items);
    void one_appended(const post_ptr& work, const accepted_event& one, const spool::appended& how);
    void batch_appended(const post_ptr& work, const std::shared_ptr<batch>& whole,
                        std::vector<spool::appended> outcomes);
    void batch_settled(const post_ptr& work, const std::shared_ptr<batch>& whole, batch_report made,
                       const std::vector<spool::appended>& outcomes);
    void wait_for_end(const post_ptr& work, std::vector<spool::sequence> numbers,
                      std::function<net::response(const waiters::ends&)> respond);

    std::vector<telemetry::event_label> labels_of(const std::vector<spool::new_event>& events) const;
    void tell(const post_ptr& work, const std::vector<telemetry::event_label>& labels,
              const std::vector<spool::appended>& outcomes);
    void appended(const post_ptr& work);
    void remember_trace(const post_ptr& work, const spool::appended& how);
    void count(const std::vector<event::finding>& findings);
    void refuse(const post_ptr& work, net::response answer, std::string_view code);
    void refuse(const post_ptr& work, const event::violation& why);
    void refuse_append(const post_ptr& work, const error& failure);
    void answer(const post_ptr& work, net::response with);
    spool::new_event to_stored(event::event parsed, const post& work) const;

    settings options_;
    std::string server_key_;
    ports ports_;
    event::lane_rules lanes_;
    std::shared_ptr<const event::policy> rules_; // shared with the batches under way
    event::parse_options parse_;                 // `now` is that of the request at hand
    const std::string spool_name_;
    turns inflations_;
    waiters waiters_;
    bool draining_ = false;
    bool waiting_stopped_ = false;
    bool reading_stopped_ = false;
};

} // namespace linkrunner::intake
