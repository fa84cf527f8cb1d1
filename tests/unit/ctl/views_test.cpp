#include "ctl/lists_view.hpp"
#include "ctl/session.hpp"
#include "ctl/status_view.hpp"
#include "ctl/text.hpp"
#include "ctl/top_view.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::ctl {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

json::value status_of(const std::string& state, const std::string& more = "") {
    return json::parse(
        R"({"pid":7,"paused":false,"draining":false,"temporary_rate_per_second":null,)"
        R"("last_minute":{"accepted":1740,"delivered":1700,"dead":3,"refused":2},)"
        R"("since_start":{"refused":5},"key":{"source":"file","file":"/etc/key","refused":false,)"
        R"("changed_at":null,"problem":""},"daemon":{"version":"9.9","uptime_seconds":273600,)"
        R"("ready":true,"not_ready_reason":null,"upstream":{"state":")" +
        state +
        R"(","reason":"why","rate_per_second":12,"rate_ceiling_per_second":29,"in_flight":3,)"
        R"("next_change_in_seconds":5.2,"last_error":{"seconds_ago":12,"what":"429 \u001b[31mno"}},)"
        R"("lanes":[{"name":"revenue","pending":12,"forecast_seconds":1},)"
        R"({"name":"default","pending":10200,"forecast_seconds":null}],)"
        R"("ledger":{"accepted":1203332,"delivered":1193000,"dead":100,"dropped":0,"lost":0,)"
        R"("pending":10212},"spool":{"directory":"/var/lib/linkrunnerd","refusing":"none",)"
        R"("detail":"","bytes":14889779,"limit_bytes":1073741824,"oldest_pending_seconds":362}})" +
        more + "}");
}

std::string text_of(const json::value& status, std::size_t width = 80) {
    std::string out;
    for (const std::string& line : status_lines(status, width)) {
        EXPECT_LE(columns_of(line), width) << line;
        out += line + "\n";
    }
    return out;
}

TEST(status_view, says_everything_within_a_terminal_of_80_by_24) {
    const std::string seen = text_of(status_of("throttled"));
    EXPECT_LE(std::ranges::count(seen, '\n'), 24);
    for (const char* words :
         {"linkrunnerd 9.9, up 3d4h, pid 7: takes events", "throttled: the API asked for a pause; why",
          "next try in 5.2s", "12/s of 29/s: lowered, because the API answered 429; 3 in flight",
          "from /etc/key; not refused", "14.2 MiB of 1 GiB (1%)", "12s ago: 429 ?[31mno", "10,200",
          "the oldest has waited for 6m02s", "1,740", "1,203,332", "refused at intake"}) {
        EXPECT_THAT(seen, HasSubstr(words));
    }
}

TEST(status_view, is_cut_to_narrow_terminals) {
    text_of(status_of("outage"), 40);
    text_of(status_of("outage"), 10);
}

TEST(status_view, has_words_for_every_state_and_survives_what_it_does_not_know) {
    for (const char* state : {"healthy", "throttled", "outage", "held_unauthorized", "held_suspended",
                              "held_misconfigured", "held_rejecting", "paused", "draining"}) {
        EXPECT_THAT(words_for_state(state).meaning, Not(HasSubstr("does not know"))) << state;
    }
    EXPECT_THAT(text_of(status_of("enlightened")), HasSubstr("enlightened"));
    EXPECT_THAT(text_of(json::parse("{}")), HasSubstr("linkrunnerd"));
    EXPECT_THAT(text_of(json::parse("[]")), HasSubstr("linkrunnerd"));
}

TEST(status_view, many_lanes_are_summed) {
    json::value many = status_of("healthy");
    json::array lanes;
    for (int i = 0; i < 16; ++i) {
        lanes.push_back(
            json::object{{"name", "lane" + std::to_string(i)}, {"pending", 10}, {"forecast_seconds", 1}});
    }
    many.at("daemon").at("lanes") = lanes;
    const std::string seen = text_of(many);
    EXPECT_THAT(seen, HasSubstr("others"));
    EXPECT_THAT(seen, HasSubstr("120"));
    EXPECT_LE(std::ranges::count(seen, '\n'), 24);
}

TEST(lists, show_letters_with_what_the_api_said) {
    const json::value page = json::parse(
        R"({"dead":2,"letters":[{"number":7,"event_id":"e\u0007","event_name":"cart","accepted_at":)"
        R"("1970-01-01T00:00:00.000Z","reason":"rejected","status":400,"attempts":1,"answer":"bad"},)"
        R"({"number":9,"event_id":null,"reason":null}],"next":10})");
    const std::string seen = letters_text(page, 7200, 200);
    EXPECT_THAT(seen, HasSubstr("2h"));
    EXPECT_THAT(seen, HasSubstr("e?"));
    EXPECT_THAT(seen, HasSubstr("bad"));
    EXPECT_THAT(seen, HasSubstr("--from 10"));
    EXPECT_THAT(letters_text(json::parse(R"({"dead":0,"letters":[],"next":null})"), 0, 80),
                HasSubstr("There are no dead letters"));
}

