// The request to another linkrunnerd and its answer, and the forwarder that sends it.
#include "forward/relay.hpp"

#include "base/relay.hpp"
#include "unit/forward/forwarding.hpp"

#include <functional>

namespace linkrunner::forward {
namespace {

spool::stored_event stored(endpoint path, const std::string& id, const std::string& body) {
    spool::stored_event out;
    out.path = path;
    out.number = 12;
    out.event_id = id;
    out.body = body;
    return out;
}

std::string line_of(const spool::stored_event& event) {
    std::string out;
    append_relayed(out, event, 7);
    return out;
}

net::answer answer_with(int status, const std::string& data) {
    net::answer out = scripted_upstream::status(status);
    out.body = R"({"msg":"","status":0,"data":)" + data + "}";
    return out;
}

TEST(relay, says_the_call_and_the_id_of_each_event_in_a_line_of_its_own) {
    EXPECT_EQ(line_of(stored(endpoint::capture_event, "id\"1", R"({"a":1})")),
              R"({"type":"capture-event","event_id":"id\"1","payload":{"a":1}})"
              "\n");
    EXPECT_EQ(line_of(stored(endpoint::capture_payment, "p1", "{\"a\":\n\r 1}")),
              "{\"type\":\"capture-payment\",\"event_id\":\"p1\",\"payload\":{\"a\":   1}}\n");
}

TEST(relay, names_a_removal_by_its_place_in_the_spool_since_the_same_payment_may_be_removed_again) {
    const std::string line = line_of(stored(endpoint::remove_payment, "p1", "{}"));
    EXPECT_NE(line.find("\"event_id\":\"" + spool_name(7) + "-12\""), std::string::npos) << line;
}

TEST(relay, sends_the_token_only_where_there_is_one) {
    const net::outgoing with = relay_request("x\n", "t0ken", 7);
    EXPECT_EQ(with.path, "/v1/events");
    EXPECT_EQ(with.content_type, "application/x-ndjson");
    ASSERT_EQ(with.headers.size(), 2U);
    EXPECT_EQ(with.headers[0], std::pair(std::string(spool_header), spool_name(7)));
    EXPECT_EQ(with.headers[1], std::pair(std::string("Authorization"), std::string("Bearer t0ken")));
    EXPECT_EQ(relay_request("x\n", "", 7).headers.size(), 1U);
}

TEST(relay, takes_an_answer_apart) {
    const auto results = results_of(
        answer_with(207, R"({"accepted":2,"duplicates":1,"rejected":[{"index":1,"code":"empty_field",)"
                         R"("msg":"is empty","pointer":"/payload/user_id"}],"event_ids":["a",null,"c",null],)"
                         R"("filtered":1})"),
        4);
    ASSERT_TRUE(results);
    ASSERT_EQ(results->size(), 4U);
    EXPECT_EQ((*results)[0].how.status, 200);
    EXPECT_FALSE((*results)[0].filtered);
    EXPECT_EQ((*results)[1].how.status, 422);
    EXPECT_EQ((*results)[1].how.body, "empty_field at /payload/user_id: is empty");
    EXPECT_FALSE((*results)[1].filtered);
    EXPECT_EQ((*results)[2].how.status, 200);
    EXPECT_TRUE((*results)[3].filtered);
    EXPECT_TRUE((*results)[3].how.sent_whole);
}

TEST(relay, takes_a_batch_of_which_nothing_was_taken_apart_too) {
    const auto results = results_of(
        answer_with(400, R"({"rejected":[{"index":0,"code":"c","msg":"m"}],"event_ids":[null]})"), 1);
    ASSERT_TRUE(results);
    EXPECT_EQ((*results)[0].how.status, 422);
}

TEST(relay, does_not_take_what_is_not_about_each_event_for_a_result) {
    const std::string good = R"({"rejected":[],"event_ids":["a","b"]})";
    EXPECT_TRUE(results_of(answer_with(202, good), 2));
    EXPECT_FALSE(results_of(answer_with(202, good), 3)) << "another number of events";
    EXPECT_FALSE(results_of(answer_with(503, good), 2));
    EXPECT_FALSE(results_of(answer_with(200, "null"), 2)) << "as the Linkrunner API answers";
    EXPECT_FALSE(results_of(answer_with(202, R"({"event_ids":["a","b"]})"), 2));
    EXPECT_FALSE(
        results_of(answer_with(207, R"({"rejected":[{"index":2,"code":"c"}],"event_ids":["a","b"]})"), 2));
    net::answer page = scripted_upstream::status(200);
    page.body = "<html>welcome</html>";
    EXPECT_FALSE(results_of(page, 1));
    EXPECT_FALSE(results_of(scripted_upstream::failure(net::transport_error::timeout, true), 1));
}

TEST(relay, calls_a_success_that_it_does_not_understand_none) {
    const net::answer odd = without_unknown_success(answer_with(200, "null"));
    EXPECT_EQ(odd.failure, net::transport_error::malformed);
    EXPECT_EQ(odd.status, 0);
    EXPECT_NE(odd.detail.find("is there a linkrunnerd at this address?"), std::string::npos);
    EXPECT_EQ(without_unknown_success(scripted_upstream::status(503)).status, 503);
}

// The peer: answers as the intake does, about each line of the request.
struct relaying : forwarding {
    std::function<std::string(const std::string& line)> verdict = [](const std::string&) { return "taken"; };

