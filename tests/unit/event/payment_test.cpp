// Payments: what they must hold, what makes them the same, in whose order they stand, what the rules find.
#include "unit/event/policing.hpp"

#include <gmock/gmock.h>

namespace linkrunner::event {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view payment = R"({"user_id":"u","payment_id":"p1","amount":12.50})";

std::variant<event, violation> parse_call(std::string_view text, call from, parse_options options = {},
                                          std::string_view fallback_id = "") {
    counted_ids ids;
    return parse_event(text, fallback_id, options, ids, intake_time, from);
}

event captured(std::string_view text, std::string_view fallback_id = "") {
    auto parsed = parse_call(text, endpoint::capture_payment, {}, fallback_id);
    if (const auto* const why = std::get_if<violation>(&parsed)) {
        ADD_FAILURE() << text << "\nwas refused: " << why->code << ": " << why->message;
        return {};
    }
    return std::get<event>(std::move(parsed));
}

event removed(std::string_view text, std::string_view fallback_id = "", bool remove_all = false) {
    parse_options options;
    options.remove_all_payments = remove_all;
    auto parsed = parse_call(text, endpoint::remove_payment, options, fallback_id);
    if (const auto* const why = std::get_if<violation>(&parsed)) {
        ADD_FAILURE() << text << "\nwas refused: " << why->code << ": " << why->message;
        return {};
    }
    return std::get<event>(std::move(parsed));
}

std::string refusal_of(std::string_view text, call from) {
    const auto parsed = parse_call(text, from);
    const auto* const why = std::get_if<violation>(&parsed);
    return why == nullptr ? "taken" : why->code + " " + why->pointer;
}

TEST(payment, goes_to_its_own_path_as_it_came) {
    const event taken = captured(payment);
    EXPECT_EQ(taken.path, endpoint::capture_payment);
    EXPECT_EQ(taken.body, payment);
    EXPECT_EQ(taken.name, "capture-payment");
    EXPECT_EQ(taken.event_id, "p1");
    EXPECT_TRUE(taken.has_amount) << "its lane is that of events with an amount";
}

TEST(payment, must_hold_what_the_api_asks_for) {
    const call to = endpoint::capture_payment;
    EXPECT_EQ(refusal_of(R"({"payment_id":"p","amount":1})", to), "missing_field /user_id");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","payment_id":"p"})", to), "missing_field /amount");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","amount":null})", to), "missing_field /amount");
    EXPECT_EQ(refusal_of(R"({"user_id":7,"amount":1})", to), "mistyped_field /user_id");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","payment_id":7,"amount":1})", to), "mistyped_field /payment_id");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","amount":1,"type":[]})", to), "mistyped_field /type");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","amount":1,"event_data":"x"})", to), "mistyped_field /event_data");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","amount":1,"amount":2})", to), "duplicate_field /amount");
    EXPECT_EQ(refusal_of(R"({"user_id":"u","amount":1,"payment_id":" "})", to), "empty_field /payment_id");
}

TEST(payment, has_its_identity_from_type_and_payment_id) {
    const event first = captured(payment);
    EXPECT_EQ(first.identity, captured(R"({"user_id":"v","payment_id":"p1","amount":9})").identity);
    EXPECT_EQ(first.identity,
              captured(R"({"user_id":"u","payment_id":"p1","amount":9,"type":"DEFAULT"})").identity)
        << "a payment without type is one of DEFAULT";
    EXPECT_NE(first.identity,
              captured(R"({"user_id":"u","payment_id":"p1","amount":9,"type":"ONE_TIME"})").identity);
    EXPECT_NE(first.identity, captured(R"({"user_id":"u","payment_id":"p2","amount":9})").identity);
    EXPECT_EQ(first.identity, captured(payment, "key").identity) << "its own id counts, not Idempotency-Key";
    EXPECT_NE(first.identity, accepted(event_with(R"("event_id":"p1",)")).identity);
}

TEST(payment, without_payment_id_has_the_id_that_it_came_with_or_a_made_one) {
    constexpr std::string_view bare = R"({"user_id":"u","amount":1})";
    EXPECT_EQ(captured(bare).event_id, "made-1");
    EXPECT_EQ(captured(bare, "key").event_id, "key");
    EXPECT_EQ(captured(bare, "key").identity, captured(bare, "key").identity);
    EXPECT_NE(captured(bare, "key").identity, captured(bare, "other").identity);
    EXPECT_EQ(captured(R"({"user_id":"u","amount":1,"event_id":"e"})").event_id, "e");
    EXPECT_EQ(captured(bare).body, bare) << "the call knows no event_id";
}

