// What happens to single events, told as it happens, by the intake and the forwarder. Who is told keeps what
// it needs; texts are valid during the call only. Loop's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::telemetry {

// What is known of an event when it is accepted and somebody follows.
struct event_label {
    std::string event_id;
    std::string name;
    std::string body;
    std::uint8_t lane = 0;
};

struct event_view {
    std::uint64_t number = 0; // accept number
    std::uint8_t lane = 0;
    std::chrono::sys_time<std::chrono::milliseconds> accepted_at{};
    std::string_view event_id;
    std::string_view name;
    std::string_view body;
};

struct attempt_view {
    std::uint32_t number = 1; // of the event's attempts
    std::string_view outcome; // as in linkrunnerd_attempts_total
    int status = 0;           // 0: there was no answer
    std::chrono::nanoseconds duration{};
    std::string_view answer; // its beginning, or the error; of failed ones
    bool ambiguous = false;
};

class activity {
  public:
    virtual ~activity() = default;

    // Whether acceptances are to be told with labels: they cost a copy each.
    virtual bool followed() const = 0;

    virtual void accepted(std::uint64_t number, std::string_view listener, const event_label* label) = 0;
    // An attempt failed, and the event waits for another one.
    virtual void failed(const event_view& event, const attempt_view& how,
                        std::optional<std::chrono::milliseconds> next_in) = 0;
    // An attempt succeeded. `end`: "delivered", "handed_off" to another linkrunnerd, or "dropped" by a rule
    // of that one.
    virtual void succeeded(const event_view& event, const attempt_view& how, std::string_view end) = 0;
    // `how`: its last attempt, if it died of one.
    virtual void dead(const event_view& event, std::string_view reason, const attempt_view* how) = 0;
};

} // namespace linkrunner::telemetry
