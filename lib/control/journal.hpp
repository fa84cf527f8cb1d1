// The stories of events: what `tail` follows and `explain` tells. Remembers the last 10,000 events that ended
// and the failed attempts of as many that wait; in memory only, some 350 bytes for an event, about 4 MiB when
// full, at most about 8 MiB. Lives on the loop's thread.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "net/message.hpp"
#include "telemetry/activity.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace linkrunner::control {

enum class event_end : std::uint8_t { none, delivered, handed_off, dropped, dead };

const char* word_for(event_end how) noexcept;

struct attempt_note {
    wall_time at{}; // when it ended
    std::uint32_t number = 0;
    int status = 0;
    std::chrono::milliseconds duration{};
    bool ambiguous = false;
    std::string outcome;
    std::string answer;
};

struct story {
    std::uint64_t number = 0;
    wall_time accepted_at{};
    wall_time ended_at{};
    std::optional<wall_time> next_attempt; // of one that waits
    std::vector<attempt_note> attempts;    // the last ones
    std::string event_id, name;
    std::string reason; // of a death
    std::uint8_t lane = 0;
    event_end end = event_end::none;
};

// What a follower wants to see; what is empty lets all through.
struct follow_filter {
    bool accepted = true, delivered = true, dead = true, failed = false; // delivered: or handed off
    std::string name, user, event_id;
};

class journal final : public telemetry::activity {
  public:
    static constexpr std::size_t most_ended = 10'000;
    static constexpr std::size_t most_waiting = 10'000;
    static constexpr std::size_t most_attempts = 8;         // of one event
    static constexpr std::size_t most_text_bytes = 2 << 20; // of all that ended, and of all that wait
    static constexpr std::size_t most_followers = 8;
    static constexpr std::size_t most_unsent_bytes = 256 << 10; // of a follower: beyond it, lines are lost

    // `lanes`: their names.
    journal(loop& owner, const clock& time, std::vector<std::string> lanes);
    ~journal() override;

    bool followed() const override { return !followers_.empty(); }
    void accepted(std::uint64_t number, std::string_view listener,
                  const telemetry::event_label* label) override;
    void failed(const telemetry::event_view& event, const telemetry::attempt_view& how,
                std::optional<std::chrono::milliseconds> next_in) override;
    void succeeded(const telemetry::event_view& event, const telemetry::attempt_view& how,
                   std::string_view end) override;
    void dead(const telemetry::event_view& event, std::string_view reason,
              const telemetry::attempt_view* how) override;

    // False when there are too many. Ends when the client goes.
    bool follow(follow_filter what, std::shared_ptr<net::body_stream> to);
    bool full() const { return followers_.size() >= most_followers; }
    std::size_t followers() const { return followers_.size(); }
    // To be called about once a second: forgets followers that are gone, tells others what they lost.
    void tick();

    // Those that ended, of this event_id, the oldest first.
    std::vector<const story*> ended(std::string_view event_id) const;
    // The failed attempts of one that waits; nothing where there were none.
    const story* waiting(std::uint64_t number) const;
    // The listener that an event came in by; empty where that is forgotten.
    std::string listener_of(std::uint64_t number) const;

  private:
    struct follower;
    struct came_in {
        std::uint32_t number = 0; // the low bits
        std::uint8_t listener = 0;
    };

    story take_story(const telemetry::event_view& event);
    void keep(story ended);
    void forget_waiting();
    void tell(bool follow_filter::* kind, std::string_view event_id, std::string_view name,
              std::string_view user, const std::function<void(std::string&)>& write);
    void write_head(std::string& out, std::string_view what, std::uint64_t number, std::uint8_t lane,
                    std::string_view event_id, std::string_view name, std::string_view user) const;
    void flush();

    loop& loop_;
    const clock& clock_;
    std::vector<std::string> lanes_;
    std::deque<story> ended_;
    std::size_t text_bytes_ = 0;
    std::unordered_map<std::uint64_t, story> waiting_;
    std::deque<std::uint64_t> waiting_order_;
    std::size_t waiting_bytes_ = 0;
    std::vector<came_in> came_in_;
    std::vector<std::string> listeners_;
    std::vector<std::unique_ptr<follower>> followers_;
    bool flushing_ = false;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

} // namespace linkrunner::control
