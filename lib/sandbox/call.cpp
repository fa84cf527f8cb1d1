#include "sandbox/call.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace linkrunner::sandbox {

namespace {

// Deeper than the daemon lets through, so that a refusal here is never about depth first.
constexpr std::size_t max_json_depth = 1000;

// Null says the same as leaving a member out.
const boost::json::value* given(const boost::json::object& root, std::string_view key) {
    const boost::json::value* found = root.if_contains(key);
    return found == nullptr || found->is_null() ? nullptr : found;
}

void read_text(const boost::json::object& root, std::string_view key, std::string& out, std::string& fault) {
    const boost::json::value* found = given(root, key);
    if (found == nullptr) {
        return;
    }
    if (const boost::json::string* text = found->if_string()) {
        out.assign(text->data(), text->size());
    } else if (fault.empty()) {
        fault = std::string(key) + " must be a string";
    }
}

void read_event(const boost::json::object& root, parsed_call& out) {
    std::string install;
    read_text(root, "event_name", out.name, out.fault);
    read_text(root, "user_id", out.user, out.fault);
    read_text(root, "install_instance_id", install, out.fault);
    read_text(root, "event_id", out.event_id, out.fault);
    if (out.user.empty()) {
        out.user = std::move(install);
    }
    if (!out.fault.empty()) {
        return;
    }
    if (out.name.empty()) {
        out.fault = "Missing required parameter: event_name";
    } else if (out.user.empty()) {
        out.fault = "Missing required parameter: user_id";
    } else if (const auto* data = given(root, "event_data"); data != nullptr && !data->is_object()) {
        out.fault = "event_data must be an object";
    }
}

void read_payment(const boost::json::object& root, parsed_call& out) {
    read_text(root, "user_id", out.paid.user_id, out.fault);
    read_text(root, "payment_id", out.paid.payment_id, out.fault);
    read_text(root, "type", out.paid.type, out.fault);
    read_text(root, "status", out.paid.status, out.fault);
    out.name = name_of(out.path);
    out.user = out.paid.user_id;
    out.event_id = out.paid.payment_id;
    const boost::json::value* amount = given(root, "amount");
    if (!out.fault.empty()) {
        return;
    }
    if (out.path == endpoint::remove_payment) {
        if (out.paid.payment_id.empty() && out.paid.user_id.empty()) {
            out.fault = "Missing required parameter: payment_id or user_id";
        }
    } else if (out.paid.user_id.empty()) {
        out.fault = "Missing required parameter: user_id";
    } else if (amount == nullptr) {
        out.fault = "Missing required parameter: amount";
    } else if (!amount->is_number()) {
        out.fault = "amount must be a number";
    } else {
        out.paid.amount = boost::json::serialize(*amount);
        out.paid.type = out.paid.type.empty() ? "DEFAULT" : out.paid.type;
        out.paid.status = out.paid.status.empty() ? "PAYMENT_COMPLETED" : out.paid.status;
    }
}

} // namespace

parsed_call parse_call(endpoint path, std::string_view body) {
    std::array<unsigned char, 8192> space;
    boost::json::monotonic_resource memory(space.data(), space.size());
    boost::json::parse_options options;
    options.max_depth = max_json_depth;
    boost::system::error_code failure;
    const boost::json::value root = boost::json::parse(body, failure, &memory, options);
    parsed_call out;
    out.path = path;
    if (failure) {
        out.fault = "Malformed JSON: " + failure.message();
    } else if (!root.is_object()) {
        out.fault = "The body must be a JSON object";
    } else if (path == endpoint::capture_event) {
        read_event(root.get_object(), out);
    } else {
        read_payment(root.get_object(), out);
    }
    return out;
}

} // namespace linkrunner::sandbox
