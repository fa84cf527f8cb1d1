#include "sim/delivery_world.hpp"

#include "support/plain_request.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace linkrunner::test {

using namespace std::chrono_literals;

namespace {

class ids final : public event::id_source {
  public:
    std::string make() override { return "none"; } // every event here comes with its own
};

} // namespace

// From a start of the daemon to its end.
struct delivery_world::life {
    virtual_loop owner;
    telemetry::metrics metrics;
    scripted_upstream upstream;
    ids made;
    std::unique_ptr<spool::queue> queue;
    std::unique_ptr<intake::service> service;
    std::unique_ptr<forward::forwarder> forwarder;

    explicit life(virtual_clock& time) : owner(time), upstream(owner, time) {}
};

delivery_world::delivery_world(std::uint64_t seed, double rate, double burst)
    : random_(seed), disk_(seed + 1) {
    spool_.directory = "/spool";
    spool_.segment_bytes = any(2, 64) << 10;
    intake_.lanes = {{{"purchase_*"}, false}, {{"*"}, false}};
    event::name_rule bought;
    bought.names = {"purchase_*"};
    bought.ambiguous_dead = true;
    event::policy_settings rules_by_name;
    rules_by_name.rules = {bought};
    intake_.rules = event::policy(rules_by_name, {});
    delivery::settings& rules = forward_.delivery;
    rules.rate_per_second = rate;
    rules.burst = burst;
    rules.adaptive = chance(60);
    rules.max_in_flight = any(1, 32);
    rules.backoff_max = 20s;
    rules.hold_probe = 5s;
    rules.window = any(8, 200);
    rules.max_attempts = 1'000;
    forward_.read_events = any(1, 50);
    begin();
}

delivery_world::~delivery_world() = default;

void delivery_world::begin() {
    life_ = std::make_unique<life>(time_);
    spool::recovery_report report;
    auto opened = spool::queue::open_on_loop(spool_, disk_, time_, life_->owner, random_, report);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(report.lost, 0U);
    life_->queue = std::move(*opened);
    life_->upstream.latency = std::chrono::milliseconds(any(5, 400));
    life_->upstream.script = [this](const net::outgoing& request) { return reply(request); };
    const std::string key = "key-" + std::to_string(key_);
    life_->service = std::make_unique<intake::service>(
        intake_, key,
        intake::ports{*life_->queue, life_->owner, time_, life_->made, life_->metrics,
                      [](std::uint8_t) { return std::optional<std::chrono::milliseconds>(); }, [] {}});
    life_->forwarder = std::make_unique<forward::forwarder>(
        forward_, key,
        forward::ports{*life_->queue, life_->upstream, life_->owner, time_, random_, life_->metrics});
    life_->forwarder->start();
}

// The process is gone at once; the disk keeps what it kept.
void delivery_world::crash() {
    may_repeat_ = true;
    disk_.failing = {};
    disk_.crash(simulated_disk::loss::any);
    life_.reset();
    begin();
}

