#include "control/observe.hpp"

#include "control/advice.hpp"
#include "control/page.hpp"
#include "support/plain_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace linkrunner::control {
namespace {

using test::plain_request;

struct observe_endpoints : testing::Test {
    std::optional<std::string> reason;
    observe subject{observe_ports{[this] { return reason; }, [] { return std::string("metric 1\n"); },
                                  [] { return std::string("{}"); }, [] { return std::string("[]"); }}};

    net::response get(std::string target, std::string method = "GET", std::string tag = {}) {
        plain_request request(std::move(method), std::move(target));
        if (!tag.empty()) {
            request.with("If-None-Match", std::move(tag));
        }
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
    EXPECT_EQ(get("/history.json").content_type, "application/json");
}

std::string header(const net::response& of, std::string_view name) {
    const auto found = std::ranges::find(of.headers, name, &std::pair<std::string, std::string>::first);
    return found == of.headers.end() ? "" : found->second;
}

TEST_F(observe_endpoints, serve_the_page_once_and_then_say_that_it_is_the_same) {
    const net::response first = get("/");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.content_type, "text/html; charset=utf-8");
    const std::string tag = header(first, "ETag");
    EXPECT_EQ(get("/", "GET", tag).status, 304);
    EXPECT_EQ(get("/", "GET", tag).body, "");
    EXPECT_EQ(get("/", "GET", "\"other\", W/" + tag).status, 304);
    EXPECT_EQ(get("/", "GET", "*").status, 304);
    EXPECT_EQ(get("/", "GET", "\"other\"").status, 200);
}

TEST(the_page, takes_nothing_from_outside_and_runs_nothing_but_its_own_script) {
    const std::string page(page_html);
    EXPECT_THAT(page, testing::StartsWith("<!doctype html>"));
    EXPECT_THAT(std::string(page_policy), testing::StartsWith("default-src 'none';"));
    EXPECT_THAT(std::string(page_policy), testing::Not(testing::HasSubstr("unsafe")));
    for (const char* never : {"src=", "@import", "url(", "innerHTML", "insertAdjacent", "document.write",
                              "eval(", " style=", " onclick", " onload", "//cdn", "@style@", "@script@"}) {
        EXPECT_THAT(page, testing::Not(testing::HasSubstr(never)));
    }
    EXPECT_LT(page.size(), 40'000U);
}

TEST(advice, is_there_for_each_state_but_the_good_one) {
    for (const advice& each : all_advice()) {
        EXPECT_FALSE(each.words.empty()) << each.code;
        EXPECT_EQ(each.what_to_do.empty(), each.code == "healthy") << each.code;
    }
    EXPECT_EQ(advice_for("throttled").code, "throttled");
    EXPECT_EQ(advice_for("something_else").words, "something_else");
}

TEST_F(observe_endpoints, change_nothing_and_know_no_other_path) {
    EXPECT_EQ(get("/metrics", "POST").status, 405);
    EXPECT_EQ(get("/nothing").status, 404);
    EXPECT_EQ(get("/healthz?x=1").status, 200);
}

} // namespace
} // namespace linkrunner::control
