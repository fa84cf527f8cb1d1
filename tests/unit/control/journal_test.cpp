#include "control/journal.hpp"

#include "support/virtual_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::control {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

// A client that reads when it is told to.
class reader final : public net::body_stream {
  public:
    bool is_open() const override { return open; }
    std::size_t unsent_bytes() const override { return reads ? 0 : kept.size(); }
    void send(std::string_view text) override { kept += text; }
    void end() override { open = false; }
    std::string kept;
    bool open = true;
    bool reads = true;
};

class stories : public testing::Test {
  protected:
    telemetry::event_view event(std::uint64_t number, std::string_view id, std::string_view name = "e",
                                std::string_view body = R"({"user_id":"ann"})") {
        return {number, 1, clock_.wall(), id, name, body};
    }
    std::shared_ptr<reader> follow(follow_filter what = {}) {
        auto made = std::make_shared<reader>();
        EXPECT_TRUE(subject_.follow(std::move(what), made));
        return made;
    }
    test::virtual_clock clock_;
    test::virtual_loop loop_{clock_};
    journal subject_{loop_, clock_, {"revenue", "default"}};
    const telemetry::attempt_view good{1, "delivered", 201, milliseconds(12), "", false};
    const telemetry::attempt_view bad{1, "transient", 500, milliseconds(9), "try later", false};
};

TEST_F(stories, an_end_comes_with_the_attempts_before_it) {
    subject_.failed(event(7, "x"), bad, milliseconds(1000));
    ASSERT_NE(subject_.waiting(7), nullptr);
    EXPECT_EQ(*subject_.waiting(7)->next_attempt, clock_.wall() + milliseconds(1000));
    telemetry::attempt_view second = good;
    second.number = 2;
    subject_.succeeded(event(7, "x"), second, "delivered");
    EXPECT_EQ(subject_.waiting(7), nullptr);
    const auto found = subject_.ended("x");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0]->attempts.size(), 2U);
    EXPECT_EQ(found[0]->attempts[0].answer, "try later");
    EXPECT_EQ(found[0]->attempts[1].number, 2U);
    EXPECT_EQ(found[0]->end, event_end::delivered);
}

TEST_F(stories, only_the_last_ones_are_remembered) {
    for (std::uint64_t number = 1; number <= journal::most_ended + 5; ++number) {
        subject_.succeeded(event(number, "id" + std::to_string(number)), good, "delivered");
    }
    EXPECT_TRUE(subject_.ended("id5").empty());
    EXPECT_FALSE(subject_.ended("id6").empty());
    const std::string long_id(1000, 'x');
    for (std::uint64_t number = 1; number <= 5000; ++number) { // bytes bound it, too
        subject_.succeeded(event(number, long_id), good, "delivered");
    }
    EXPECT_LT(subject_.ended(long_id).size(), journal::most_text_bytes / 1000);
}

TEST_F(stories, waiting_ones_are_bounded_in_number_and_attempts) {
    for (int attempt = 0; attempt < 50; ++attempt) {
        telemetry::attempt_view how = bad;
        how.number = static_cast<std::uint32_t>(attempt + 1);
        subject_.failed(event(1, "x"), how, std::nullopt);
    }
    EXPECT_EQ(subject_.waiting(1)->attempts.size(), journal::most_attempts);
    EXPECT_EQ(subject_.waiting(1)->attempts.front().number, 1U);
    EXPECT_EQ(subject_.waiting(1)->attempts.back().number, 50U);
    for (std::uint64_t number = 2; number <= journal::most_waiting + 10; ++number) {
        subject_.failed(event(number, "x"), bad, std::nullopt);
    }
    EXPECT_EQ(subject_.waiting(1), nullptr);
    EXPECT_NE(subject_.waiting(journal::most_waiting + 10), nullptr);
}

TEST_F(stories, the_listener_is_remembered_for_the_latest) {
    subject_.accepted(1, "unix:/a", nullptr);
    subject_.accepted(2, "127.0.0.1:7417", nullptr);
    EXPECT_EQ(subject_.listener_of(1), "unix:/a");
    EXPECT_EQ(subject_.listener_of(2), "127.0.0.1:7417");
    EXPECT_EQ(subject_.listener_of(3), "");
    subject_.accepted(1 + 16'384, "127.0.0.1:7417", nullptr);
    EXPECT_EQ(subject_.listener_of(1), "");
}

TEST_F(stories, are_followed_as_they_happen_and_filtered) {
    EXPECT_FALSE(subject_.followed());
    const auto all = follow();
    follow_filter one_name;
    one_name.name = "purchase";
    const auto purchases = follow(one_name);
    follow_filter one_user;
    one_user.user = "bob";
    one_user.failed = true;
    const auto bob = follow(one_user);
    EXPECT_TRUE(subject_.followed());
    const telemetry::event_label label{"x", "e", R"({"user_id":"ann"})", 0};
    subject_.accepted(1, "unix:/a", &label);
    subject_.succeeded(event(1, "x"), good, "delivered");
    subject_.dead(event(2, "y", "purchase"), "rejected", &bad);
    subject_.failed(event(3, "z", "e", R"({"install_instance_id":"bob"})"), bad, milliseconds(5));
    EXPECT_EQ(all->kept, ""); // written together, at the end of this turn
    loop_.run_ready();
    EXPECT_THAT(all->kept,
                HasSubstr(R"("what":"accepted","number":1,"event_id":"x","event_name":"e","user":"ann",)"
                          R"("lane":"revenue","listener":"unix:/a"})"));
    EXPECT_THAT(all->kept, HasSubstr(R"("what":"delivered")"));
    EXPECT_THAT(all->kept, HasSubstr(R"("what":"dead","number":2)"));
    EXPECT_THAT(all->kept, Not(HasSubstr("failed"))); // asked for by name only
    EXPECT_THAT(purchases->kept, HasSubstr(R"("reason":"rejected")"));
    EXPECT_EQ(std::ranges::count(purchases->kept, '\n'), 1);
    EXPECT_THAT(bob->kept, HasSubstr(R"("next_in_ms":5})"));
    EXPECT_EQ(std::ranges::count(bob->kept, '\n'), 1);
}

TEST_F(stories, a_slow_reader_loses_lines_and_is_told_how_many) {
    const auto slow = follow();
    slow->reads = false;
    const std::string name(1000, 'n');
    for (std::uint64_t number = 1; number <= 1000; ++number) {
        subject_.succeeded(event(number, "x", name), good, "delivered");
        loop_.run_ready();
    }
    EXPECT_LT(slow->kept.size(), journal::most_unsent_bytes + 4096);
    const auto told = std::ranges::count(slow->kept, '\n');
    EXPECT_LT(told, 1000);
    slow->reads = true;
    subject_.tick();
    EXPECT_THAT(slow->kept, HasSubstr("{\"what\":\"lost\",\"count\":" + std::to_string(1000 - told) + "}\n"));
}

TEST_F(stories, followers_are_few_and_forgotten_when_they_go) {
    std::vector<std::shared_ptr<reader>> all;
    for (std::size_t i = 0; i < journal::most_followers; ++i) {
        all.push_back(follow());
    }
    EXPECT_FALSE(subject_.follow({}, std::make_shared<reader>()));
    all.front()->open = false;
    subject_.tick();
    EXPECT_EQ(subject_.followers(), journal::most_followers - 1);
}

} // namespace
} // namespace linkrunner::control