    relaying() {
        options.to_forwarder = true;
        options.delivery.events_per_request = 100;
        options.delivery.max_in_flight = 400;
        secret = "t0ken";
        upstream.script = [this](const net::outgoing& request) { return answer(request); };
    }

    net::answer answer(const net::outgoing& request) {
        std::string ids, rejected;
        int index = 0;
        for (std::size_t begin = 0; begin < request.body.size(); ++index) {
            const std::size_t end = request.body.find('\n', begin);
            const std::string word = verdict(request.body.substr(begin, end - begin));
            ids += index == 0 ? "" : ",";
            ids += word == "taken" ? "\"x\"" : "null";
            if (word == "rejected") {
                rejected += rejected.empty() ? "" : ",";
                rejected += "{\"index\":" + std::to_string(index) + R"(,"code":"empty_field","msg":"no"})";
            }
            begin = end + 1;
        }
        return answer_with(rejected.empty() ? 202 : 207,
                           "{\"rejected\":[" + rejected + "],\"event_ids\":[" + ids + "]}");
    }
};

TEST_F(relaying, hands_events_off_many_with_each_request) {
    accept(1'000);
    subject();
    owner.run_for(1s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 1'000u);
    EXPECT_LE(upstream.attempts.size(), 12u);
    EXPECT_NE(metrics.exposition().find("linkrunnerd_events_handed_off_total 1000\n"), std::string::npos);
    EXPECT_NE(metrics.exposition().find("linkrunnerd_events_delivered_total 0\n"), std::string::npos);
}

TEST_F(relaying, buries_what_the_peer_rejects_and_drops_what_it_filters) {
    verdict = [](const std::string& line) {
        return line.find("\"event_id\":\"3\"") != std::string::npos   ? "rejected"
               : line.find("\"event_id\":\"5\"") != std::string::npos ? "filtered"
                                                                      : "taken";
    };
    accept(10);
    subject();
    owner.run_for(1s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 8u);
    EXPECT_EQ(queue.ends.at(3), spool::mark_kind::dead);
    EXPECT_EQ(queue.ends.at(5), spool::mark_kind::dropped);
    const auto dead = std::ranges::find(queue.recorded, spool::mark_kind::dead, &spool::mark::kind);
    EXPECT_EQ(dead->letter.last_status, 422);
    EXPECT_EQ(dead->letter.excerpt, "empty_field: no");
    const auto dropped = std::ranges::find(queue.recorded, spool::mark_kind::dropped, &spool::mark::kind);
    EXPECT_EQ(dropped->reason, "filtered_by_peer");
}

TEST_F(relaying, keeps_everything_when_the_answer_is_not_that_of_a_linkrunnerd) {
    upstream.script = [](const net::outgoing&) { return scripted_upstream::status(200); };
    accept(100);
    subject();
    owner.run_for(60s);
    EXPECT_TRUE(queue.ends.empty());
    EXPECT_EQ(subject().view().state, delivery::upstream_state::outage);
    ASSERT_TRUE(subject().error());
    EXPECT_NE(subject().error()->what.find("is there a linkrunnerd"), std::string::npos);
}

TEST_F(relaying, waits_as_the_peer_asks_when_it_is_full) {
    upstream.script = [this](const net::outgoing& request) {
        return upstream.attempts.size() > 1 ? answer(request) : scripted_upstream::status(503, "7");
    };
    accept(500);
    subject();
    owner.run_for(6s);
    EXPECT_LE(upstream.attempts.size(), 5u) << "what was under way when it was asked to wait";
    owner.run_for(60s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 500u);
}

TEST_F(relaying, is_held_by_a_wrong_token_and_goes_on_with_the_right_one) {
    upstream.script = [this](const net::outgoing& request) {
        const bool right = request.headers.back().second == "Bearer right";
        return right ? answer(request) : scripted_upstream::status(401);
    };
    accept(500);
    subject();
    owner.run_for(30s);
    EXPECT_EQ(subject().view().state, delivery::upstream_state::held_unauthorized);
    EXPECT_TRUE(queue.ends.empty());
    subject().set_secret("right");
    owner.run_for(10s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 500u);
}

// A repeat is recognised by the peer: nothing is ambiguous between the two.
TEST_F(relaying, sends_again_what_was_cut_off_and_marks_nothing_as_sending) {
    int requests = 0;
    upstream.script = [&](const net::outgoing& request) {
        return ++requests == 1 ? scripted_upstream::failure(net::transport_error::reset, true)
                               : answer(request);
    };
    accept(5, 1, true);
    subject();
    owner.run_for(30s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 5u);
    EXPECT_TRUE(std::ranges::none_of(queue.recorded, [](const spool::mark& one) {
        return one.kind == spool::mark_kind::sending || one.kind == spool::mark_kind::dead;
    }));
}

TEST_F(relaying, bounds_the_bytes_of_a_request) {
    options.request_bytes = 1'000;
    accept(200);
    subject();
    owner.run_for(5s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 200u);
    for (const auto& each : upstream.attempts) {
        EXPECT_LE(each.request.body.size(), 1'100u);
    }
}

TEST_F(relaying, leaves_what_was_under_way_when_it_is_stopped) {
    upstream.latency = 10s;
    accept(300);
    subject();
    owner.run_for(1s);
    subject().stop();
    upstream.stop();
    owner.run_for(1s);
    EXPECT_TRUE(queue.ends.empty());
    made.reset();
    upstream.latency = 20ms;
    subject();
    owner.run_for(5s);
    EXPECT_EQ(ended(spool::mark_kind::handed_off), 300u);
}

} // namespace
} // namespace linkrunner::forward
