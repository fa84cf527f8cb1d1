#include "application.hpp"

#include "base/duration.hpp"
#include "exit_codes.hpp"
#include "status_json.hpp"
#include "status_line.hpp"
#include "telemetry/log.hpp"
#include "translate.hpp"

#include <algorithm>
#include <csignal>
#include <unistd.h>
#include <utility>

namespace linkrunner::daemon {

namespace {

constexpr std::chrono::milliseconds tick{250};
constexpr int ticks_per_second = 4;
constexpr int ticks_per_minute = 60 * ticks_per_second;

// Of the time for draining, so much is kept for answers to attempts that have begun.
constexpr std::chrono::milliseconds answer_reserve{2'000};

std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) {
        out += out.empty() ? part : "," + part;
    }
    return out;
}

} // namespace

application::application(config::loaded configuration, config::sources from)
    : sources_(std::move(from)), configuration_(std::move(configuration)), settings_(configuration_.values),
      random_(system_random().next()), spool_random_(system_random().next()),
      ids_([this] { return clock_.wall(); }, [this] { return random_.next(); }) {}

application::~application() = default;

int application::run() {
    log::setup(log_settings(settings_));
    // Before the spool is recovered, which may take its time: a signal that comes meanwhile is heard when the
    // loop runs. As process 1 of a container it would not even end a daemon that does not wait for it.
    loop_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int number) { on_signal(number); });
    for (const std::string& note : configuration_.notes) {
        log::warning(note);
    }
    if (const int failed = take_sockets(); failed != exit_clean) {
        return failed;
    }
    log::info("opening the spool",
              {{"version", LINKRUNNER_VERSION}, {"directory", settings_.spool.directory}});
    manager_.status("opening the spool in " + settings_.spool.directory);
    if (const int failed = open(); failed != exit_clean) {
        return failed;
    }
    log::use_journal();
    start();
    loop_.run();
    log::info("linkrunnerd stopped", {{"pending", queue_->status().events.pending}});
    return exit_code_;
}

bool application::is_given(std::string_view key) const {
    return std::ranges::any_of(configuration_.origins, [&](const auto& each) {
        return each.first == key && each.second != "default";
    });
}

int application::take_sockets() {
    auto sorted = sort_by_name(net::take_inherited_sockets());
    if (sorted.has_error()) {
        log::error("cannot start", {{"error", sorted.error().message}});
        return exit_configuration;
    }
    inherited_ = std::move(*sorted);
    for (const std::string& note :
         unused_addresses(inherited_, [this](std::string_view key) { return is_given(key); })) {
        log::warning(note);
    }
    return exit_clean;
}

int application::open() {
    disk_ = make_posix_disk();
    auto queue = spool::queue::open(spool_settings(settings_), *disk_, clock_, loop_, spool_random_,
                                    recovered_, [this](double seconds) { metrics_.commit(seconds); });
    if (queue.has_error()) {
        log::error("the spool cannot be used",
                   {{"directory", settings_.spool.directory}, {"error", queue.error().message}});
        const bool in_use = queue.error().code == std::errc::device_or_resource_busy;
        return in_use ? exit_spool_in_use : exit_spool;
    }
    queue_ = std::move(*queue);
    queue_->on_finding([](const std::string& finding) { log::warning("spool", {{"finding", finding}}); });
    if (const auto opened = open_parts(); opened.has_error()) {
        log::error("cannot start", {{"error", opened.error().message}});
        queue_->close();
        const std::error_code& why = opened.error().code;
        const bool may_pass = why == std::errc::address_in_use || why == std::errc::address_not_available;
        return may_pass ? exit_address : exit_configuration;
    }
    return exit_clean;
}

