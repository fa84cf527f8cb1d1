#include "control/observe.hpp"

#include "support/plain_request.hpp"

#include <gtest/gtest.h>

namespace linkrunner::control {
namespace {

using test::plain_request;

struct observe_endpoints : testing::Test {
    std::optional<std::string> reason;
    observe subject{observe_ports{[this] { return reason; }, [] { return std::string("metric 1\n"); },
                                  [] { return std::string("{}"); }}};

    net::response get(std::string target, std::string method = "GET") {
        plain_request request(std::move(method), std::move(target));
        if (auto refused = subject.refuse_early(request)) {
            return *refused;
        }
        net::response got;
        subject.handle(request, [&](net::response with) { got = std::move(with); });
        return got;
    }
};

TEST_F(observe_endpoints, say_alive_and_ready) {
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(observe_endpoints, say_why_events_are_refused_and_stay_alive) {
    reason = "disk_full: no space left";
    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_EQ(get("/readyz").body, "disk_full: no space left\n");
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(observe_endpoints, serve_metrics_and_status_in_their_types) {
    EXPECT_EQ(get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(get("/status").content_type, "application/json");
}

TEST_F(observe_endpoints, change_nothing_and_know_no_other_path) {
    EXPECT_EQ(get("/metrics", "POST").status, 405);
    EXPECT_EQ(get("/nothing").status, 404);
    EXPECT_EQ(get("/healthz?x=1").status, 200);
}

} // namespace
} // namespace linkrunner::control
