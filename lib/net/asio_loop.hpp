// The daemon's event loop: one io_context run by one thread.
#pragma once

#include "env/loop.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace linkrunner::net {

class asio_loop final : public loop {
  public:
    asio_loop();
    ~asio_loop() override;

    void post(task work) override;
    timer_id call_at(steady_time when, task work) override;
    void cancel(timer_id id) override;

    // Runs until stop(). run() also returns when nothing is left to do.
    void run();
    void stop();

    // Calls `told` on the loop for each of the given signals until the loop ends.
    void on_signals(std::initializer_list<int> numbers, std::function<void(int)> told);

    boost::asio::io_context& context() { return context_; }

  private:
    struct timers;
    boost::asio::io_context context_{1};
    std::unique_ptr<timers> timers_;
};

} // namespace linkrunner::net