result<void> application::open_parts() {
    auto upstream = net::client::make(loop_, upstream_settings(settings_));
    if (upstream.has_error()) {
        return upstream.error();
    }
    upstream_ = std::make_unique<upstream_switch>(loop_, std::move(*upstream));
    if (!settings_.control.listen.empty() || !inherited_.control.empty()) {
        stories_ = std::make_unique<control::journal>(loop_, clock_, lane_names());
    }
    forwarder_ = std::make_unique<forward::forwarder>(
        forward_settings(settings_), settings_.upstream_secret(),
        forward::ports{*queue_, *upstream_, loop_, clock_, random_, metrics_, &traces_, stories_.get()});
    instruments_ =
        std::make_unique<instruments>(settings_.delivery.lanes, *queue_, *forwarder_, clock_, metrics_);
    intake_ = std::make_unique<intake::service>(
        intake_settings(settings_), settings_.server_key,
        intake::ports{*queue_, loop_, clock_, ids_, metrics_,
                      [this](std::uint8_t lane) { return forwarder_->forecast(lane); },
                      [this] { intake_server_->resume(); }, &traces_, stories_.get()});
    auto intake_server =
        net::server::open(loop_, intake_server_settings(settings_, inherited_.intake), *intake_);
    if (intake_server.has_error()) {
        return intake_server.error();
    }
    intake_server_ = std::move(*intake_server);
    closing_ = std::make_unique<intake_closing>(*intake_, *intake_server_, loop_, !inherited_.intake.empty());
    observe_ = std::make_unique<control::observe>(control::observe_ports{
        [this] { return not_ready(); },
        [this] {
            instruments_->publish_gauges();
            return metrics_.exposition();
        },
        [this] { return status_text(); }, [this] { return instruments_->last_hour().json(); }});
    auto observe_server =
        net::server::open(loop_, observe_server_settings(settings_, inherited_.observe), *observe_);
    if (observe_server.has_error()) {
        return observe_server.error();
    }
    observe_server_ = std::move(*observe_server);
    key_watch_ = std::make_unique<secret_watch>(
        settings_.upstream.is_forwarder() ? "upstream token" : "server key", settings_.upstream_secret_path(),
        settings_.upstream_secret(), loop_, clock_,
        [this] { return delivery::is_held(forwarder_->view().state); },
        [this](const std::string& secret) {
            if (!settings_.upstream.is_forwarder()) {
                intake_->set_server_key(secret);
            }
            forwarder_->set_secret(secret);
        });
    token_watch_ = std::make_unique<secret_watch>(
        "intake token", settings_.intake.token_file, settings_.intake_token, loop_, clock_,
        [] { return false; }, [this](const std::string& token) { intake_->set_token(token); });
    return open_control();
}

// By default the socket is where the service manager makes a directory for it. Where there is none, as in a
// container that nobody operates by hand, nobody has asked for it: that is no reason not to start.
result<void> application::open_control() {
    if (!stories_) {
        return {};
    }
    caretaker_ = std::make_unique<spool::caretaker>(
        *queue_,
        spool::caretaker::hooks{[this](const auto& which) { forwarder_->replayed(which); },
                                [this](std::uint64_t count) { metrics_.dropped("operator", count); }});
    desk_ = std::make_unique<operator_desk>(
        desk_parts{settings_, clock_, *queue_, *forwarder_, *intake_, *key_watch_, recent_, *stories_,
                   [this] { return status_text(); }, [this] { return intake_server_->addresses(); },
                   [this] { return reload(); }});
    control_ = std::make_unique<control::control>(
        control::control_parts{*caretaker_, *desk_, *stories_, clock_, lane_names()});
    auto server = net::server::open(loop_, control_server_settings(settings_, inherited_.control), *control_);
    if (server.has_value()) {
        control_server_ = std::move(*server);
        return {};
    }
    if (is_given("control.listen") || !inherited_.control.empty()) {
        return server.error();
    }
    log::info("no control socket: control.listen is not set, and its default cannot be used",
              {{"error", server.error().message}});
    return {};
}

std::vector<std::string> application::lane_names() const {
    std::vector<std::string> out;
    for (const config::lane_section& lane : settings_.delivery.lanes) {
        out.push_back(lane.name);
    }
    return out;
}

void application::start() {
    started_ = clock_.steady();
    configuration_state_.loaded_at = clock_.wall();
    instruments_->publish_gauges();
    instruments_->take_sample();
    log_start(recovered_);
    intake_server_->start();
    observe_server_->start();
    if (control_server_) {
        control_server_->start();
    }
    forwarder_->start();
    key_watch_->start();
    token_watch_->start();
    recent_.sample(metrics_.sums());
    next_tick_ = started_ + tick;
    loop_.call_at(next_tick_, [this] { housekeeping(); });
    manager_.ready(status_line());
    reports_.start();
}

void application::log_start(const spool::recovery_report& found) {
    for (const std::string& finding : found.findings) {
        log::warning("spool recovery", {{"finding", finding}});
    }
    if (settings_.spool.sync != "always") {
        log::warning("spool.sync is not 'always': events that were answered with success can be lost in a "
                     "power cut",
                     {{"sync", settings_.spool.sync}});
    }
    const auto configured = settings_.delivery.rate_per_second;
    const log::field rate = configured ? log::field("rate", *configured) : log::field("rate", "auto");
    log::info("linkrunnerd started",
              {{"version", LINKRUNNER_VERSION},
               {"pid", getpid()},
               {"listeners", joined(intake_server_->addresses())},
               {"observe", joined(observe_server_->addresses())},
               {"control", control_server_ ? joined(control_server_->addresses()) : ""},
               {"upstream", settings_.upstream.url},
               rate,
               {"spool", settings_.spool.directory},
               {"pending", found.pending},
               {"dead", found.dead},
               {"lost", found.lost}});
}

void application::on_signal(int number) {
    if (number == SIGHUP) {
        log::info("SIGHUP: reading the configuration and the files of secrets, probing what is held");
        reload();
        return;
    }
    if (stopping_) {
        log::warning("second signal: stopping at once");
        finish_shutdown();
        return;
    }
    begin_shutdown(number == SIGTERM ? "SIGTERM" : "SIGINT");
}

