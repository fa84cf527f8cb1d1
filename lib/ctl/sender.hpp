// Sends the lines of an input to a running linkrunnerd, in batches, each answered before the next. Blocking;
// failures are thrown as ctl::failure. After an interruption the same call goes on behind the last batch that
// was answered; a batch whose answer was lost is sent again under the same Idempotency-Key, so that the
// daemon knows it as a repeat within its dedupe_window.
#pragma once

#include "ctl/line_source.hpp"
#include "ctl/progress.hpp"
#include "ctl/reject_file.hpp"
#include "ctl/send_state.hpp"
#include "net/caller.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace linkrunner::ctl {

struct send_options {
    std::string intake;      // "unix:/path", "host:port", "http://host:port"; empty: as intake.listen has it
    std::string token;       // for listeners that ask for one
    std::string input = "-"; // file, or "-"
    std::string state_file;  // empty: beside the file; none for standard input
    std::string reject_file; // likewise; without one, rejected lines are told on standard error
    std::string key;         // in place of one made from the input
    bool again = false;      // begin anew, under another key
    std::chrono::milliseconds patience{60'000}; // with a daemon that cannot be reached, once it was
};

inline constexpr const char* usual_intake = "unix:/run/linkrunnerd/intake.sock";
inline constexpr const char* other_intake = "127.0.0.1:7417";

// A connection to the intake; says what to do where there is none. Of no address given: the usual two.
std::unique_ptr<net::caller> connect_intake(const std::string& address);

// Set by a signal: the sender stops behind the batch in hand.
void interrupt_sending() noexcept;

class sender {
  public:
    explicit sender(send_options given);
    ~sender();

    // The sums of this input, over all runs. `done` is false after an interruption.
    send_state run();
    const std::string& rejects() const { return given_.reject_file; } // the file's name; empty: none

  private:
    struct batch;
    struct interruption {};
    using lines = std::span<const text_line>;

    void begin();
    bool fill(batch& into);
    void send(lines some);
    void take_answer(lines some, const boost::json::value& data);
    net::called exchange(const net::call& request);
    void pause(std::chrono::seconds length, const std::string& why);
    void settle();
    void show(const std::string& waiting, bool at_once);

    send_options given_;
    line_source input_;
    send_state state_;
    std::unique_ptr<reject_file> rejects_;
    std::unique_ptr<net::caller> intake_;
    std::optional<text_line> ahead_; // read, and not in a batch yet
    std::uint64_t ahead_end_ = 0;    // offset behind it
    progress_display display_;
    speedometer speed_;
};

} // namespace linkrunner::ctl
