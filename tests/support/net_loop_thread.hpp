// An asio_loop running on a thread of its own, for tests whose body blocks.
#pragma once

#include "net/asio_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <future>
#include <thread>
#include <type_traits>
#include <utility>

namespace linkrunner::tests {

class loop_thread {
  public:
    loop_thread() : work_(loop_.context().get_executor()), thread_([this] { loop_.run(); }) {}
    ~loop_thread() {
        work_.reset();
        loop_.stop();
        thread_.join();
    }
    loop_thread(const loop_thread&) = delete;
    loop_thread& operator=(const loop_thread&) = delete;

    net::asio_loop& loop() { return loop_; }

    // Runs `what` on the loop and waits for its result.
    template <class Function>
    auto call(Function what) -> std::invoke_result_t<Function> {
        using answer = std::invoke_result_t<Function>;
        std::promise<answer> promise;
        auto future = promise.get_future();
        loop_.post([&] {
            if constexpr (std::is_void_v<answer>) {
                what();
                promise.set_value();
            } else {
                promise.set_value(what());
            }
        });
        return future.get();
    }

  private:
    net::asio_loop loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

} // namespace linkrunner::tests
