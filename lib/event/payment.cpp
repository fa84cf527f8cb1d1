#include "event/payment.hpp"

#include "event/codes.hpp"
#include "event/inspect.hpp"
#include "event/scan.hpp"

#include <string>
#include <utility>

namespace linkrunner::event {

namespace {

// The API's own, where a payment has none.
constexpr std::string_view default_type = "DEFAULT";

constexpr const char* not_listed =
    " is none of the documented ones, so that the API may refuse the payment (docs/payments.md lists them)";

} // namespace

std::optional<std::variant<wrapped, violation>> unwrap(std::string_view object) {
    const char* const end = object.data() + object.size();
    std::optional<endpoint> path;
    std::string_view payload;
    std::string event_id;
    std::string buffer;
    scan::for_each_member(object.data(), end, [&](std::string_view key, const char* value) {
        const char* const behind = scan::skip_value(value, end);
        const std::string_view literal(value, static_cast<std::size_t>(behind - value));
        const std::string_view name = text_of(key, buffer);
        if (name == "payload") {
            payload = literal;
        } else if (name == "type" && *value == '"') {
            path = endpoint_named(text_of(literal, buffer));
        } else if (name == "event_id" && *value == '"') {
            event_id = text_of(literal, buffer);
        }
        return behind;
    });
    if (!path) {
        return std::nullopt;
    }
    if (payload.empty() || payload.front() != '{') {
        return violation{std::string(payload.empty() ? codes::missing_field : codes::mistyped_field),
                         "payload must be an object: what is to be sent to " + std::string(name_of(*path)),
                         std::string(payload_pointer), 0, 0};
    }
    return wrapped{*path, payload, std::move(event_id)};
}

std::optional<violation> read_payment(const fields& found, endpoint path, std::size_t max_bytes,
                                      bool remove_all, payment_texts& out) {
    const std::pair<field, text_value*> texts[] = {{field::user_id, &out.user_id},
                                                   {field::payment_id, &out.payment_id},
                                                   {field::event_id, &out.event_id},
                                                   {field::type, &out.type},
                                                   {field::status, &out.status}};
    for (const auto& [which, text] : texts) {
        if (auto why = read_text(found, which, max_bytes, *text)) {
            return why;
        }
    }
    if (auto why = check_kind(found, field::event_data, value_kind::object)) {
        return why;
    }
    if (path == endpoint::remove_payment) {
        if (!out.payment_id.text.empty() || (remove_all && !out.user_id.text.empty())) {
            return std::nullopt;
        }
        if (out.user_id.text.empty()) {
            return refuse_field(codes::missing_field, field::payment_id,
                                " is missing; send that of the payment to be removed");
        }
        return refuse_field(
            codes::remove_all_payments, field::payment_id,
            " is missing, and with a user_id alone all payments of the user are removed; send "
            "the payment_id, or allow this (events.remove_all_payments)");
    }
    if (out.user_id.text.empty()) {
        return refuse_field(codes::missing_field, field::user_id, " is missing; send it as a string");
    }
    if (!found[field::amount].given()) {
        return refuse_field(codes::missing_field, field::amount, " is missing; send it as a number");
    }
    return std::nullopt;
}

fingerprint identity_of(const payment_texts& payment, std::uint64_t seed) {
    const std::string_view type = payment.type.text.empty() ? default_type : payment.type.text;
    return hash128(seed, {path_of(endpoint::capture_payment), type, payment.payment_id.text});
}

std::optional<violation> inspect_payment(const fields& found, endpoint path, const payment_texts& payment,
                                         const actions& checks, std::vector<finding>& findings,
                                         edits& changes) {
    remarks said(checks, findings);
    check_user(payment.user_id.text, said);
    if (found.long_field) {
        check_data(found[field::event_data].literal, false, said, changes);
    }
    if (path == endpoint::capture_payment) {
        const member& amount = found[field::amount];
        if (amount.kind != value_kind::number && !check_amount(amount.literal, "/amount", said, changes)) {
            auto why = said.take_refusal();
            return why ? std::move(why)
                       : refuse_field(
                             codes::mistyped_field, field::amount,
                             " must be a number; send digits without quotes, separators or currency");
        }
        if (payment.payment_id.text.empty()) {
            said.note(rule::missing_payment_id,
                      "a payment without payment_id is counted again each time that it is sent; send the one "
                      "of your payment provider",
                      "/payment_id");
        }
    }
    if (!payment.type.text.empty() && !is_payment_type(payment.type.text)) {
        said.note(rule::payment_type, std::string("type") + not_listed, "/type");
    }
    if (!payment.status.text.empty() && !is_payment_status(payment.status.text)) {
        said.note(rule::payment_status, std::string("status") + not_listed, "/status");
    }
    return said.take_refusal();
}

} // namespace linkrunner::event
