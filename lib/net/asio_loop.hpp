// The daemon's event loop: one io_context run by one thread.
//
// post() may be called from any thread, everything else from the loop's thread (or before run()). Timers are
// kept in a heap behind a single Asio timer; they are exact to about a millisecond.
#pragma once

#include "env/loop.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <initializer_list>
#include <memory>

namespace linkrunner::net {

class asio_loop final : public loop {
  public:
    asio_loop();
    ~asio_loop() override;

    void post(task work) override;
    timer_id call_at(steady_time when, task work) override;
    void cancel(timer_id id) override;

    // Runs until stop(). run() also returns when nothing is left to do. It may be called again afterwards.
    void run();
    void stop(); // from any thread; before run() it makes run() return at once

    // Calls `told` on the loop for each of the given signals until the loop ends.
    void on_signals(std::initializer_list<int> numbers, std::function<void(int)> told);

    boost::asio::io_context& context() { return context_; }

  private:
    struct timers;
    struct signals;
    boost::asio::io_context context_{1};
    std::unique_ptr<timers> timers_;
    std::unique_ptr<signals> signals_;
};

} // namespace linkrunner::net
