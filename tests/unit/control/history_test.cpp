#include "control/history.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace linkrunner::control {
namespace {

using std::chrono::seconds;
namespace json = boost::json;

struct the_last_hour : testing::Test {
    history subject{{"revenue", "default"}};
    sample now;
    telemetry::age_sketch ages;

    the_last_hour() {
        now.at = steady_time(seconds(1000));
        now.wall = wall_time(seconds(1'700'000'000));
        now.state = "healthy";
    }

    void pass(int how_many, std::uint64_t accepted_each = 0, std::uint64_t delivered_each = 0) {
        for (int i = 0; i < how_many; ++i) {
            subject.add(now, [this] { return std::exchange(ages, {}); });
            now.at += seconds(1);
            now.wall += seconds(1);
            now.sums.accepted += accepted_each;
            now.sums.delivered += delivered_each;
        }
    }
    json::object points() { return json::parse(subject.json()).as_object(); }
    std::size_t count() { return points().at("time").as_array().size(); }
    double value(const char* column, std::size_t index) {
        return points().at(column).as_array().at(index).to_number<double>();
    }
};

TEST_F(the_last_hour, begins_empty) {
    EXPECT_EQ(count(), 0U);
    EXPECT_EQ(points().at("schema"), 1);
    EXPECT_EQ(subject.last().seconds, 0);
    EXPECT_EQ(points().at("lanes").as_array().size(), 2U);
}

TEST_F(the_last_hour, gets_a_point_every_ten_seconds_with_what_happened_in_them) {
    pass(11, 20, 5);
    ASSERT_EQ(count(), 1U);
    EXPECT_EQ(value("time", 0), 1'700'000'010);
    EXPECT_DOUBLE_EQ(value("accepted_per_second", 0), 20);
    EXPECT_DOUBLE_EQ(value("delivered_per_second", 0), 5);
    EXPECT_TRUE(points().at("delivery_age_p50_seconds").as_array().at(0).is_null());
    pass(10);
    ASSERT_EQ(count(), 2U);
    EXPECT_DOUBLE_EQ(value("accepted_per_second", 1), 2); // one second of the twenty
}

TEST_F(the_last_hour, keeps_ages_lanes_and_state_of_each_point) {
    ages.add(seconds(2));
    now.pending[1] = 17;
    now.state = "throttled";
    now.rate_limit = 29;
    pass(11);
    EXPECT_NEAR(value("delivery_age_p99_seconds", 0), 2, 0.07);
    EXPECT_EQ(points().at("state").as_array().at(0), "throttled");
    EXPECT_DOUBLE_EQ(value("rate_limit_per_second", 0), 29);
    EXPECT_EQ(points().at("lanes").at(1).at("pending").at(0).to_number<int>(), 17);
    EXPECT_EQ(points().at("lanes").at(0).at("pending").at(0).to_number<int>(), 0);
    EXPECT_EQ(subject.last().ages.count(), 1U);
    pass(60);
    EXPECT_EQ(subject.last().ages.count(), 0U);
}

TEST_F(the_last_hour, forgets_what_is_older_and_never_grows) {
    pass(1 + 10 * 400, 1);
    ASSERT_EQ(count(), history::capacity);
    EXPECT_EQ(value("time", 0), 1'700'000'000 + 410);
    EXPECT_EQ(value("time", 359), 1'700'000'000 + 4000);
    EXPECT_LT(sizeof(history), 70'000U);
}

TEST_F(the_last_hour, tells_the_throughput_of_the_last_ten_seconds) {
    pass(3, 10);
    EXPECT_DOUBLE_EQ(subject.last().seconds, 2);
    EXPECT_DOUBLE_EQ(subject.last().accepted, 10);
    pass(40, 30);
    EXPECT_DOUBLE_EQ(subject.last().seconds, 10);
    EXPECT_DOUBLE_EQ(subject.last().accepted, 30);
}

TEST_F(the_last_hour, counts_a_late_sample_by_the_time_that_passed) {
    pass(1);
    now.at += seconds(19); // the loop was busy
    now.wall += seconds(19);
    now.sums.accepted += 200;
    pass(1);
    ASSERT_EQ(count(), 1U);
    EXPECT_DOUBLE_EQ(value("accepted_per_second", 0), 10);
}

} // namespace
} // namespace linkrunner::control
