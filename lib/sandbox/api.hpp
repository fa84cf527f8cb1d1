// The fake Linkrunner API without its sockets: one request in, one reply out, and what was received
// remembered. Pure but for its own state; time comes as an argument; single-threaded.
//
// What is checked and answered follows the documentation (docs.linkrunner.io) of capture-event: the header
// linkrunner-key, event_name, user_id or install_instance_id, event_data an object, event_id a string, 1 MB;
// and of capture-payment and remove-payment.
// The order is that of a gateway before a service: method, rate limit, scripted faults, key, content type,
// size, body.
#pragma once

#include "base/endpoint.hpp"
#include "env/clock.hpp"
#include "sandbox/fault.hpp"
#include "sandbox/ledger.hpp"
#include "sandbox/payments.hpp"
#include "sandbox/rate_limit.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::sandbox {

enum class retry_after_kind : std::uint8_t {
    none,
    fixed, // `seconds`
    exact, // the time until a request would pass, rounded up to seconds
    date   // the same as an HTTP date
};

struct parsed_call;

struct api_settings {
    std::string prefix = "/api/v1";
    std::string key; // "": any that is not empty
    int status = 201;
    rate_settings rate;
    retry_after_kind retry_after = retry_after_kind::none; // of its own rate limit
    std::chrono::seconds retry_after_seconds{1};
    std::chrono::seconds clock_skew{0}; // added to the time in answers
    std::size_t keep_events = 10'000;
    std::size_t keep_identities = 4'000'000;
    std::size_t max_body_bytes = 1'000'000;
};

// A request as read from the wire; views live as long as the call.
struct incoming {
    std::string_view method;
    std::string_view target; // path and query
    std::string_view key;    // linkrunner-key
    std::string_view content_type;
    std::string_view body;
    bool oversized = false; // the body was over the limit and not read
};

struct reply {
    int status = 200;
    std::string body;
    std::string headers; // whole lines beside Date, Content-Type, Content-Length, Connection
    std::string content_type = "application/json";
    wall_time at{};
    misbehaviour how;
};

// Sums for GET /summary; the connection's are counted by the server.
struct counters {
    std::uint64_t requests = 0; // to the calls of the API, whatever became of them
    std::map<int, std::uint64_t> answers;
    std::uint64_t unanswered = 0; // ended by hang, reset, close or garbage
    std::uint64_t connections = 0;
    std::uint64_t open_connections = 0;
    std::uint64_t tls_resumed = 0;
    std::uint64_t tls_failed = 0;
};

class api {
  public:
    explicit api(api_settings options);

    // Asked when a connection is accepted and when the headers of a request are read: what to do wrong.
    misbehaviour on_accept(steady_time now);
    std::optional<reply> on_head(const incoming& head, steady_time now, wall_time at);

    reply handle(const incoming& request, steady_time now, wall_time at);

    fault_plan& faults() { return faults_; }
    const ledger& events() const { return events_; }
    const payments& paid() const { return payments_; }
    counters& sums() { return sums_; }
    std::uint64_t peak_per_second() const { return peak_.most_in_a_second(); }
    const api_settings& settings() const { return options_; }
    void set_key(std::string key) { options_.key = std::move(key); }
    void set_rate(const rate_settings& rate);
    void reset(); // forgets events, sums and faults

    // Which call of the API a path is; nothing for others.
    std::optional<endpoint> call_at(std::string_view target) const;

  private:
    reply judge(const incoming& request, const parsed_call& body, const misbehaviour& what, wall_time at);
    int status_of(endpoint path) const;
    reply limited(std::chrono::nanoseconds wait, wall_time at) const;
    reply scripted(const misbehaviour& what, wall_time at) const;
    void finish(reply& answer); // pads and counts it

    api_settings options_;
    rate_limit rate_;
    fault_plan faults_;
    ledger events_;
    payments payments_;
    peak_meter peak_;
    counters sums_;
};

// {"msg": ..., "status": ..., "data": null}, as the API answers.
std::string envelope(int status, std::string_view message);

// What the API says with a status, or the like where its documentation says nothing.
std::string_view message_for(int status) noexcept;

} // namespace linkrunner::sandbox
