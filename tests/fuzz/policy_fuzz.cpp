// Any bytes as an event, a payment or a removal under a policy that mends, redacts and adds. Boost.JSON's own
// document parser is the judge of what came out.
#include "event/event.hpp"
#include "event/policy.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace event = linkrunner::event;
namespace json = boost::json;

class fixed_id final : public event::id_source {
  public:
    std::string make() override { return "made"; }
};

void expect(bool condition, const char* what) {
    if (!condition) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

json::value read(std::string_view text) {
    json::parse_options options;
    options.max_depth = 64;
    json::error_code failure;
    json::value out = json::parse(text, failure, {}, options);
    expect(!failure && out.is_object(), "what is sent is an object");
    return out;
}

bool is_email(std::string_view key) {
    constexpr std::string_view word = "email";
    return std::ranges::equal(key, word, [](char left, char right) {
        return left == right || (left >= 'A' && left <= 'Z' && left - 'A' + 'a' == right);
    });
}

void expect_no_email(const json::value& in, bool is_root) {
    if (const json::object* const object = in.if_object()) {
        for (const auto& [key, value] : *object) {
            expect(!is_email(key), "no key of that name is left");
            if (!is_root || key == "event_data") {
                expect(key != "secret" || value == "***", "what is masked is masked");
            }
            expect_no_email(value, false);
        }
    } else if (const json::array* const array = in.if_array()) {
        for (const json::value& each : *array) {
            expect_no_email(each, false);
        }
    }
}

event::policy_settings everything() {
    event::policy_settings out;
    out.checks.all.fill(event::action::fix);
    out.revenue_names = {"order_*"};
    out.redact = {{"email", "", event::redaction_kind::remove, {}},
                  {"secret", "", event::redaction_kind::mask, {}},
                  {"", "/event_data/list/1", event::redaction_kind::mask, {}}};
    return out;
}

event::event take(std::string_view text, event::call from, const event::policy_settings& settings,
                  bool& taken) {
    const event::policy rules(settings, [](std::string_view) { return std::string("00"); });
    event::parse_options options;
    options.limits.max_depth = 60;
    options.rules = &rules;
    options.remove_all_payments = true;
    fixed_id ids;
    auto parsed = event::parse_event(text, "", options, ids, "now", from);
    taken = std::holds_alternative<event::event>(parsed);
    return taken ? std::get<event::event>(std::move(parsed)) : event::event();
}

void one(std::string_view text, event::call from) {
    bool taken = false;
    const event::event first = take(text, from, everything(), taken);
    if (!taken) {
        return;
    }
    const json::value sent = read(first.body);
    expect_no_email(sent, true);
    if (first.path == linkrunner::endpoint::capture_event) {
        expect(sent.at("event_name").as_string() == json::string_view(first.name),
               "the name is the one sent");
    } else {
        expect(first.name == linkrunner::name_of(first.path), "a payment is named after its call");
    }
    if (first.path == linkrunner::endpoint::capture_payment) {
        expect(sent.at("amount").is_number(), "an amount is a number");
    }

    const event::event again = take(first.body, first.path, everything(), taken);
    expect(taken, "what is sent would be taken");
    expect(again.body == first.body, "mending twice changes nothing more");
    expect(std::ranges::none_of(again.findings, &event::finding::fixed), "nothing is left to mend");
    expect(again.identity == first.identity && again.user_key == first.user_key, "it is the same event");

    if (first.path == linkrunner::endpoint::remove_payment) {
        return;
    }
    event::policy_settings adding;
    adding.stamp = "stamp";
    adding.add = {{"added", "here", {}}};
    const event::event more = take(first.body, first.path, adding, taken);
    expect(taken, "an addition spoils nothing");
    const json::value with = read(more.body);
    expect(with.at("event_data").as_object().contains("stamp"), "the stamp is there");
    expect(with.at("event_data").as_object().contains("added"), "the addition is there");
    adding.overwrite = true;
    expect(read(take(more.body, first.path, adding, taken).body).at("event_data").at("added") == "here",
           "and replaces what stood there");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    one(text, event::any_call);
    one(text, linkrunner::endpoint::capture_payment);
    one(text, linkrunner::endpoint::remove_payment);
    return 0;
}