reload_outcome application::reload() {
    if (stopping_) {
        return {{{"linkrunnerd", "is stopping"}}, {}, {}};
    }
    manager_.reloading("reading the configuration");
    reload_outcome out = daemon::reload(sources_, configuration_,
                                        {loop_, *intake_server_, *observe_server_, *intake_, *forwarder_,
                                         *upstream_, *key_watch_, *token_watch_, metrics_, inherited_});
    log_outcome(out);
    configuration_state_.note(out, clock_.wall());
    if (out.problems.empty()) {
        log::info("listening", {{"listeners", joined(intake_server_->addresses())},
                                {"observe", joined(observe_server_->addresses())}});
    }
    key_watch_->look();
    token_watch_->look();
    forwarder_->probe_holds();
    manager_.ready(status_line());
    return out;
}

// The order of shutdown, read aloud: no new events; what is in hand is answered; deliveries go on until the
// drain time; what is under way gets its answer; the spool is synced and closed; the loop ends.
void application::begin_shutdown(const char* why) {
    stopping_ = true;
    manager_.stopping("draining");
    log::info("stopping", {{"why", why},
                           {"pending", queue_->status().events.pending},
                           {"drain", format_duration(settings_.shutdown.drain)}});
    const steady_time end = clock_.steady() + settings_.shutdown.drain;
    const auto reserve = std::min(answer_reserve, settings_.shutdown.drain / 4);
    loop_.call_at(std::max(end, clock_.steady() + closing_->needs()), [this] { end_delivery(); });
    key_watch_->stop();
    token_watch_->stop();
    if (desk_) {
        desk_->begin_stopping();
    }
    closing_->begin(clock_.steady(), end - reserve, [this] {
        intake_stopped_ = true;
        maybe_finish();
    });
    forwarder_->drain(end - reserve, [this] {
        forwarder_idle_ = true;
        closing_->deliveries_ended();
        maybe_finish();
    });
}

void application::maybe_finish() {
    if (intake_stopped_ && forwarder_idle_) {
        end_delivery();
    }
}

// What still waits goes to another linkrunnerd, if there is one.
void application::end_delivery() {
    if (finished_ || handoff_) {
        return;
    }
    forwarder_->stop();
    upstream_->stop();
    intake_server_->abort();
    if (settings_.shutdown.handoff.empty()) {
        finish_shutdown();
        return;
    }
    handoff_ = std::make_unique<handoff>(
        settings_, loop_,
        forward::ports{*queue_, *upstream_, loop_, clock_, random_, metrics_, &traces_, stories_.get()},
        [this] { finish_shutdown(); });
    handoff_->start();
}

void application::finish_shutdown() {
    if (std::exchange(finished_, true)) {
        return;
    }
    forwarder_->stop();
    upstream_->stop();
    if (handoff_) {
        handoff_->stop();
    }
    intake_server_->abort();
    observe_server_->abort();
    if (control_server_) {
        control_server_->abort();
    }
    // One more turn of the loop: the ends of attempts that were just cut or answered are recorded first.
    loop_.post([this] {
        queue_->close();
        loop_.stop();
    });
}

void application::housekeeping() {
    const steady_time now = clock_.steady();
    metrics_.loop_lag(now - next_tick_);
    ++ticks_;
    if (ticks_ % ticks_per_second == 0) {
        recent_.sample(metrics_.sums());
        reports_.status(status_line());
        instruments_->take_sample();
        if (stories_) {
            stories_->tick();
        }
    }
    if (ticks_ % ticks_per_minute == 0) {
        instruments_->write_summary();
    }
    next_tick_ = now + tick;
    loop_.call_at(next_tick_, [this] { housekeeping(); });
}

std::optional<std::string> application::not_ready() const {
    if (stopping_ || (desk_ && desk_->draining())) {
        return "draining";
    }
    const spool::status& spool = queue_->status();
    if (spool.refusing == spool::refusal::none) {
        return std::nullopt;
    }
    return std::string(spool::word_for(spool.refusing)) + ": " + spool.detail;
}

std::string application::status_line() const {
    const spool::status& spool = queue_->status();
    const auto view = forwarder_->view();
    return daemon::status_line(
        {delivery::word_for(view.state), view.reason, spool.events.pending, view.rate_per_second,
         static_cast<std::uint64_t>(recent_.within(60).delivered),
         spool.refusing == spool::refusal::none ? "" : spool::word_for(spool.refusing)});
}

std::string application::status_text() const {
    const steady_time now = clock_.steady();
    return status_json({settings_, queue_->status(), *forwarder_, metrics_, instruments_->last_hour(),
                        configuration_state_, not_ready(),
                        std::chrono::duration_cast<std::chrono::seconds>(now - started_), clock_.wall(), now,
                        intake_server_->connections(), upstream_->open_connections()});
}

} // namespace linkrunner::daemon
