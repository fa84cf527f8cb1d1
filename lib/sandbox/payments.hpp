// The payments that the sandbox holds, deduplicated as the API documents it: of one type and payment_id the
// first is recorded, later ones are ignored. Memory is bounded. Pure, single-threaded.
// After https://docs.linkrunner.io/api-reference/revenue-tracking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <utility>

namespace linkrunner::sandbox {

struct payment {
    std::string user_id, payment_id, type, status;
    std::string amount; // as JSON
};

class payments {
  public:
    explicit payments(std::size_t keep) : keep_(keep == 0 ? 1 : keep) {}

    // False when one of its type and payment_id is held already. One without payment_id is always recorded.
    bool capture(payment one);
    // How many were removed: those of the payment_id, or where that is empty all of the user.
    std::size_t remove(const std::string& payment_id, const std::string& user_id);

    const std::list<payment>& held() const { return held_; } // oldest first
    std::uint64_t ignored() const { return ignored_; }
    std::uint64_t removed() const { return removed_; }

  private:
    using key = std::pair<std::string, std::string>; // payment_id, type

    void erase(std::list<payment>::iterator one);

    std::size_t keep_;
    std::list<payment> held_;
    std::map<key, std::list<payment>::iterator> by_id_;
    std::uint64_t ignored_ = 0;
    std::uint64_t removed_ = 0;
};

} // namespace linkrunner::sandbox