TEST(payment, stands_in_the_order_of_its_user) {
    const event of_user = accepted(event_with(""));
    EXPECT_EQ(captured(payment).user_key, of_user.user_key);
    EXPECT_EQ(removed(R"({"user_id":"u","payment_id":"p1"})").user_key, of_user.user_key);
    EXPECT_NE(removed(R"({"payment_id":"p1"})").user_key, of_user.user_key);
    EXPECT_EQ(removed(R"({"payment_id":"p1"})").user_key, removed(R"({"payment_id":"p1"})").user_key);
}

TEST(removal, names_a_payment) {
    const event taken = removed(R"({"payment_id":"p1"})");
    EXPECT_EQ(taken.path, endpoint::remove_payment);
    EXPECT_EQ(taken.name, "remove-payment");
    EXPECT_EQ(taken.event_id, "p1");
    EXPECT_EQ(taken.lane_name(), "capture-payment") << "it goes where its payment goes";
    EXPECT_EQ(refusal_of("{}", endpoint::remove_payment), "missing_field /payment_id");
}

TEST(removal, of_all_payments_of_a_user_must_be_allowed) {
    constexpr std::string_view all = R"({"user_id":"u"})";
    EXPECT_EQ(refusal_of(all, endpoint::remove_payment), "remove_all_payments /payment_id");
    EXPECT_EQ(removed(all, "", true).body, all);
}

TEST(removal, is_a_repeat_only_where_the_caller_says_so) {
    constexpr std::string_view one = R"({"payment_id":"p1"})";
    counted_ids ids;
    const parse_options options;
    const auto identity = [&](std::string_view key) {
        return std::get<event>(parse_event(one, key, options, ids, "", endpoint::remove_payment)).identity;
    };
    EXPECT_NE(identity(""), identity(""));
    EXPECT_EQ(identity("key"), identity("key"));
    EXPECT_NE(identity("key"), identity("other"));
    EXPECT_NE(removed(one, "key").identity, captured(payment, "key").identity);
}

TEST(wrapped_call, says_where_its_payload_goes) {
    const auto parse_any = [](const std::string& text) {
        return std::get<event>(parse_call(text, any_call));
    };
    const event paid = parse_any(R"({"type":"capture-payment","payload": )" + std::string(payment) + " }");
    EXPECT_EQ(paid.path, endpoint::capture_payment);
    EXPECT_EQ(paid.body, payment);
    EXPECT_EQ(paid.identity, captured(payment).identity);
    EXPECT_EQ(parse_any(R"({"payload":{"payment_id":"p1"},"type":"remove-payment"})").path,
              endpoint::remove_payment);
    const event plain = parse_any(R"({"type":"capture-event","payload":)" + event_with("") + "}");
    EXPECT_EQ(plain.identity, parse_any(event_with("")).identity);
}

TEST(wrapped_call, may_say_the_id_of_what_has_none) {
    counted_ids ids;
    const auto id_of = [&](std::string_view text) {
        auto parsed = parse_event(text, "of-the-request", no_id_added(), ids, intake_time, any_call);
        if (const auto* const why = std::get_if<violation>(&parsed)) {
            return why->code + " " + why->message;
        }
        return std::get<event>(parsed).event_id + " " + std::get<event>(parsed).body;
    };
    EXPECT_EQ(
        id_of(R"({"type":"capture-event","event_id":"w\"1","payload":{"event_name":"a","user_id":"u"}})"),
        R"(w"1 {"event_name":"a","user_id":"u"})")
        << "and the bytes of the event stay";
    EXPECT_EQ(id_of(R"({"type":"capture-event","event_id":"w",)"
                    R"("payload":{"event_name":"a","user_id":"u","event_id":"own"}})"),
              R"(own {"event_name":"a","user_id":"u","event_id":"own"})");
    EXPECT_EQ(id_of(R"({"type":"capture-event","event_id":"","payload":{"event_name":"a","user_id":"u"}})"),
              R"(of-the-request {"event_name":"a","user_id":"u"})");
    EXPECT_THAT(id_of(R"({"type":"capture-event","event_id":")" + std::string(1025, 'x') +
                      R"(","payload":{"event_name":"a","user_id":"u"}})"),
                HasSubstr("field_too_long event_id of the wrapper"));
}

