// What an operator may ask of a running spool: what waits and what is dead listed, dead letters replayed and
// dropped, and an audit. Lives
// on the loop's thread; the work is done on the disk thread in short stretches, so that intake and delivery
// go on in between, and memory does not grow with the number of dead letters. Every callback is called once,
// on the loop; after the spool was closed with an error (errc::operation_canceled).
#pragma once

#include "spool/audit.hpp"
#include "spool/dead_letters.hpp"
#include "spool/pending_events.hpp"
#include "spool/queue.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace linkrunner::spool {

class caretaker {
  public:
    struct hooks {
        // Events that are pending again, as they become so.
        std::function<void(const std::vector<std::pair<std::uint8_t, sequence>>& lanes_and_numbers)> replayed;
        std::function<void(std::uint64_t count)> dropped;
    };

    // The queue must outlive it.
    caretaker(queue& spool, hooks told);

    const spool::status& status() const { return queue_.status(); }

    // A page that is full, or the last one.
    void list(dead_query what, std::function<void(result<dead_page>)> done);

    // The same for events that wait. Those that end while it is made may be missing from it.
    void list_pending(pending_query what, std::function<void(result<pending_page>)> done);

    // All dead letters that the filter lets through and that are dead when this begins. Replayed ones keep
    // their event_id and their place. Answered when the changes are synced; an error says how far it came: it
    // stands in the message, and what was done stays done.
    void replay(dead_filter which, std::function<void(result<std::uint64_t>)> done);
    void drop(dead_filter which, std::function<void(result<std::uint64_t>)> done);

    void audit(std::function<void(result<audit_report>)> done);

  private:
    struct listing;
    struct pending_listing;
    struct change;
    struct counting;

    void go_on(const std::shared_ptr<listing>& one);
    void go_on(const std::shared_ptr<pending_listing>& one);
    void go_on(const std::shared_ptr<change>& one);
    void go_on(const std::shared_ptr<counting>& one);

    queue& queue_;
    hooks hooks_;
};

} // namespace linkrunner::spool
