// The wiring of linkrunnerd: makes the parts, introduces them to each other, runs the loop, and takes them
// down in the order of shutdown.hpp. Everything here lives on the loop's thread.
#pragma once

#include "base/error.hpp"
#include "config/load.hpp"
#include "control/control.hpp"
#include "control/observe.hpp"
#include "env/clock.hpp"
#include "env/random.hpp"
#include "event/uuid7.hpp"
#include "forward/forwarder.hpp"
#include "handoff.hpp"
#include "inherited.hpp"
#include "instruments.hpp"
#include "intake/service.hpp"
#include "intake_closing.hpp"
#include "net/asio_loop.hpp"
#include "net/client.hpp"
#include "net/notify.hpp"
#include "net/server.hpp"
#include "operator_desk.hpp"
#include "recent_sums.hpp"
#include "reload.hpp"
#include "secret_watch.hpp"
#include "service_reports.hpp"
#include "spool/caretaker.hpp"
#include "spool/queue.hpp"
#include "telemetry/metrics.hpp"
#include "upstream_switch.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace linkrunner::daemon {

class application {
  public:
    // `from` is where the configuration was read, and is read again.
    application(config::loaded configuration, config::sources from);
    ~application();

    // Opens everything, serves until it is told to stop, and answers the exit code.
    int run();

  private:
    int take_sockets();
    bool is_given(std::string_view key) const;
    int open();
    result<void> open_parts();
    result<void> open_control();
    std::vector<std::string> lane_names() const;
    void start();
    void log_start(const spool::recovery_report& found);

    void on_signal(int number);
    reload_outcome reload();
    void begin_shutdown(const char* why);
    void finish_shutdown();
    void maybe_finish();
    void end_delivery();

    void housekeeping();
    std::optional<std::string> not_ready() const;
    std::string status_text() const;
    std::string status_line() const;

    const config::sources sources_;
    config::loaded configuration_;
    const config::settings& settings_;
    system_clock clock_;
    seeded_random random_;       // seeded from the kernel once: a call a number is too dear for event ids
    seeded_random spool_random_; // of the disk thread
    telemetry::metrics metrics_;
    telemetry::trace_ids traces_;
    const net::notifier manager_ = net::notifier::from_environment();
    net::asio_loop loop_;
    std::unique_ptr<disk> disk_;
    spool::recovery_report recovered_;
    std::unique_ptr<spool::queue> queue_;
    std::unique_ptr<upstream_switch> upstream_;
    std::unique_ptr<control::journal> stories_; // nothing where there is to be no control socket
    std::unique_ptr<forward::forwarder> forwarder_;
    std::unique_ptr<handoff> handoff_; // once the drain time is over
    std::unique_ptr<instruments> instruments_;
    event::uuid7_source ids_;
    std::unique_ptr<intake::service> intake_;
    inherited_sockets inherited_;
    std::unique_ptr<net::server> intake_server_;
    std::unique_ptr<intake_closing> closing_;
    std::unique_ptr<control::observe> observe_;
    std::unique_ptr<net::server> observe_server_;
    std::unique_ptr<secret_watch> key_watch_, token_watch_;
    std::unique_ptr<spool::caretaker> caretaker_;
    recent_sums recent_;
    service_reports reports_{manager_, loop_, clock_, net::watchdog_interval()};
    std::unique_ptr<operator_desk> desk_;
    std::unique_ptr<control::control> control_;
    std::unique_ptr<net::server> control_server_; // nothing where there is no control socket

    configuration_state configuration_state_;
    steady_time started_{};
    steady_time next_tick_{};
    int ticks_ = 0;
    bool stopping_ = false;
    bool intake_stopped_ = false;
    bool forwarder_idle_ = false;
    bool finished_ = false;
    int exit_code_ = 0;
};

} // namespace linkrunner::daemon