// What fits by itself fits in a wrapper, too: another linkrunnerd hands it over so.
TEST(wrapped_call, counts_for_nothing_in_the_bounds_of_the_event) {
    parse_options options = no_id_added();
    options.limits.max_event_bytes = 200;
    options.limits.max_depth = 4;
    counted_ids ids;
    const auto code_of = [&](const std::string& text) {
        const auto parsed = parse_event(text, "", options, ids, intake_time, any_call);
        const auto* const why = std::get_if<violation>(&parsed);
        return why == nullptr ? std::string("taken") : why->code;
    };
    const auto wrap = [](const std::string& event) {
        return R"({"type":"capture-event","event_id":"w","payload":)" + event + "}";
    };
    const std::string empty = R"({"event_name":"a","user_id":"u","event_data":{"x":""}})";
    const std::string full = R"({"event_name":"a","user_id":"u","event_data":{"x":")" +
                             std::string(200 - empty.size(), 'x') + "\"}}";
    EXPECT_EQ(code_of(full), "taken");
    EXPECT_EQ(code_of(wrap(full)), "taken");
    const std::string larger = R"({"event_name":"a","user_id":"u","event_data":{"x":")" +
                               std::string(201 - empty.size(), 'x') + "\"}}";
    EXPECT_EQ(code_of(larger), "event_too_large");
    EXPECT_EQ(code_of(wrap(larger)), "event_too_large");
    const std::string deep = R"({"event_name":"a","user_id":"u","event_data":{"x":[[1]]}})";
    EXPECT_EQ(code_of(deep), "taken");
    EXPECT_EQ(code_of(wrap(deep)), "taken");
    const std::string deeper = R"({"event_name":"a","user_id":"u","event_data":{"x":[[[1]]]}})";
    EXPECT_EQ(code_of(deeper), "too_deep");
    EXPECT_EQ(code_of(wrap(deeper)), "too_deep");
}

TEST(wrapped_call, is_refused_with_the_place_in_it) {
    EXPECT_EQ(refusal_of(R"({"type":"capture-payment"})", any_call), "missing_field /payload");
    EXPECT_EQ(refusal_of(R"({"type":"capture-payment","payload":[1]})", any_call), "mistyped_field /payload");
    EXPECT_EQ(refusal_of(R"({"type":"capture-payment","payload":{"user_id":"u"}})", any_call),
              "missing_field /payload/amount");
    EXPECT_EQ(refusal_of(R"({"type":"refund","payload":{}})", any_call), "missing_field /event_name");
    EXPECT_EQ(
        refusal_of(R"({"type":"capture-event","payload":{"type":"capture-event","payload":{}}})", any_call),
        "missing_field /payload/event_name")
        << "one wrapper is enough";
}

TEST(wrapped_call, is_none_on_the_path_of_one_call_nor_where_there_is_an_event_name) {
    const std::string text =
        R"({"event_name":"a","user_id":"u","type":"capture-payment","payload":{},"type":1})";
    EXPECT_EQ(std::get<event>(parse_call(text, any_call)).name, "a");
    EXPECT_EQ(refusal_of(R"({"type":"capture-payment","payload":{}})", endpoint::capture_event),
              "missing_field /event_name");
}

event taken_as_payment(const policy_settings& settings, std::string_view text, call from) {
    const policy rules(settings, bracketed);
    parse_options options;
    options.rules = &rules;
    auto parsed = parse_call(text, from, options);
    if (const auto* const why = std::get_if<violation>(&parsed)) {
        ADD_FAILURE() << text << "\nwas refused: " << why->code << ": " << why->message;
        return {};
    }
    return std::get<event>(std::move(parsed));
}

std::string refusal_under(const policy_settings& settings, std::string_view text) {
    const policy rules(settings, bracketed);
    parse_options options;
    options.rules = &rules;
    const auto parsed = parse_call(text, endpoint::capture_payment, options);
    const auto* const why = std::get_if<violation>(&parsed);
    return why == nullptr ? "taken" : why->code + " " + why->pointer;
}

TEST(payment_rules, mend_an_amount_in_quotes_and_refuse_what_is_no_number) {
    const policy_settings fixing = with_check(rule::amount_as_string, action::fix);
    const event taken = taken_as_payment(fixing, R"({"user_id":"u","payment_id":"p","amount": " 12.50 "})",
                                         endpoint::capture_payment);
    EXPECT_EQ(taken.body, R"({"user_id":"u","payment_id":"p","amount": 12.50})");
    EXPECT_THAT(found_in(taken), ElementsAre("amount_as_string!"));
    constexpr std::string_view quoted = R"({"user_id":"u","payment_id":"p","amount":"12"})";
    constexpr std::string_view odd = R"({"user_id":"u","payment_id":"p","amount":"12 EUR"})";
    EXPECT_EQ(refusal_under(fixing, odd), "mistyped_field /amount");
    EXPECT_EQ(refusal_under({}, quoted), "mistyped_field /amount") << "the API takes numbers only";
    EXPECT_EQ(refusal_under(with_check(rule::amount_as_string, action::reject), quoted),
              "amount_as_string /amount");
    EXPECT_EQ(refusal_under(with_check(rule::amount_not_number, action::reject), odd),
              "amount_not_number /amount");
}

