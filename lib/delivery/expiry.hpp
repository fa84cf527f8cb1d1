// Age of events against `max_age`, their own or that of all. Time in which the path was held or the upstream
// was out, or delivery paused by an operator, does not count. Ages are wall time, so a wall clock that cannot
// be trusted suspends expiry: one that has jumped by more than ten minutes against steady time (until it is
// back, or the daemon is restarted), or stands behind the newest event that was seen. What was held before a
// restart counts: it is not remembered.
#pragma once

#include "base/endpoint.hpp"
#include "delivery/settings.hpp"
#include "delivery/time.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::delivery {

// Spans of wall time; old ones are joined when there are many, to the advantage of the events.
class stopped_spans {
  public:
    void set(bool stopped, wall_time now);
    std::chrono::milliseconds since(wall_time from, wall_time now) const;

  private:
    struct span {
        wall_time begin, end;
    };
    std::vector<span> spans_;
    std::optional<wall_time> begun_;
};

class expiry {
  public:
    explicit expiry(std::optional<std::chrono::milliseconds> max_age)
        : max_age_(max_age.value_or(age_off)), used_(max_age.has_value()) {}

    void set_max_age(std::optional<std::chrono::milliseconds> max_age) {
        max_age_ = max_age.value_or(age_off);
        used_ = used_ || max_age.has_value();
    }
    void observe(steady_time now, wall_time wall);
    // An event, and its own max_age if it has one.
    void accepted(wall_time at, std::optional<std::chrono::milliseconds> own) {
        newest_ = std::max(newest_, at);
        used_ = used_ || own.value_or(age_off) != age_off;
    }
    void set_stopped(endpoint path, bool stopped, wall_time now);

    bool expired(endpoint path, wall_time accepted_at, std::optional<std::chrono::milliseconds> own,
                 wall_time wall) const;
    bool suspended() const { return used_ && (behind_ || jumped_); }
    std::string note() const; // why it is suspended, for people

  private:
    std::chrono::milliseconds max_age_;
    bool used_; // some event may reach its max_age
    std::array<stopped_spans, endpoint_count> stops_;
    wall_time newest_{};
    std::optional<std::chrono::milliseconds> offset_; // wall against steady time when last trusted
    std::chrono::milliseconds jump_{0};
    bool jumped_ = false;
    bool behind_ = false;
};

} // namespace linkrunner::delivery
