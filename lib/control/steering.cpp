#include "control/steering.hpp"

#include "control/asker.hpp"
#include "net/envelope.hpp"
#include "telemetry/log.hpp"

#include <boost/json.hpp>

namespace linkrunner::control {

namespace {

namespace json = boost::json;

constexpr double lowest_rate = 1e-3; // per second
constexpr double highest_rate = 1e5;

json::value number_or_null(std::optional<double> number) {
    return number ? json::value(*number) : json::value(nullptr);
}

net::response rate_answer(const rate_view& view, std::string_view message) {
    const json::value configured =
        view.configured ? json::value(*view.configured) : json::value(json::string("auto"));
    const json::object data{{"in_force_per_second", view.in_force},
                            {"configured_per_second", configured},
                            {"temporary_per_second", number_or_null(view.temporary)}};
    return net::envelope(200, message, json::serialize(data));
}

// {"per_second": 10} or {"reset": true}.
result<std::optional<double>> read_rate(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse({body.data(), body.size()}, failure);
    const json::object* fields = failure ? nullptr : parsed.if_object();
    const json::value* rate = fields != nullptr ? fields->if_contains("per_second") : nullptr;
    const json::value* reset = fields != nullptr ? fields->if_contains("reset") : nullptr;
    const bool one = fields != nullptr && fields->size() == 1;
    if (one && reset != nullptr && reset->is_bool() && reset->get_bool()) {
        return std::optional<double>();
    }
    if (one && rate != nullptr && rate->is_number()) {
        const double wanted = rate->to_number<double>();
        if (wanted >= lowest_rate && wanted <= highest_rate) {
            return std::optional(wanted);
        }
    }
    return make_error(std::errc::invalid_argument,
                      "the body is {\"per_second\": N} with N from 0.001 to 100000, or {\"reset\": true}");
}

void change_rate(steering& with, net::request& whole, const net::responder& answer, const asker& who) {
    const auto wanted = read_rate(whole.body());
    if (!wanted) {
        answer(net::refusal(400, "bad_request", wanted.error().message));
        return;
    }
    with.limit_rate(*wanted);
    if (*wanted) {
        log::info("an operator changed the rate; until a restart, or until it is reset",
                  {{"per_second", **wanted}, who.pid(), who.uid(), who.gid()});
    } else {
        log::info("an operator reset the rate to the configured one", {who.pid(), who.uid(), who.gid()});
    }
    answer(rate_answer(with.rate(), *wanted ? "The rate is changed, until a restart or a reset"
                                            : "The rate is as configured again"));
}

net::response steered(const steering& with, std::string_view message) {
    const json::object data{
        {"paused", with.paused()}, {"draining", with.draining()}, {"pending", with.pending()}};
    return net::envelope(200, message, json::serialize(data));
}

void pause(steering& with, const net::responder& answer, const asker& who) {
    if (!with.paused()) {
        with.pause(true);
        log::info("an operator paused delivery", {who.pid(), who.uid(), who.gid()});
    }
    answer(steered(with, "Paused: nothing is sent; events are taken and kept"));
}

void resume(steering& with, const net::responder& answer, const asker& who) {
    const bool changes = with.paused() || with.draining();
    if (with.paused()) {
        with.pause(false);
    }
    if (with.draining()) {
        with.drain(false);
    }
    if (changes) {
        log::info("an operator resumed: events are taken and delivered", {who.pid(), who.uid(), who.gid()});
    }
    answer(steered(with, changes ? "Resumed: events are taken and delivered" : "Nothing was paused"));
}

void drain(steering& with, const net::responder& answer, const asker& who) {
    if (!with.draining()) {
        with.drain(true);
        log::info("an operator drains: no new events are taken, those that wait are delivered",
                  {{"pending", with.pending()}, who.pid(), who.uid(), who.gid()});
    }
    answer(steered(with, "Draining: no new events are taken, those that wait are delivered"));
}

void reload(steering& with, const net::responder& answer, const asker& who) {
    log::info("an operator asks for a reload", {who.pid(), who.uid(), who.gid()});
    const auto done = with.reload();
    answer(done ? net::envelope(200, "Reloaded", "{" + *done + "}")
                : net::refusal(422, "reload_failed", done.error().message));
}

} // namespace

bool steer(steering& with, net::request& whole, const net::responder& answer) {
    const std::string_view path = whole.path();
    const asker who(whole);
    if (path == "/v1/status") {
        answer(net::envelope(200, "Status", with.status()));
    } else if (path == "/v1/rate" && whole.method() == "GET") {
        answer(rate_answer(with.rate(), "Rate"));
    } else if (path == "/v1/rate") {
        change_rate(with, whole, answer, who);
    } else if (path == "/v1/pause") {
        pause(with, answer, who);
    } else if (path == "/v1/resume") {
        resume(with, answer, who);
    } else if (path == "/v1/drain") {
        drain(with, answer, who);
    } else if (path == "/v1/reload") {
        reload(with, answer, who);
    } else {
        return false;
    }
    return true;
}

} // namespace linkrunner::control
