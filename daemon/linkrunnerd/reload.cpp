#include "reload.hpp"

#include "telemetry/log.hpp"
#include "translate.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace linkrunner::daemon {

namespace {

// Everything that is made before anything is changed.
struct prepared {
    std::unique_ptr<net::server::change> intake_server;
    std::unique_ptr<net::server::change> observe_server;
    std::unique_ptr<net::client> upstream; // nothing where it stays
    intake::settings intake;
};

// Files may have been renewed under the same name.
bool reads_files(const config::upstream_section& upstream) {
    return !upstream.ca_file.empty() || !upstream.client_cert_file.empty();
}

template <class T>
bool take(result<T> made, T& into, const char* where, std::vector<config::problem>& problems) {
    if (made.has_error()) {
        problems.push_back({where, made.error().message});
        return false;
    }
    into = std::move(*made);
    return true;
}

std::optional<prepared> prepare(const config::settings& before, const config::settings& after,
                                const reload_parts& parts, std::vector<config::problem>& problems) {
    prepared out;
    const net::server_settings intake = intake_server_settings(after, parts.inherited.intake);
    const net::server_settings observe = observe_server_settings(after, parts.inherited.observe);
    const bool opened =
        take(parts.intake_server.prepare(intake), out.intake_server, "intake", problems) &&
        take(parts.observe_server.prepare(observe), out.observe_server, "observe.listen", problems);
    if (opened && (before.upstream != after.upstream || reads_files(after.upstream))) {
        take(net::client::make(parts.owner, upstream_settings(after)), out.upstream, "upstream", problems);
    }
    if (!problems.empty()) {
        return std::nullopt;
    }
    out.intake = intake_settings(after);
    return out;
}

void apply(prepared made, const config::settings& before, const config::settings& after,
           const reload_parts& parts) {
    if (log_settings(before).format != log_settings(after).format) {
        log::setup(log_settings(after));
    } else {
        log::set_level(log_settings(after).level);
    }
    parts.intake.change(std::move(made.intake));
    parts.intake_server.apply(std::move(made.intake_server));
    parts.observe_server.apply(std::move(made.observe_server));
    if (made.upstream) {
        parts.upstream.change(std::move(made.upstream));
    }
    parts.key.follow(after.upstream_secret_path(), after.upstream_secret());
    parts.token.follow(after.intake.token_file, after.intake_token);
    parts.forwarder.change(forward_settings(after));
}

std::string keys_of(const std::vector<config::change>& changes, bool needs_restart) {
    std::string out;
    for (const config::change& each : changes) {
        if (each.needs_restart == needs_restart) {
            out += (out.empty() ? "" : ", ") + each.key;
        }
    }
    return out;
}

} // namespace

void configuration_state::note(const reload_outcome& outcome, wall_time now) {
    problems = outcome.problems;
    if (!problems.empty()) {
        return;
    }
    loaded_at = now;
    restart_needed.clear();
    for (const config::change& each : outcome.changes) {
        if (each.needs_restart) {
            restart_needed.push_back(each.key);
        }
    }
}

reload_outcome reload(const config::sources& from, config::loaded& in_force, const reload_parts& parts) {
    reload_outcome out;
    auto read = config::load(from);
    if (auto* problems = std::get_if<std::vector<config::problem>>(&read)) {
        out.problems = std::move(*problems);
    } else {
        config::loaded& fresh = std::get<config::loaded>(read);
        std::vector<config::change> changes = config::take_changes(in_force, fresh);
        if (auto made = prepare(in_force.values, fresh.values, parts, out.problems)) {
            apply(std::move(*made), in_force.values, fresh.values, parts);
            in_force = std::move(fresh);
            out.notes = in_force.notes;
            out.changes = std::move(changes);
        }
    }
    for (std::string& note : unused_addresses(parts.inherited, [&](std::string_view key) {
             return std::ranges::find(out.changes, key, &config::change::key) != out.changes.end();
         })) {
        out.notes.push_back(std::move(note));
    }
    parts.metrics.set_config_reload_success(out.problems.empty());
    return out;
}

void log_outcome(const reload_outcome& outcome) {
    for (const std::string& note : outcome.notes) {
        log::warning(note);
    }
    if (!outcome.problems.empty()) {
        std::string all; // in one line: of lines that repeat, some would be left out
        for (const config::problem& each : outcome.problems) {
            all += (all.empty() ? "" : "; ") + each.where + ": " + each.message;
        }
        log::error("the configuration was not reloaded: it has mistakes, and the old one stays in force",
                   {{"problems", all}});
        return;
    }
    for (const config::change& each : outcome.changes) {
        log::info(each.needs_restart ? "configuration change waits for a restart" : "configuration changed",
                  {{"key", each.key}, {"from", each.before}, {"to", each.after}});
    }
    if (const std::string waiting = keys_of(outcome.changes, true); !waiting.empty()) {
        log::warning("some of the changed keys need a restart", {{"keys", waiting}});
    }
    log::info("configuration reloaded", {{"changed", keys_of(outcome.changes, false)}});
}

} // namespace linkrunner::daemon
