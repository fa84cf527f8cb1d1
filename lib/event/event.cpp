#include "event/event.hpp"

#include "base/json_text.hpp"
#include "event/codes.hpp"
#include "event/edits.hpp"
#include "event/fields.hpp"
#include "event/inspect.hpp"
#include "event/payment.hpp"
#include "event/policy.hpp"
#include "event/scan.hpp"
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

// What a wrapper may add to an event that is as large as allowed: its members and an event_id.
std::size_t wrapper_bytes(const bounds& limits) {
    return 256 + 6 * limits.max_key_field_bytes; // all of its characters may be escaped
}

std::optional<violation> check_object(std::string_view text) {
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

    // user_id and install_instance_id are names of different kinds: the same text in both is not the same
    // user.
    bool by_user_id() const { return !user_id.text.empty(); }
    std::string_view user() const { return by_user_id() ? user_id.text : install_instance_id.text; }
    std::string_view kind() const { return by_user_id() ? "user_id" : "install_instance_id"; }
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

// Puts the event_id into an object that has none. The object is never empty, so a comma follows.
void add_event_id(std::string_view object, const member& place, const std::string& event_id, edits& out) {
    const bool is_null = place.kind == value_kind::null;
    std::string text;
    text.reserve(event_id.size() + 16);
    text = is_null ? "" : "\"event_id\":";
    append_json_string(text, event_id);
    if (is_null) {
        out.replace(place.literal, std::move(text));
    } else {
        text += ',';
        out.insert_before(object.data() + 1, std::move(text));
    }
}

// The places of a violation that was found in a payload count from the wrapper.
violation within_payload(violation why) {
    why.pointer.insert(0, payload_pointer);
    return why;
}

// An event under way from its text to what is stored.
class parsing {
  public:
    parsing(const parse_options& options, id_source& ids, std::string_view time, call from)
        : options_(options), ids_(ids), time_(time), may_be_wrapped_(!from) {
        out_.path = from.value_or(endpoint::capture_event);
    }

    std::variant<event, violation> run(std::string_view whole, std::string_view fallback_id) {
        text_ = scan::trim(whole);
        std::optional<violation> why = check_text(whole);
        if (!why) {
            why = read();
        }
        if (!why && options_.rules != nullptr) {
            treatment_ = &options_.rules->for_name(name());
            if (treatment_->drop) {
                out_.filtered = true;
                return std::move(out_);
            }
            why = redact();
        }
        if (!why) {
            why = wrapper_id_.empty() ? identify(fallback_id, "Idempotency-Key")
                                      : identify(wrapper_id_, "event_id of the wrapper");
        }
        if (!why) {
            why = finish();
        }
        if (why) {
            return is_wrapped_ ? within_payload(*std::move(why)) : *std::move(why);
        }
        for (finding& each : out_.findings) {
            each.pointer.insert(0, is_wrapped_ ? payload_pointer : "");
        }
        return std::move(out_);
    }

  private:
    bool is_payment() const { return out_.path != endpoint::capture_event; }
    std::string_view name() const { return is_payment() ? name_of(out_.path) : keys_->name.text; }

    // A wrapper takes some bytes and a level of nesting, which are not the event's.
    std::optional<violation> check_text(std::string_view whole) {
        const bounds& limits = options_.limits;
        const std::size_t most = limits.max_event_bytes + (may_be_wrapped_ ? wrapper_bytes(limits) : 0);
        if (text_.size() > most) {
            return refuse_size(text_.size(), limits.max_event_bytes);
        }
        if (const auto error = check_syntax(whole, limits.max_depth)) {
            too_deep_ = located(*error, whole);
            const bool may_be_wrapper = may_be_wrapped_ && error->code == codes::too_deep;
            if (!may_be_wrapper || check_syntax(whole, limits.max_depth + 1)) {
                return too_deep_;
            }
        }
        return check_object(text_);
    }

    std::optional<violation> read() {
        auto members = find_fields(text_, out_.path);
        if (auto* const why = std::get_if<violation>(&members)) {
            return std::move(*why);
        }
        found_ = std::get<fields>(members);
        if (may_be_wrapped_ && !found_[field::event_name].given()) {
            may_be_wrapped_ = false;
            if (const auto inner = unwrap(text_)) {
                return read_payload(*inner);
            }
        }
        if (too_deep_ && !is_wrapped_) {
            return too_deep_;
        }
        return is_payment() ? read_payment(found_, out_.path, options_.limits.max_key_field_bytes,
                                           options_.remove_all_payments, payment_.emplace())
                            : read_fields(found_, options_.limits.max_key_field_bytes, keys_.emplace());
    }

    std::optional<violation> read_payload(const std::variant<wrapped, violation>& inner) {
        if (const auto* const why = std::get_if<violation>(&inner)) {
            return *why;
        }
        is_wrapped_ = true;
        out_.path = std::get<wrapped>(inner).path;
        text_ = std::get<wrapped>(inner).payload;
        wrapper_id_ = std::get<wrapped>(inner).event_id;
        return read();
    }

    std::optional<violation> redact() {
        if (options_.rules->redactions().empty()) {
            return std::nullopt;
        }
        auto without = options_.rules->redactions().apply(text_, name());
        if (!without) {
            return std::nullopt;
        }
        redacted_ = *std::move(without);
        text_ = redacted_;
        return read();
    }

    // The id that came with it: that of an event, or what tells a payment from another.
    std::string_view own_id() const {
        if (!is_payment()) {
            return keys_->event_id.text;
        }
        return payment_->payment_id.text.empty() ? payment_->event_id.text : payment_->payment_id.text;
    }

    std::optional<violation> identify(std::string_view fallback_id, const char* source) {
        if (!fallback_id.empty() && (is_payment() || own_id().empty())) {
            if (auto why = check_id(fallback_id, options_.limits.max_key_field_bytes, source)) {
                return why;
            }
        }
        came_with_id_ = !own_id().empty();
        if (came_with_id_) {
            out_.event_id = own_id();
        } else if (!fallback_id.empty()) {
            out_.event_id = fallback_id;
        } else {
            out_.event_id = ids_.make();
        }
        const std::uint64_t seed = options_.hash_seed;
        if (is_payment()) {
            identify_payment(fallback_id);
            return std::nullopt;
        }
        const std::string_view user = keys_->user();
        out_.user_key = keys_->by_user_id() ? hash64(seed, user) : hash128(seed, {keys_->kind(), user}).low;
        return std::nullopt;
    }

    // A removal is no repeat of another one for naming the same payment: that may have been captured again.
    void identify_payment(std::string_view fallback_id) {
        const std::uint64_t seed = options_.hash_seed;
        const std::string_view payment_id = payment_->payment_id.text;
        const std::string_view user = payment_->user_id.text;
        out_.user_key = user.empty() ? hash128(seed, {"payment_id", payment_id}).low : hash64(seed, user);
        if (out_.path == endpoint::capture_payment && !payment_id.empty()) {
            out_.identity = identity_of(*payment_, seed);
            return;
        }
        const std::string_view event_id = payment_->event_id.text;
        const std::string id = !event_id.empty()      ? std::string(event_id)
                               : !fallback_id.empty() ? std::string(fallback_id)
                               : came_with_id_        ? ids_.make()
                                                      : out_.event_id;
        out_.identity = hash128(seed, {path_of(out_.path), user, payment_id, id});
    }

    std::optional<violation> follow_policy(edits& changes) {
        const policy& rules = *options_.rules;
        out_.lane = is_payment() ? rules.for_name(out_.lane_name()).lane : treatment_->lane;
        out_.ambiguous_dead = treatment_->ambiguous_dead;
        std::optional<violation> why;
        if (is_payment()) {
            why = inspect_payment(found_, out_.path, *payment_, treatment_->checks, out_.findings, changes);
        } else {
            inspected event{std::move(out_.name), keys_->user_id.text, out_.findings, changes};
            why = inspect(found_, treatment_->checks, rules.revenue_names(), event);
            out_.name = std::move(event.name);
        }
        if (!why && out_.path != endpoint::remove_payment && !rules.additions().empty()) {
            rules.additions().apply(text_, found_, out_.name, time_, changes);
        }
        return why;
    }

    std::optional<violation> finish() {
        edits changes(text_);
        if (!is_payment() && !came_with_id_ && options_.add_event_id) {
            add_event_id(text_, found_[field::event_id], out_.event_id, changes);
        }
        out_.name = name();
        if (options_.rules != nullptr) {
            if (auto why = follow_policy(changes)) {
                return why;
            }
        }
        out_.body = changes.empty() ? std::string(text_) : changes.apply();
        if (out_.body.size() > options_.limits.max_event_bytes) {
            return refuse_size(out_.body.size(), options_.limits.max_event_bytes);
        }
        out_.has_amount = is_payment() || found_.has_amount;
        const std::uint64_t seed = options_.hash_seed;
        if (!is_payment()) {
            out_.identity =
                hash128(seed, {path_of(out_.path), out_.name, keys_->kind(), keys_->user(), out_.event_id});
        }
        out_.body_hash = hash64(seed, text_);
        return std::nullopt;
    }

    const parse_options& options_;
    id_source& ids_;
    std::string_view time_;
    std::string_view text_;
    std::string redacted_;
    fields found_;
    std::optional<key_texts> keys_;                // of an event
    std::optional<payment_texts> payment_;         // of a payment
    const policy::treatment* treatment_ = nullptr; // where there is a policy
    bool came_with_id_ = false;
    bool may_be_wrapped_;
    bool is_wrapped_ = false;
    std::string wrapper_id_;
    std::optional<violation> too_deep_; // unless it is a wrapper
    event out_;
};

} // namespace

std::variant<event, violation> parse_event(std::string_view text, std::string_view fallback_id,
                                           const parse_options& options, id_source& ids,
                                           std::string_view time, call from) {
    return parsing(options, ids, time, from).run(text, fallback_id);
}

} // namespace linkrunner::event