void delivery_world::stop_and_start() {
    fail_disk(false);
    bool idle = false;
    life_->service->drain();
    life_->forwarder->drain(time_.steady() + std::chrono::milliseconds(any(0, 3'000)), [&] { idle = true; });
    life_->owner.run_for(4s);
    EXPECT_TRUE(idle);
    life_->forwarder->stop();
    life_->queue->close();
    life_->owner.run_ready();
    check();
    EXPECT_EQ(life_->upstream.open_connections(), 0U);
    EXPECT_EQ(life_->owner.timers(), 0U) << "a timer outlives the daemon";
    life_.reset();
    begin();
}

void delivery_world::change_key() {
    ++key_;
    life_->service->set_server_key("key-" + std::to_string(key_));
    life_->forwarder->set_secret("key-" + std::to_string(key_));
}

void delivery_world::fail_disk(bool failing) {
    may_repeat_ = may_repeat_ || failing; // marks may be lost
    if (failing) {
        disk_.failing = [this](std::string_view call) {
            return (call == "write" || call == "sync") && chance(30) ? EIO : 0;
        };
    } else {
        disk_.failing = {};
    }
}

void delivery_world::post_new(std::size_t how_many) {
    for (std::size_t i = 0; i < how_many; ++i) {
        client_event one;
        one.id = "e" + std::to_string(events_.size() + 1);
        one.user = any(1, 40);
        one.revenue = chance(20);
        by_id_[one.id] = events_.size();
        events_.push_back(one);
        post(events_.back());
    }
}

void delivery_world::post_again() {
    for (client_event& one : events_) {
        if (!one.accepted) {
            post(one);
        }
    }
}

void delivery_world::post(client_event& one) {
    ++one.posted;
    plain_request request("POST", "/v1/events",
                          R"({"event_name":")" + std::string(one.revenue ? "purchase_made" : "seen") +
                              R"(","user_id":"u)" + std::to_string(one.user) + R"(","event_id":")" + one.id +
                              "\"}");
    request.with("Content-Type", "application/json");
    life_->service->handle(request, [this, id = one.id](net::response answer) {
        client_event& posted = events_[by_id_.at(id)];
        posted.accepted = posted.accepted || answer.status == 202;
        EXPECT_TRUE(answer.status == 202 || answer.status == 503) << answer.status << answer.body;
    });
}

void delivery_world::count(client_event& event) {
    ++counted_;
    if (event.counted++ == 0) {
        event.first_counted = counted_;
    }
}

net::answer delivery_world::reply(const net::outgoing& request) {
    attempts_.push_back(time_.steady());
    const auto at = request.body.find(R"("event_id":")") + 12;
    client_event& event = events_[by_id_.at(request.body.substr(at, request.body.find('"', at) - at))];
    switch (weather_) {
    case weather::outage:
        return scripted_upstream::status(503, chance(20) ? "2" : "");
    case weather::unreachable:
        return scripted_upstream::failure(net::transport_error::connect, false);
    case weather::replies_lost:
    case weather::errors:
        if (chance(50)) {
            may_repeat_ = true;
            count(event);
        }
        return weather_ == weather::errors ? scripted_upstream::status(chance(50) ? 500 : 502)
                                           : scripted_upstream::failure(net::transport_error::timeout, true);
    case weather::throttled:
        return scripted_upstream::status(429, chance(50) ? "3" : "");
    case weather::wrong_key:
        if (request.headers.front().second != "key-" + std::to_string(key_)) {
            return scripted_upstream::status(401);
        }
        break;
    case weather::rejecting_some:
        if (event.id.ends_with('7')) {
            event.rejected = true;
            return scripted_upstream::status(400);
        }
        break;
    case weather::fine:
        break;
    }
    count(event);
    return scripted_upstream::status(200);
}

void delivery_world::run_for(std::chrono::nanoseconds span) {
    life_->owner.run_for(span);
    check();
}

bool delivery_world::run_until_empty(std::chrono::nanoseconds at_most) {
    return life_->owner.run_until([this] { return life_->queue->status().events.pending == 0; }, at_most);
}

void delivery_world::check() {
    const spool::ledger& all = life_->queue->status().events;
    ASSERT_EQ(all.accepted, all.delivered + all.handed_off + all.dead + all.dropped + all.lost + all.pending);
    ASSERT_EQ(all.lost, 0U);
}

void delivery_world::check_end() {
    const spool::ledger& all = life_->queue->status().events;
    std::size_t promised = 0;
    std::size_t counted = 0;
    for (const client_event& one : events_) {
        promised += one.accepted ? 1 : 0;
        counted += one.counted > 0 ? 1 : 0;
        ASSERT_TRUE(one.accepted) << one.id << " was never taken";
        if (one.revenue || !may_repeat_) {
            ASSERT_LE(one.counted, 1U)
                << one.id << (one.revenue ? ", of revenue," : "") << " was counted twice";
        }
    }
    ASSERT_EQ(all.accepted, promised) << "stored once each";
    ASSERT_EQ(all.pending, 0U);
    ASSERT_GE(counted + all.dead, promised) << "something was lost";
    check_rate();
    check_order();
}

// For all i <= j: j - i + 1 <= burst + rate * (t[j] - t[i]); over restarts as well.
void delivery_world::check_rate() const {
    const double rate = *forward_.delivery.rate_per_second;
    const double burst = forward_.delivery.burst;
    double lowest = 1e300;
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
        const double t = std::chrono::duration<double>(attempts_[i].time_since_epoch()).count();
        const double level = static_cast<double>(i) - rate * t;
        lowest = std::min(lowest, level);
        ASSERT_LE(level - lowest + 1, burst + 1e-6) << "attempt " << i << " is over the rate";
    }
}

// By the first time that the API counted each event. Only of events that were posted once, for another may
// have been stored at its first or at its last post; and that were never rejected, for a crash may bring such
// a one back from the dead letters when later ones have gone.
void delivery_world::check_order() const {
    std::map<std::pair<std::uint64_t, bool>, const client_event*> last;
    for (const client_event& one : events_) {
        if (one.posted != 1 || one.counted == 0 || one.rejected) {
            continue;
        }
        const client_event*& before = last[{one.user, one.revenue}];
        if (before != nullptr) {
            ASSERT_LT(before->first_counted, one.first_counted)
                << one.id << " overtook " << before->id << " of the same user";
        }
        before = &one;
    }
}

} // namespace linkrunner::test
