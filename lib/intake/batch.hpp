// A batch (JSON array or NDJSON) on its way from one body to many events, worked through item by item.
#pragma once

#include "event/batch.hpp"
#include "event/event.hpp"
#include "intake/settings.hpp"
#include "net/message.hpp"
#include "spool/queue.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::intake {

// Turns a parsed event into one for the spool: lane, policies, time of acceptance.
using make_stored = std::function<spool::new_event(event::event)>;

class batch {
  public:
    // What became of item i of the body.
    struct item {
        endpoint path{};
        std::string event_id;                      // of a good one
        std::optional<event::violation> violation; // of a bad one
        std::vector<event::finding> findings;
        bool filtered = false; // by a rule of the operator: neither good nor bad
    };

    batch(std::string body, event::batch_format format, std::string idempotency_key,
          const event::parse_options& options, std::size_t max_items, event::id_source& ids,
          std::string stamp, make_stored convert);

    // Works on one item; false at the end, and when the whole body is refused.
    bool step();

    // Set when the body as a whole is refused: malformed, empty, too many.
    const std::optional<net::response>& refused() const { return refused_; }
    // The code of that refusal, for the metrics.
    const std::string& refused_code() const { return refused_code_; }

    // The good ones, in order. May be moved away; the items stay.
    std::vector<spool::new_event>& events() { return events_; }
    std::vector<item>& items() { return items_; }

  private:
    bool refuse(net::response answer, std::string code);
    bool refuse(const event::violation& why);

    std::string body_;
    event::batch_format format_;
    std::string key_;
    const event::parse_options options_; // their rules outlive this: `convert` keeps them
    std::size_t max_items_;
    event::id_source& ids_;
    std::string stamp_; // the time that the policy stamps events with
    make_stored convert_;
    event::batch_reader reader_;
    std::vector<spool::new_event> events_;
    std::vector<item> items_;
    std::optional<net::response> refused_;
    std::string refused_code_;
};

} // namespace linkrunner::intake
