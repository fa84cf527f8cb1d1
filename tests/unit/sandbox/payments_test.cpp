#include "sandbox/api.hpp"
#include "sandbox/control.hpp"

#include <gmock/gmock.h>

namespace linkrunner::sandbox {
namespace {

using testing::HasSubstr;

constexpr steady_time now{};
constexpr wall_time noon{std::chrono::seconds(1'772'366'400)};

reply call(api& state, std::string_view path, std::string_view body) {
    return state.handle({"POST", path, "key", "application/json", body, false}, now, noon);
}
reply capture(api& state, std::string_view body) {
    return call(state, "/api/v1/capture-payment", body);
}
reply take_back(api& state, std::string_view body) {
    return call(state, "/api/v1/remove-payment", body);
}

TEST(sandbox_payments, are_recorded_once_for_type_and_payment_id) {
    api state({});
    EXPECT_EQ(capture(state, R"({"user_id":"u","payment_id":"p","amount":1})").status, 201);
    EXPECT_EQ(capture(state, R"({"user_id":"u","payment_id":"p","amount":2,"type":"DEFAULT"})").status, 201);
    EXPECT_EQ(capture(state, R"({"user_id":"u","payment_id":"p","amount":3,"type":"ONE_TIME"})").status, 201);
    EXPECT_EQ(capture(state, R"({"user_id":"u","amount":4})").status, 201);
    EXPECT_EQ(capture(state, R"({"user_id":"u","amount":4})").status, 201);
    EXPECT_EQ(state.paid().held().size(), 4U);
    EXPECT_EQ(state.paid().held().front().amount, "1");
    EXPECT_EQ(state.paid().ignored(), 1U);
    EXPECT_EQ(state.events().duplicates(), 1U);
}

TEST(sandbox_payments, are_refused_without_what_they_need) {
    api state({});
    EXPECT_THAT(capture(state, R"({"payment_id":"p","amount":1})").body, HasSubstr("user_id"));
    EXPECT_THAT(capture(state, R"({"user_id":"u"})").body, HasSubstr("amount"));
    EXPECT_THAT(capture(state, R"({"user_id":"u","amount":"1"})").body, HasSubstr("must be a number"));
    EXPECT_THAT(take_back(state, "{}").body, HasSubstr("payment_id or user_id"));
    EXPECT_EQ(state.sums().answers[400], 4U);
}

TEST(sandbox_payments, are_removed_by_payment_id_or_all_of_a_user) {
    api state({});
    capture(state, R"({"user_id":"u","payment_id":"p","amount":1})");
    capture(state, R"({"user_id":"u","payment_id":"q","amount":1})");
    capture(state, R"({"user_id":"u","payment_id":"r","amount":1})");
    capture(state, R"({"user_id":"v","payment_id":"s","amount":1})");
    EXPECT_EQ(take_back(state, R"({"user_id":"u","payment_id":"p"})").status, 200);
    EXPECT_EQ(state.paid().removed(), 1U);
    EXPECT_EQ(take_back(state, R"({"payment_id":"p"})").status, 400);
    EXPECT_EQ(take_back(state, R"({"user_id":"u"})").status, 200);
    EXPECT_EQ(state.paid().removed(), 3U);
    const auto list = answer_control(state, {"GET", "/payments?user=v", {}, {}, {}, false}, now, noon).body;
    EXPECT_EQ(list, "[{\"user_id\":\"v\",\"payment_id\":\"s\",\"type\":\"DEFAULT\","
                    "\"status\":\"PAYMENT_COMPLETED\",\"amount\":1}]\n");
    capture(state, R"({"user_id":"u","payment_id":"p","amount":1})");
    EXPECT_EQ(state.paid().held().size(), 2U) << "what was removed may come again";
    state.reset();
    EXPECT_TRUE(state.paid().held().empty());
}

TEST(sandbox_payments, are_bounded) {
    payments few(2);
    for (const char* id : {"a", "b", "c"}) {
        EXPECT_TRUE(few.capture({"u", id, "DEFAULT", "", "1"}));
    }
    EXPECT_EQ(few.held().size(), 2U);
    EXPECT_TRUE(few.capture({"u", "a", "DEFAULT", "", "1"})) << "the oldest is forgotten";
}

} // namespace
} // namespace linkrunner::sandbox
