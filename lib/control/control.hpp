// The control socket: what changes things. Dead letters listed, shown, replayed, dropped and exported; the
// ledger audited. On a Unix socket only, whose file permissions are the lock. Lives on the loop's thread.
// Answers are in the envelope of the intake; docs/dead-letters.md is the reference.
#pragma once

#include "net/message.hpp"
#include "spool/caretaker.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::control {

class control final : public net::request_handler {
  public:
    // `lanes`: their names. The caretaker must outlive this.
    control(spool::caretaker& spool, std::vector<std::string> lanes)
        : spool_(spool), lanes_(std::move(lanes)) {}

    std::optional<net::response> refuse_early(net::request& head) override;
    void handle(net::request& whole, net::responder answer) override;
    net::response protocol_error(int status, std::string_view code, std::string_view message) override;

  private:
    void list(const net::request& whole, net::responder answer);
    void show(std::string_view number, net::responder answer);
    void write_out(const net::request& whole, net::responder answer);
    void change(bool replay, net::request& whole, net::responder answer);
    void audit(net::responder answer);

    spool::caretaker& spool_;
    std::vector<std::string> lanes_;
};

} // namespace linkrunner::control
