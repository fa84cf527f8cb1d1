// Any bytes as an event, an array, NDJSON or an Idempotency-Key. The first byte chooses; Boost.JSON's own
// document parser is the judge of what should have come out.
#include "event/batch.hpp"
#include "event/event.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace event = linkrunner::event;
namespace json = boost::json;

constexpr std::size_t depth = 64;

class fixed_id final : public event::id_source {
  public:
    std::string make() override { return "made \"here\""; }
};

void expect(bool condition, const char* what) {
    if (!condition) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

json::value read(std::string_view text, std::size_t max_depth, json::error_code& failure) {
    json::parse_options options;
    options.max_depth = max_depth;
    return json::parse(text, failure, {}, options);
}

event::parse_options tight_options() {
    event::parse_options options;
    options.limits.max_event_bytes = 4096;
    options.limits.max_depth = depth;
    options.limits.max_key_field_bytes = 64;
    return options;
}

bool is_about_text(const event::violation& why) {
    return why.code == "malformed_json" || why.code == "invalid_utf8" || why.code == "too_deep";
}

void check_refusal(std::string_view text, const event::violation& why) {
    expect(!why.code.empty() && !why.message.empty(), "a refusal has a code and a message");
    expect((why.line != 0) == is_about_text(why), "a place is given for what is not JSON");
    if (why.code != "event_too_large") {
        json::error_code failure;
        read(text, depth, failure);
        expect(failure.failed() == is_about_text(why), "JSON is refused for its fields only");
    }
}

void check_acceptance(std::string_view text, const event::event& taken, const event::parse_options& options) {
    json::error_code failure;
    const json::value before = read(text, depth, failure);
    expect(!failure && before.is_object(), "what is taken was an object");
    const json::value after = read(taken.body, depth, failure);
    expect(!failure && after.is_object(), "what is sent is an object");
    expect(after.at("event_id").as_string() == json::string_view(taken.event_id), "the id is sent");
    expect(after.at("event_name").as_string() == json::string_view(taken.name), "the name is the one sent");
    for (const auto& member : before.as_object()) {
        // As text, because Boost.JSON reads 0e400 as not-a-number, which equals nothing.
        expect(member.key() == "event_id" ||
                   json::serialize(after.at(member.key())) == json::serialize(member.value()),
               "every member is sent");
    }
    fixed_id ids;
    auto again = event::parse_event(taken.body, "unused", options, ids);
    const auto* const same = std::get_if<event::event>(&again);
    expect(same != nullptr, "what is sent would be taken");
    expect(same->body == taken.body && same->event_id == taken.event_id, "what is sent stays as it is");
    expect(same->identity == taken.identity && same->user_key == taken.user_key, "it is the same event");
    expect(same->has_amount == taken.has_amount, "it goes by the same lane");
}

void one_event(std::string_view text, std::string_view fallback_id) {
    const event::parse_options options = tight_options();
    fixed_id ids;
    const auto parsed = event::parse_event(text, fallback_id, options, ids);
    if (const auto* const taken = std::get_if<event::event>(&parsed)) {
        check_acceptance(text, *taken, options);
    } else if (fallback_id.empty()) {
        check_refusal(text, std::get<event::violation>(parsed));
    }
}

void batch(event::batch_format format, std::string_view body) {
    event::parse_options options = tight_options();
    options.limits.max_event_bytes = body.size() + 100;
    fixed_id ids;
    event::batch_reader reader(format, body);
    std::size_t items = 0;
    bool condemned = false;
    std::size_t end = 0;
    auto next = reader.next();
    for (; const auto* const item = std::get_if<event::batch_item>(&next); next = reader.next()) {
        expect(item->index == items++, "indices count up");
        expect(item->offset >= end && item->offset + item->text.size() <= body.size(), "items are in order");
        expect(!item->text.empty(), "no item is empty");
        end = item->offset + item->text.size();
        auto parsed = event::parse_event(item->text, "", options, ids);
        if (auto* const why = std::get_if<event::violation>(&parsed)) {
            condemned = condemned || event::condemns_body(format, *why);
            event::locate_in_body(*why, body, *item);
            expect(why->column <= body.size() + 1, "the place is in the body");
        }
    }
    const bool ended_badly = std::holds_alternative<event::violation>(next);
    expect(std::holds_alternative<std::monostate>(reader.next()), "nothing comes after the end");
    if (format == event::batch_format::ndjson) {
        expect(!ended_badly, "lines condemn nothing");
        return;
    }
    json::error_code failure;
    const json::value whole = read(body, 200, failure);
    if (failure != json::error::too_deep) {
        const bool sound = !failure && whole.is_array();
        expect(sound == (!ended_badly && !condemned), "an array is taken if and only if it is JSON");
        expect(!sound || whole.as_array().size() == items, "every element is an item");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    // In memory of its own, so that reading over its end is seen.
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        one_event(text, "");
        break;
    case 1:
        batch(event::batch_format::array, text);
        break;
    case 2:
        batch(event::batch_format::ndjson, text);
        break;
    default:
        one_event(R"({"event_name":"a","user_id":"u"})", text);
        break;
    }
    return 0;
}