TEST(lists, keep_the_bytes_of_a_body) {
    EXPECT_EQ(body_within(R"({"number":1,"event_id":"a\"body\":","body":{"n":1.10}})"), R"({"n":1.10})");
    EXPECT_EQ(body_within(R"({"number":1})"), "");
    EXPECT_THAT(
        event_text(json::parse(R"({"number":1,"event_id":"x","body":{"a":1}})"), "BODY"),
        testing::AllOf(HasSubstr("event_id        x\n"), HasSubstr("BODY\n"), Not(HasSubstr("{\"a\""))));
}

TEST(lists, an_audit_that_does_not_hold_says_so) {
    const std::string seen = audit_text(json::parse(
        R"({"holds":false,"kept":{"accepted":3},"recounted":{"accepted":2},)"
        R"("differences":["one is missing"],"damaged":[{"file":"x.seg","offset":8,"what":"torn"}]})"));
    EXPECT_THAT(seen, HasSubstr("DOES NOT HOLD"));
    EXPECT_THAT(seen, HasSubstr("one is missing"));
    EXPECT_THAT(seen, HasSubstr("x.seg, offset 8: torn"));
}

TEST(top_view, shows_the_course_of_events) {
    EXPECT_EQ(sparkline({0, 1, 4, 8}, 10, true), " .:#");
    EXPECT_EQ(sparkline({0, 1, 4, 8}, 10, false), " \u2581\u2584\u2588");
    EXPECT_EQ(sparkline({9, 0, 0}, 2, true), "  ");
    EXPECT_EQ(sparkline({}, 10, true), "");
    course past;
    past.take(
        json::parse(R"({"since_start":{"accepted":100,"delivered":50},"daemon":{"ledger":{"pending":7}}})"),
        0);
    past.take(
        json::parse(R"({"since_start":{"accepted":160,"delivered":80},"daemon":{"ledger":{"pending":37}}})"),
        2);
    EXPECT_EQ(past.samples().back().accepted, 30);
    EXPECT_EQ(past.samples().back().delivered, 15);
    past.take(json::parse(R"({"since_start":{"accepted":3}})"), 1); // restarted
    EXPECT_EQ(past.samples().back().accepted, 0);
}

TEST(top_view, fits_every_screen) {
    course past;
    past.take(status_of("outage"), 0);
    for (const screen_size size :
         {screen_size{24, 80}, screen_size{50, 200}, screen_size{5, 20}, screen_size{1, 1}}) {
        const auto lines = top_lines(status_of("outage"), past, size, "it has gone", false);
        EXPECT_LE(lines.size(), std::max<std::size_t>(size.rows, 2));
        for (const std::string& line : lines) {
            EXPECT_LE(columns_of(line), size.columns);
        }
        EXPECT_EQ(std::ranges::count(redraw(lines, size), '\n'),
                  static_cast<long>(std::min(lines.size(), size.rows)) - 1);
    }
    EXPECT_THAT(top_lines(nullptr, past, {24, 80}, "it has gone", false).front(),
                HasSubstr("NO NEWS: it has gone"));
}

TEST(stories_view, tells_what_happened_and_what_it_waits_for) {
    const std::string seen = stories_text(
        json::parse(
            R"({"event_id":"x","stories":[{"number":3,"event_name":"e","event_id":"x","lane":"default",)"
            R"("state":"pending","accepted_at":"1970-01-01T00:00:00.000Z","listener":null,"waits_for":"its turn",)"
            R"("attempts_known":[{"at":"1970-01-01T00:00:01.000Z","attempt":1,"outcome":"transient","status":0,)"
            R"("duration_ms":1500,"ambiguous":true,"answer":"reset"}]},{"number":4,"state":"was_dead",)"
            R"("reason":"rejected","ended_at":"1970-01-01T00:00:02.000Z"}]})"),
        60);
    EXPECT_THAT(
        seen,
        HasSubstr("accepted 1970-01-01T00:00:00.000Z, 1m00s ago, by a listener that is not remembered"));
    EXPECT_THAT(seen, HasSubstr("after 1.5s: no answer, transient, the API may have counted it: reset"));
    EXPECT_THAT(seen, HasSubstr("waits for its turn"));
    EXPECT_THAT(seen, HasSubstr("was a dead letter (rejected)"));
    EXPECT_EQ(tail_line(json::parse(R"({"what":"lost","count":1200})")),
              "... 1,200 lines are lost here: this reader is too slow");
}

TEST(requests, carry_their_fields_encoded) {
    EXPECT_EQ(with_query("/v1/dead", {}), "/v1/dead");
    EXPECT_EQ(with_query("/v1/dead", {{"a", "x y&z"}, {"b", ""}, {"c", "1"}}), "/v1/dead?a=x%20y%26z&c=1");
}

TEST(unreachable, says_what_to_do) {
    EXPECT_THAT(words_for_unreachable("/x", std::make_error_code(std::errc::timed_out)),
                HasSubstr("no answer"));
    EXPECT_THAT(words_for_unreachable("/x", std::make_error_code(std::errc::not_a_socket)), HasSubstr("/x"));
}

} // namespace
} // namespace linkrunner::ctl
