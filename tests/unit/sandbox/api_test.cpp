#include "sandbox/api.hpp"

#include "sandbox/control.hpp"

#include <gmock/gmock.h>

namespace linkrunner::sandbox {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr steady_time now{};
constexpr wall_time noon{seconds(1'772'366'400)}; // Sun, 01 Mar 2026 12:00:00 GMT
constexpr std::string_view good = R"({"event_name":"e","user_id":"u","event_id":"1"})";

template <class Change>
api_settings with(Change change) {
    api_settings out;
    change(out);
    return out;
}

incoming post(std::string_view body) {
    return {"POST", "/api/v1/capture-event", "key", "application/json", body, false};
}

reply answer(api& state, std::string_view body) {
    return state.handle(post(body), now, noon);
}

reply scripted(api& state, const std::string& script, std::string_view body = good) {
    state.faults().add(parse_faults(script).value(), now);
    return answer(state, body);
}

TEST(sandbox_api, answers_a_documented_event_as_documented) {
    api state({});
    const reply out = answer(state, good);
    EXPECT_EQ(out.status, 201);
    EXPECT_EQ(out.body, R"({"msg":"Event capture request received!","status":201,"data":null})");
    EXPECT_EQ(state.events().total(), 1U);
}

TEST(sandbox_api, answers_200_by_choice) {
    api state(with([](auto& s) { s.status = 200; }));
    EXPECT_EQ(answer(state, good).status, 200);
}

TEST(sandbox_api, says_which_parameter_is_wrong) {
    api state({});
    EXPECT_THAT(answer(state, R"({"user_id":"u"})").body, HasSubstr("event_name"));
    EXPECT_THAT(answer(state, R"({"event_name":"e"})").body, HasSubstr("user_id"));
    EXPECT_THAT(answer(state, R"({"event_name":7,"user_id":"u"})").body,
                HasSubstr("event_name must be a string"));
    EXPECT_THAT(answer(state, R"({"event_name":"e","user_id":"u","event_data":[]})").body,
                HasSubstr("event_data must be an object"));
    EXPECT_THAT(answer(state, R"({"event_name":"e","user_id":"u","event_id":5})").body,
                HasSubstr("event_id"));
    EXPECT_THAT(answer(state, "[]").body, HasSubstr("JSON object"));
    EXPECT_THAT(answer(state, "{").body, HasSubstr("Malformed JSON"));
    EXPECT_EQ(state.sums().answers[400], 7U);
    EXPECT_EQ(state.events().total(), 0U);
}

TEST(sandbox_api, takes_null_for_absent) {
    api state({});
    EXPECT_EQ(answer(state, R"({"event_name":"e","user_id":"u","event_id":null,"event_data":null})").status,
              201);
    EXPECT_EQ(answer(state, R"({"event_name":"e","user_id":null})").status, 400);
}

TEST(sandbox_api, takes_an_install_instance_id_for_the_user) {
    api state({});
    EXPECT_EQ(answer(state, R"({"event_name":"e","install_instance_id":"i"})").status, 201);
    EXPECT_EQ(state.events().recent().back().user, "i");
}

TEST(sandbox_api, checks_method_key_content_type_and_size) {
    api state(with([](auto& s) { s.key = "secret"; }));
    EXPECT_EQ(answer(state, good).status, 401);
    state.set_key("key");
    EXPECT_EQ(answer(state, good).status, 201);
    incoming request = post(good);
    request.method = "GET";
    EXPECT_EQ(state.handle(request, now, noon).headers, "Allow: POST\r\n");
    request = post(good);
    request.content_type = "text/plain";
    EXPECT_EQ(state.handle(request, now, noon).status, 415);
    request.content_type = "Application/JSON ; charset=utf-8";
    EXPECT_EQ(state.handle(request, now, noon).status, 201);
    request.key = "";
    EXPECT_EQ(state.handle(request, now, noon).status, 401);
    EXPECT_EQ(answer(state, std::string(1'000'001, ' ')).status, 413);
}

TEST(sandbox_api, counts_duplicates_by_name_user_and_event_id) {
    api state({});
    answer(state, good);
    answer(state, R"({"event_name":"other","user_id":"u","event_id":"1"})");
    answer(state, good);
    answer(state, R"({"event_name":"e","user_id":"u"})");
    answer(state, R"({"event_name":"e","user_id":"u"})");
    EXPECT_EQ(state.events().duplicates(), 1U);
    EXPECT_EQ(state.events().unique(), 4U);
    EXPECT_EQ(state.events().without_id(), 2U);
    EXPECT_TRUE(state.events().recent()[2].duplicate);
}

TEST(sandbox_api, keeps_the_last_events_whole_and_forgets_the_rest_in_order) {
    api state(with([](auto& s) {
        s.keep_events = 2;
        s.keep_identities = 3;
    }));
    for (int i = 0; i < 5; ++i) {
        answer(state, R"({"event_name":"e","user_id":"u","event_id":")" + std::to_string(i) + "\"}");
    }
    EXPECT_EQ(state.events().total(), 5U);
    ASSERT_EQ(state.events().recent().size(), 2U);
    EXPECT_EQ(state.events().recent()[0].event_id, "3");
    EXPECT_EQ(state.events().forgotten_identities(), 2U);
}

TEST(sandbox_api, says_when_to_come_back_in_the_way_that_was_chosen) {
    const auto second_answer = [](retry_after_kind kind) {
        api state(with([kind](auto& s) {
            s.rate = {1, 1, rate_kind::bucket};
            s.retry_after = kind;
            s.retry_after_seconds = seconds(9);
        }));
        answer(state, good);
        const reply out = answer(state, good);
        EXPECT_EQ(out.status, 429);
        EXPECT_THAT(out.body, HasSubstr("please try again later"));
        return out.headers;
    };
    EXPECT_THAT(second_answer(retry_after_kind::none), IsEmpty());
    EXPECT_EQ(second_answer(retry_after_kind::fixed), "Retry-After: 9\r\n");
    EXPECT_EQ(second_answer(retry_after_kind::exact), "Retry-After: 1\r\n");
    EXPECT_EQ(second_answer(retry_after_kind::date), "Retry-After: Sun, 01 Mar 2026 12:00:02 GMT\r\n");
}

TEST(sandbox_api, shifts_its_clock_by_choice) {
    api state(with([](auto& s) { s.clock_skew = seconds(3600); }));
    const reply out = scripted(state, "status=503 retry_after=date+30");
    EXPECT_EQ(out.headers, "Retry-After: Sun, 01 Mar 2026 13:00:30 GMT\r\n");
    EXPECT_EQ(out.at, noon + seconds(3600));
}

TEST(sandbox_api, records_an_event_behind_a_fault_only_where_the_script_says_so) {
    for (const char* script :
         {"status=500", "reset", "close", "hang", "garbage", "status=302 redirect=http://x/"}) {
        api state({});
        scripted(state, script);
        EXPECT_EQ(state.events().total(), 0U) << script;
    }
    for (const char* script :
         {"lost", "status=500 processed", "hang processed", "truncated", "garbage processed"}) {
        api state({});
        scripted(state, script);
        ASSERT_EQ(state.events().total(), 1U) << script;
        EXPECT_FALSE(state.events().recent()[0].answered) << script;
    }
    for (const char* script : {"delay=1s", "slow", "connection=close", "interim=103", "http=1.0",
                               "header=A:b", "big=5000", "status=200 processed"}) {
        api state({});
        scripted(state, script);
        ASSERT_EQ(state.events().total(), 1U) << script;
        EXPECT_TRUE(state.events().recent()[0].answered) << script;
    }
}

TEST(sandbox_api, pads_a_big_answer) {
    api state({});
    EXPECT_EQ(scripted(state, "big=5000").body.size(), 5000U);
}

TEST(sandbox_api, redirects_where_it_is_told) {
    api state({});
    const reply out = scripted(state, "redirect=http://127.0.0.1:1/x");
    EXPECT_EQ(out.status, 302);
    EXPECT_EQ(out.headers, "Location: http://127.0.0.1:1/x\r\n");
}

TEST(sandbox_api, chooses_by_event_name_and_user) {
    api state({});
    state.faults().add(parse_faults("name=bad* status=400; user=vip status=500").value(), now);
    EXPECT_EQ(answer(state, R"({"event_name":"bad_one","user_id":"u"})").status, 400);
    EXPECT_EQ(answer(state, R"({"event_name":"fine","user_id":"vip"})").status, 500);
    EXPECT_EQ(answer(state, R"({"event_name":"fine","user_id":"u"})").status, 201);
}

TEST(sandbox_control, lists_events_by_what_is_asked) {
    api state({});
    for (const char* body :
         {R"({"event_name":"a","user_id":"u","event_id":"1"})",
          "{\"event_name\":\"b\",\n\"user_id\":\"v\",\"n\":1.10}", R"({"event_name":"a","user_id":"v"})"}) {
        answer(state, body);
    }
    const auto get = [&](std::string_view target) {
        return answer_control(state, {"GET", target, {}, {}, {}, false}, now, noon).body;
    };
    EXPECT_THAT(
        get("/events?name=b&format=ndjson"),
        R"({"number":2,"at":"2026-03-01T12:00:00.000Z","status":201,"duplicate":false,"answered":true,"path":"/capture-event",)"
        R"("event":{"event_name":"b", "user_id":"v","n":1.10}})"
        "\n");
    EXPECT_THAT(get("/events?limit=1"), HasSubstr("\"number\":3"));
    EXPECT_EQ(get("/events?after=3"), "[]\n");
    EXPECT_THAT(get("/events?after=1&limit=1"), HasSubstr("\"number\":2"));
    EXPECT_THAT(get("/events?user=%76&name=a"), HasSubstr("\"number\":3"));
    EXPECT_THAT(get("/summary"), HasSubstr(R"("events":3,"unique":3,"duplicates":0)"));
    EXPECT_THAT(get("/nowhere"), HasSubstr("404"));
}

TEST(sandbox_control, changes_faults_key_and_rate_while_it_runs) {
    api state({});
    const auto ask = [&](std::string_view method, std::string_view target, std::string_view body) {
        return answer_control(state, {method, target, {}, {}, body, false}, now, noon).status;
    };
    EXPECT_EQ(ask("POST", "/faults", "count=1 status=500"), 200);
    EXPECT_EQ(ask("POST", "/faults", "nonsense"), 400);
    EXPECT_EQ(answer(state, good).status, 500);
    EXPECT_EQ(ask("PUT", "/faults", "status=503"), 200);
    EXPECT_EQ(answer(state, good).status, 503);
    EXPECT_EQ(ask("DELETE", "/faults", ""), 200);
    EXPECT_EQ(ask("PUT", "/key", "another\n"), 200);
    EXPECT_EQ(answer(state, good).status, 401);
    EXPECT_EQ(ask("DELETE", "/key", ""), 200);
    EXPECT_EQ(answer(state, good).status, 201);
    EXPECT_EQ(ask("PUT", "/rate", "1/s"), 200);
    EXPECT_EQ(answer(state, good).status, 201);
    EXPECT_EQ(answer(state, good).status, 429);
    EXPECT_EQ(ask("PUT", "/rate", "fast"), 400);
    EXPECT_EQ(ask("DELETE", "/rate", ""), 200);
    EXPECT_EQ(ask("POST", "/reset", ""), 200);
    EXPECT_EQ(state.events().total(), 0U);
    for (const char* path : {"/events", "/summary", "/faults", "/key", "/rate", "/reset"}) {
        EXPECT_EQ(ask("PATCH", path, ""), 405) << path;
    }
}

} // namespace
} // namespace linkrunner::sandbox
