// A sandbox on a thread of its own, for tests and benchmarks within one process. The methods may be called
// from any other thread.
#pragma once

#include "sandbox/server.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace linkrunner::sandbox {

class background {
  public:
    // Errors: as server::open.
    static result<std::unique_ptr<background>> start(const api_settings& behaviour = {},
                                                     server_settings options = any_port());
    ~background(); // stops and joins

    static server_settings any_port();

    std::string url() const; // what upstream.url is set to
    std::uint16_t port() const;
    const std::string& ca_pem() const;

    // Runs `work` on the sandbox's thread and returns when it has run.
    void with(const std::function<void(api&, server&)>& work);

    // True as soon as the predicate holds; false when the time is up. The predicate runs on the sandbox's
    // thread after each request.
    bool wait_until(std::function<bool(api&)> holds, std::chrono::milliseconds limit);

    // The usual questions and changes.
    bool wait_for_events(std::uint64_t at_least, std::chrono::milliseconds limit); // counted with duplicates
    bool wait_for_unique(std::uint64_t at_least, std::chrono::milliseconds limit);
    std::vector<received_event> events(); // the last ones, api_settings::keep_events at most
    std::uint64_t unique();
    std::uint64_t duplicates();
    counters sums();
    void add_faults(const std::string& script); // throws std::system_error on a bad script
    void clear_faults();
    void set_key(const std::string& key);
    void set_listening(bool listening);
    void drop_connections();

  private:
    struct state;
    explicit background(std::unique_ptr<state> own);
    std::unique_ptr<state> state_;
};

} // namespace linkrunner::sandbox
