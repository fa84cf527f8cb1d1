// A net::client that asks a script for each answer: no sockets, virtual time.
#pragma once

#include "env/clock.hpp"
#include "env/loop.hpp"
#include "net/client.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::test {

class scripted_upstream final : public net::client {
  public:
    struct attempt {
        steady_time at;
        net::outgoing request;
    };

    scripted_upstream(loop& owner, const clock& time) : loop_(owner), clock_(time) {}

    void send(net::outgoing request, std::function<void(net::answer)> done) override {
        attempts.push_back({clock_.steady(), request});
        net::answer how = script ? script(request) : status(200);
        const auto id = ++last_;
        under_way_.emplace(id, std::move(done));
        loop_.call_at(clock_.steady() + latency, [this, id, how = std::move(how)]() mutable {
            const auto found = under_way_.find(id);
            if (found != under_way_.end()) {
                auto told = std::move(found->second);
                under_way_.erase(found);
                how.duration = latency;
                told(std::move(how));
                if (answered) {
                    answered();
                }
            }
        });
    }

    void stop() override {
        for (auto& [id, done] : std::exchange(under_way_, {})) {
            net::answer how;
            how.failure = net::transport_error::stopped;
            done(std::move(how));
        }
    }

    std::size_t open_connections() const override { return under_way_.size(); }

    static net::answer status(int code, std::string retry_after = {}) {
        net::answer out;
        out.status = code;
        out.sent_whole = true;
        out.answer_begun = true;
        out.retry_after = std::move(retry_after);
        return out;
    }

    static net::answer failure(net::transport_error what, bool sent_whole) {
        net::answer out;
        out.failure = what;
        out.detail = net::word_for(what);
        out.sent_whole = sent_whole;
        return out;
    }

    std::function<net::answer(const net::outgoing&)> script; // 200 for everything when empty
    std::function<void()> answered; // told after each answer, before anything else happens
    std::chrono::milliseconds latency{20};
    std::vector<attempt> attempts;

  private:
    loop& loop_;
    const clock& clock_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, std::function<void(net::answer)>> under_way_;
};

} // namespace linkrunner::test
