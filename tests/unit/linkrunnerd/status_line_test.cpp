#include "linkrunnerd/status_line.hpp"

#include <gtest/gtest.h>

namespace linkrunner::daemon {
namespace {

TEST(status_line, tells_waiting_rate_and_what_was_delivered) {
    EXPECT_EQ(status_line({"healthy", "", 12, 29, 1204, ""}),
              "healthy: 12 waiting, 29/s, 1,204 delivered in the last minute");
    EXPECT_EQ(status_line({"draining", "stops", 1'234'567, 0.54, 0, ""}),
              "draining: 1,234,567 waiting, 0.5/s, 0 delivered in the last minute");
    EXPECT_EQ(status_line({"healthy", "", 0, 20'000, 999, ""}),
              "healthy: 0 waiting, 20000/s, 999 delivered in the last minute");
}

TEST(status_line, tells_the_reason_where_nothing_is_delivered) {
    EXPECT_EQ(status_line({"held_unauthorized", "401 from /capture-event", 4210, 29, 7, ""}),
              "held_unauthorized: 4,210 waiting; 401 from /capture-event");
    EXPECT_EQ(status_line({"paused", "", 3, 29, 0, ""}), "paused: 3 waiting");
}

TEST(status_line, tells_that_events_are_refused) {
    EXPECT_EQ(status_line({"outage", "connect", 1, 29, 0, "disk_full"}),
              "outage: 1 waiting; connect; new events are refused: disk_full");
}

TEST(status_line, is_one_line_of_utf_8) {
    const std::string odd = "a\nb\tc\x7F\xFF" + std::string(400, 'x');
    const std::string line = status_line({"outage", odd, 0, 0, 0, ""});
    EXPECT_TRUE(line.starts_with("outage: 0 waiting; a b c \xEF\xBF\xBDx"));
    EXPECT_TRUE(line.ends_with("x..."));
    EXPECT_LT(line.size(), 350U);
}

} // namespace
} // namespace linkrunner::daemon
