#include "event/event.hpp"

#include "base/json_text.hpp"
#include "event/codes.hpp"
#include "event/fields.hpp"
#include "event/scan.hpp"
#include "event/stamp.hpp"
#include "event/syntax.hpp"

#include <utility>

namespace linkrunner::event {

namespace {

violation refuse(std::string_view code, std::string message) {
    return {std::string(code), std::move(message), "", 0, 0};
}

violation refuse_size(std::size_t bytes, std::size_t max_bytes) {
    return refuse(codes::event_too_large, "the event takes " + std::to_string(bytes) +
                                              " bytes as it would be sent; " + std::to_string(max_bytes) +
                                              " are allowed");
}

std::optional<violation> check_text(std::string_view whole, std::string_view text, const bounds& limits) {
    if (text.size() > limits.max_event_bytes) {
        return refuse_size(text.size(), limits.max_event_bytes);
    }
    if (const auto error = check_syntax(whole, limits.max_depth)) {
        return located(*error, whole);
    }
    if (text.front() == '[') {
        return refuse(
            codes::not_an_object,
            "an event is one JSON object and this is an array; send arrays of events to /v1/events");
    }
    if (text.front() != '{') {
        return refuse(codes::not_an_object, "an event is one JSON object; send {\"event_name\": ...}");
    }
    return std::nullopt;
}

// The texts that make up an event's identity. Views into the event's bytes where possible: most of them are
// only hashed.
struct key_texts {
    text_value name, user_id, install_instance_id, event_id;

    std::string_view user() const { return user_id.text.empty() ? install_instance_id.text : user_id.text; }
};

std::optional<violation> read_fields(const fields& found, std::size_t max_bytes, key_texts& out) {
    const std::pair<field, text_value*> texts[] = {{field::event_name, &out.name},
                                                   {field::user_id, &out.user_id},
                                                   {field::install_instance_id, &out.install_instance_id},
                                                   {field::event_id, &out.event_id}};
    for (const auto& [which, text] : texts) {
        if (auto why = read_text(found, which, max_bytes, *text)) {
            return why;
        }
    }
    if (auto why = check_kind(found, field::event_data, value_kind::object)) {
        return why;
    }
    if (auto why = check_kind(found, field::client_ip_address, value_kind::string)) {
        return why;
    }
    if (out.name.text.empty()) {
        return refuse_field(codes::missing_field, field::event_name,
                            " is missing; send the name of the event as a string");
    }
    if (out.user().empty()) {
        return refuse_field(codes::missing_field, field::user_id,
                            " is missing; send it, or install_instance_id in its place, as a string");
    }
    return std::nullopt;
}

// The object with an event_id in it. It is never empty: it has an event_name at least, so a comma follows.
std::string with_event_id(std::string_view object, const member& place, const std::string& event_id) {
    std::string body;
    body.reserve(object.size() + event_id.size() + 16);
    if (place.kind == value_kind::null) {
        const auto offset = static_cast<std::size_t>(place.literal.data() - object.data());
        body.append(object.substr(0, offset));
        append_json_string(body, event_id);
        body.append(object.substr(offset + place.literal.size()));
    } else {
        body.append("{\"event_id\":");
        append_json_string(body, event_id);
        body.append(",").append(object.substr(1));
    }
    return body;
}

} // namespace

std::variant<event, violation> parse_event(std::string_view whole, std::string_view fallback_id,
                                           const parse_options& options, id_source& ids) {
    const bounds& limits = options.limits;
    const std::string_view text = scan::trim(whole);
    if (auto why = check_text(whole, text, limits)) {
        return *std::move(why);
    }
    auto members = find_fields(text);
    if (auto* const why = std::get_if<violation>(&members)) {
        return std::move(*why);
    }
    const fields& found = std::get<fields>(members);
    key_texts keys;
    if (auto why = read_fields(found, limits.max_key_field_bytes, keys)) {
        return *std::move(why);
    }
    event out;
    const bool came_with_id = !keys.event_id.text.empty();
    if (came_with_id) {
        out.event_id = keys.event_id.text;
    } else if (fallback_id.empty()) {
        out.event_id = ids.make();
    } else if (auto why = check_id(fallback_id, limits.max_key_field_bytes, "Idempotency-Key")) {
        return *std::move(why);
    } else {
        out.event_id = fallback_id;
    }
    out.body = came_with_id || !options.add_event_id
                   ? std::string(text)
                   : with_event_id(text, found[field::event_id], out.event_id);
    if (!options.stamp.empty()) {
        out.body = with_stamp(std::move(out.body), options.stamp, rfc3339(options.now));
    }
    if (out.body.size() > limits.max_event_bytes) {
        return refuse_size(out.body.size(), limits.max_event_bytes);
    }
    const std::string_view user = keys.user();
    out.name = keys.name.text;
    out.has_amount = found.has_amount;
    out.user_key = hash64(options.hash_seed, user);
    out.identity = hash128(options.hash_seed, {path_of(out.path), out.name, user, out.event_id});
    out.body_hash = hash64(options.hash_seed, text);
    return out;
}

} // namespace linkrunner::event
