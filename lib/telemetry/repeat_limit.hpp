// Keeps a fault that repeats from filling the disk with its log: of one message at most 5 lines in any 10 s.
// Thread-safe. Bounded: at most 1024 messages are remembered; beyond that the one seen longest ago is
// forgotten.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace linkrunner::log {

class repeat_limit {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::size_t lines = 5;
    static constexpr std::chrono::seconds window{10};
    static constexpr std::size_t most_messages = 1024;

    // Nothing: the line is not to be written. Otherwise how many of its kind were left out since the last one
    // written.
    std::optional<std::uint64_t> admit(std::string_view message, time_point now);

  private:
    struct history {
        std::array<time_point, lines> written; // a ring: [next] is the oldest
        std::size_t count = 0;
        std::size_t next = 0;
        std::uint64_t suppressed = 0;
        time_point seen;
    };
    void forget_oldest();

    std::mutex mutex_;
    std::map<std::string, history, std::less<>> messages_;
};

} // namespace linkrunner::log
