// events.stamp: the intake time in event_data.
#include "unit/event/parsing.hpp"

#include <gtest/gtest.h>

namespace linkrunner::event {
namespace {

using namespace std::chrono_literals;

parse_options stamped() {
    parse_options options = no_id_added();
    options.stamp = "occurred_at";
    options.now = std::chrono::sys_time<std::chrono::milliseconds>(1'795'449'609'007ms);
    return options;
}

constexpr const char* when = R"("occurred_at":"2026-11-23T16:00:09.007Z")";

TEST(stamp, is_put_into_the_event_data_in_front_of_what_is_there) {
    EXPECT_EQ(accepted(R"({"event_name":"a","user_id":"u","event_data":{ "amount": 1.50}})", stamped()).body,
              R"({"event_name":"a","user_id":"u","event_data":{)" + std::string(when) +
                  R"(, "amount": 1.50}})");
}

TEST(stamp, makes_event_data_where_there_is_none) {
    EXPECT_EQ(accepted(R"({"event_name":"a","user_id":"u"})", stamped()).body,
              R"({"event_data":{)" + std::string(when) + R"(},"event_name":"a","user_id":"u"})");
    EXPECT_EQ(accepted(R"({"event_name":"a","event_data":null,"user_id":"u"})", stamped()).body,
              R"({"event_name":"a","event_data":{)" + std::string(when) + R"(},"user_id":"u"})");
    EXPECT_EQ(accepted(R"({"event_name":"a","event_data":{ },"user_id":"u"})", stamped()).body,
              R"({"event_name":"a","event_data":{)" + std::string(when) + R"( },"user_id":"u"})");
}

TEST(stamp, leaves_the_callers_own_time_alone) {
    for (const char* key : {"occurred_at", "occurred\\u005fat"}) {
        const std::string text =
            R"({"event_name":"a","user_id":"u","event_data":{"x":1,")" + std::string(key) + R"(":"then"}})";
        EXPECT_EQ(accepted(text, stamped()).body, text);
    }
}

TEST(stamp, goes_together_with_an_event_id_that_is_added) {
    parse_options options = stamped();
    options.add_event_id = true;
    EXPECT_EQ(accepted(R"({"event_name":"a","user_id":"u","event_data":{"x":1}})", options).body,
              R"({"event_id":"made-1","event_name":"a","user_id":"u","event_data":{)" + std::string(when) +
                  R"(,"x":1}})");
}

TEST(stamp, does_not_make_a_repeat_another_event) {
    const std::string text = R"({"event_name":"a","user_id":"u","event_id":"i"})";
    parse_options later = stamped();
    later.now += 5s;
    const event first = accepted(text, stamped());
    const event second = accepted(text, later);
    EXPECT_NE(first.body, second.body);
    EXPECT_EQ(first.body_hash, second.body_hash);
    EXPECT_EQ(first.identity, second.identity);
}

TEST(stamp, counts_for_the_size_that_is_allowed) {
    parse_options options = stamped();
    const std::string text = R"({"event_name":"a","user_id":"u"})";
    options.limits.max_event_bytes = text.size() + 10;
    EXPECT_EQ(refused(text, options).code, "event_too_large");
}

} // namespace
} // namespace linkrunner::event
