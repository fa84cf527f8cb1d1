// The control socket: what changes things. Status, pause, rate, drain, reload; events that wait listed and
// explained, what happens followed; dead
// letters listed, shown, replayed, dropped and exported; the ledger audited. On a Unix socket only, whose
// file permissions are the lock. Lives on the loop's thread. Answers are in the envelope of the intake;
// docs/dead-letters.md is the reference.
#pragma once

#include "control/journal.hpp"
#include "control/steering.hpp"
#include "env/clock.hpp"
#include "net/message.hpp"
#include "spool/caretaker.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

// What it works with; all of it outlives the control.
struct control_parts {
    spool::caretaker& spool;
    steering& daemon;
    journal& stories;
    const clock& time;
    std::vector<std::string> lanes; // their names
};

class control final : public net::request_handler {
  public:
    explicit control(control_parts with) : parts_(std::move(with)) {}

    std::optional<net::response> refuse_early(net::request& head) override;
    void handle(net::request& whole, net::responder answer) override;
    net::response protocol_error(int status, std::string_view code, std::string_view message) override;

  private:
    void list(const net::request& whole, net::responder answer);
    void show(spool::sequence number, net::responder answer);
    void write_out(const net::request& whole, net::responder answer);
    void change(bool replay, net::request& whole, net::responder answer);
    void audit(net::responder answer);

    control_parts parts_;
};

} // namespace linkrunner::control