TEST(payment_rules, know_the_documented_types_and_statuses) {
    policy_settings settings = with_check(rule::payment_type, action::warn);
    settings.checks[rule::payment_status] = action::warn;
    const auto found = [&](std::string_view members) {
        return found_in(taken_as_payment(
            settings, R"({"user_id":"u","payment_id":"p","amount":1)" + std::string(members) + "}",
            endpoint::capture_payment));
    };
    for (const std::string_view type :
         {"FIRST_PAYMENT", "SECOND_PAYMENT", "WALLET_TOPUP", "FUNDS_WITHDRAWAL", "SUBSCRIPTION_CREATED",
          "SUBSCRIPTION_RENEWED", "ONE_TIME", "RECURRING", "DEFAULT"}) {
        EXPECT_THAT(found(R"(,"type":")" + std::string(type) + "\""), IsEmpty()) << type;
    }
    for (const std::string_view status :
         {"PAYMENT_INITIATED", "PAYMENT_COMPLETED", "PAYMENT_FAILED", "PAYMENT_CANCELLED"}) {
        EXPECT_THAT(found(R"(,"status":")" + std::string(status) + "\""), IsEmpty()) << status;
    }
    EXPECT_THAT(found(R"(,"type":"first_payment","status":"DONE")"),
                ElementsAre("payment_type", "payment_status"));
    settings.checks[rule::payment_type] = action::reject;
    EXPECT_EQ(refusal_under(settings, R"({"user_id":"u","amount":1,"type":"TIP"})"), "payment_type /type");
}

TEST(payment_rules, miss_a_payment_id) {
    const policy_settings settings = with_check(rule::missing_payment_id, action::warn);
    const event taken =
        taken_as_payment(settings, R"({"user_id":"u","amount":1})", endpoint::capture_payment);
    EXPECT_THAT(found_in(taken), ElementsAre("missing_payment_id"));
    const event wrapped_one = taken_as_payment(
        settings, R"({"type":"capture-payment","payload":{"user_id":"u","amount":1}})", any_call);
    EXPECT_EQ(wrapped_one.findings.at(0).pointer, "/payload/payment_id");
}

TEST(payment_rules, see_a_payment_in_an_event) {
    const policy_settings settings = with_check(rule::payment_event, action::warn);
    EXPECT_THAT(found_in(taken_under(settings, with_data(R"({"payment_id":"p","amount":3})"))),
                ElementsAre("payment_event"));
    EXPECT_THAT(found_in(taken_under(settings, with_data(R"({"payment_id":null,"amount":3})"))), IsEmpty());
    EXPECT_THAT(found_in(taken_under(settings, with_data(R"({"amount":3})"))), IsEmpty());
    EXPECT_THAT(found_in(taken_under(settings, with_data(R"({"payment_id":"p"})"))), IsEmpty());
}

TEST(payment_rules, per_name_are_those_of_the_call) {
    policy_settings settings;
    settings.rules.resize(2);
    settings.rules[0].names = {"capture-payment"};
    settings.rules[0].lane = 3;
    settings.rules[0].ambiguous_dead = true;
    settings.rules[1].names = {"remove-*"};
    settings.rules[1].lane = 1;
    const event paid = taken_as_payment(settings, payment, endpoint::capture_payment);
    EXPECT_EQ(paid.lane, 3);
    EXPECT_EQ(paid.ambiguous_dead, true);
    const event taken_back = taken_as_payment(settings, R"({"payment_id":"p1"})", endpoint::remove_payment);
    EXPECT_EQ(taken_back.lane, 3) << "a removal stays in the lane of its payment";
    EXPECT_EQ(taken_back.ambiguous_dead, std::nullopt);
}

TEST(payment_rules, redact_and_add_as_in_events) {
    policy_settings settings;
    settings.redact.push_back({"email", "", redaction_kind::mask, {}});
    settings.add.push_back({"region", "eu", {}});
    const event taken = taken_as_payment(
        settings, R"({"user_id":"u","payment_id":"p","amount":1,"event_data":{"email":"a@b"}})",
        endpoint::capture_payment);
    EXPECT_EQ(taken.body,
              R"({"user_id":"u","payment_id":"p","amount":1,"event_data":{"region":"eu","email":"***"}})");
    const event taken_back = taken_as_payment(settings, R"({"payment_id":"p"})", endpoint::remove_payment);
    EXPECT_EQ(taken_back.body, R"({"payment_id":"p"})") << "a removal has no event_data";
}

} // namespace
} // namespace linkrunner::event
