// What is answered to a batch, worked through item by item like the batch itself: ten thousand ids and
// warnings take several milliseconds to write down.
#pragma once

#include "intake/batch.hpp"
#include "intake/waiters.hpp"
#include "net/message.hpp"
#include "spool/queue.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::intake {

// What is to be said of a batch whose good events were appended.
struct batch_report {
    std::uint64_t stored = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t rejected = 0;
    std::uint64_t filtered = 0;
    std::string members; // of the answer's data

    // 202, 207 or 400.
    net::response answer() const;
    // The same with the ends that were waited for, 200 where all are known and nothing was rejected. `ends`
    // has an entry for each item that was stored or a repeat, in order, with nothing where the end is not
    // known.
    net::response answer(const std::vector<batch::item>& items, const waiters::ends& ends) const;
};

class batch_reporter {
  public:
    // `outcomes` has one entry for each good event. Conflicts become rejected items. Each item is told when
    // it has been settled. The items must outlive this.
    batch_reporter(std::vector<batch::item>& items, std::vector<spool::appended> outcomes,
                   std::function<void(const batch::item&)> tell)
        : items_(items), outcomes_(std::move(outcomes)), tell_(std::move(tell)) {}

    // Works on one item; false at the end.
    bool step();

    // At the end.
    batch_report take();

    const std::vector<spool::appended>& outcomes() const { return outcomes_; }

  private:
    struct list {
        template <class Append>
        void add(std::size_t index, Append append);
        std::string text; // members of a list in the answer, each with the index of its item
        std::size_t count = 0;
    };

    std::vector<batch::item>& items_;
    std::vector<spool::appended> outcomes_;
    std::function<void(const batch::item&)> tell_;
    std::size_t next_ = 0;
    std::size_t good_ = 0;
    std::string ids_;
    list rejected_;
    list warnings_;
    batch_report out_;
};

// The violation that stands for append_outcome::conflict.
event::violation identity_conflict(endpoint path);

} // namespace linkrunner::intake
