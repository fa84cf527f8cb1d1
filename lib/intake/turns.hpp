// Work of which only so much may be in hand at once; the rest waits in line, in order. Lives on the loop's
// thread.
#pragma once

#include "env/loop.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace linkrunner::intake {

class turns {
  public:
    // Held as long as the work is in hand: the next one begins when the last copy of it goes.
    using turn = std::shared_ptr<void>;

    // `owner` must outlive every turn.
    turns(loop& owner, std::size_t most_at_once);

    // `begin` is called with its turn, now or later; never when the turns have gone before.
    void wait(std::function<void(turn)> begin);

  private:
    struct line;
    static void next(const std::shared_ptr<line>& all);

    std::shared_ptr<line> line_;
};

} // namespace linkrunner::intake
