#include "telemetry/trace_ids.hpp"

#include <gtest/gtest.h>

#include <string>

namespace linkrunner::telemetry {
namespace {

const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string read(const std::string& traceparent) {
    const auto id = trace_id_of(traceparent);
    return id ? std::string(id->begin(), id->end()) : "";
}

TEST(trace_ids, are_taken_from_the_header) {
    const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
    EXPECT_EQ(read(good), id);
    EXPECT_EQ(read("00-" + id + "-00f067aa0ba902b7-00"), id);
    EXPECT_EQ(read("cc-" + id + "-00f067aa0ba902b7-01-what-comes-later"), id);
    EXPECT_EQ(read("cc-" + id + "-00f067aa0ba902b7-01"), id);
}

TEST(trace_ids, are_not_taken_from_headers_that_are_not_valid) {
    for (const std::string& text :
         {std::string(), std::string("00"), good.substr(1), good.substr(0, good.size() - 1), good + "-x",
          good + "x", "ff" + good.substr(2), "cc" + good.substr(2) + "x", "0g" + good.substr(2),
          std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
          std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01"),
          std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"),
          std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x")}) {
        EXPECT_EQ(read(text), "") << text;
    }
}

TEST(trace_ids, are_remembered_until_they_are_forgotten_the_oldest_first_where_there_is_no_room) {
    trace_ids known(3);
    const trace_id one = *trace_id_of(good);
    for (std::uint64_t number = 1; number <= 4; ++number) {
        known.remember(number, one);
    }
    EXPECT_EQ(known.of(1), "");
    EXPECT_EQ(known.of(2), "4bf92f3577b34da6a3ce929d0e0e4736");
    known.forget(2);
    EXPECT_EQ(known.of(2), "");
    EXPECT_EQ(known.of(4), "4bf92f3577b34da6a3ce929d0e0e4736");
    known.forget(17);
}

} // namespace
} // namespace linkrunner::telemetry
