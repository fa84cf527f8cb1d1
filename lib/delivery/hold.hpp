// A path of the API is held when its answers say that no event can get through: the key is refused, the
// account suspended, the address wrong, or everything is rejected. Nothing is lost; one probe per interval
// goes out, and one at once when the key changes. Another event's success ends the hold.
//
// A firewall that dislikes one payload looks the same at first. Then the next success that was begun later
// shows it: the only event that was refused is told by succeeded(), for its failure to count as its own. An
// event that is refused again though others got through meanwhile does not hold the path again; nor does that
// count before another success has shown that it was still refused alone.
#pragma once

#include "delivery/outcome.hpp"
#include "delivery/throttle.hpp"
#include "delivery/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace linkrunner::delivery {

enum class hold_kind : std::uint8_t { none, unauthorized, suspended, misconfigured, rejecting };

hold_kind hold_for(outcome what) noexcept; // none for outcomes that hold nothing by themselves

class hold {
  public:
    explicit hold(std::chrono::milliseconds probe_interval) : interval_(probe_interval) {}

    // A probe that is further away than that comes earlier.
    void set_probe_interval(std::chrono::milliseconds interval, steady_time now) {
        interval_ = interval;
        next_probe_ = std::min(next_probe_, now + interval_);
    }

    // An event was refused: holds the path, or holds it on.
    struct refusal {
        hold_kind kind = hold_kind::none;
        sequence number = 0;
        std::uint64_t user_key = 0;
        int status = 0;
    };
    void refused(const refusal& what, steady_time now);

    // An event was refused again, after others had got through: holds nothing by itself.
    void refused_alone(sequence number, steady_time now);

    // An event was rejected. True when it is one too many in a row: the path is held as `rejecting`, or was,
    // and the event stays; false when it goes to the dead letters.
    bool rejected(const refusal& what, steady_time now);

    // What a success shows about the events that were refused before it was begun.
    struct judgement {
        std::optional<sequence> suspected; // was the only one refused: once its own, but no reason to die
                                           // yet, for it may have been the path after all
        std::vector<sequence> counted;     // was refused alone, again
    };
    judgement succeeded(sequence number, steady_time began);

    void key_changed(steady_time now);
    void probe_at(steady_time when); // unless a probe is under way

    void probe_begun(steady_time now, std::uint64_t user_key);
    void probe_ended(); // tells nothing more than refused(), rejected(), succeeded() did

    gate at(steady_time now) const;
    bool probing() const { return probing_; }
    hold_kind kind() const { return kind_; }
    int status() const { return status_; } // that holds it
    steady_time next_probe() const { return next_probe_; }
    // When the last attempt that succeeded was begun: whoever was refused before was refused alone.
    steady_time succeeded_from() const { return succeeded_from_; }
    std::uint64_t probed_user() const { return probed_user_; }
    std::uint32_t rejected_in_a_row() const { return rejected_; }

  private:
    nanoseconds interval_;
    hold_kind kind_ = hold_kind::none;
    int status_ = 0;
    bool probing_ = false;
    bool key_changed_ = false; // during this hold: then the key was the cause
    steady_time next_probe_{};
    std::uint64_t probed_user_ = 0;
    std::optional<sequence> only_;          // the event that was refused, while it is the only one
    std::map<sequence, steady_time> alone_; // refused alone, and not yet shown to be: when
    std::uint32_t rejected_ = 0;
    steady_time refused_{}; // when last, while held
    steady_time succeeded_from_ = steady_time::min();
};

} // namespace linkrunner::delivery
