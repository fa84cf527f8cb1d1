#include "forward/relay.hpp"

#include "base/endpoint.hpp"
#include "base/json_text.hpp"
#include "base/relay.hpp"

#include <boost/json.hpp>

#include <utility>

namespace linkrunner::forward {

namespace {

namespace json = boost::json;

constexpr int refused_alone = 422;

// Not the payment_id by which the API finds what to remove: two removals of the same payment are two, for it
// may have been captured again between them.
std::string id_of(const spool::stored_event& event, std::uint64_t hash_seed) {
    return event.path == endpoint::remove_payment ? spool_name(hash_seed) + "-" + std::to_string(event.number)
                                                  : event.event_id;
}

const json::array* array_at(const json::object& data, const char* name) {
    const json::value* found = data.if_contains(name);
    return found == nullptr ? nullptr : found->if_array();
}

std::string text_at(const json::object& item, const char* name) {
    const json::value* found = item.if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

// "missing_field at /user_id: user_id is missing; ..."
std::string words_of(const json::object& refusal) {
    const std::string pointer = text_at(refusal, "pointer");
    return text_at(refusal, "code") + (pointer.empty() ? "" : " at " + pointer) + ": " +
           text_at(refusal, "msg");
}

relayed result_with(const net::answer& whole, int status, std::string body) {
    relayed out;
    out.how.sent_whole = true;
    out.how.answer_begun = true;
    out.how.reused = whole.reused;
    out.how.status = status;
    out.how.body = std::move(body);
    out.how.duration = whole.duration;
    return out;
}

} // namespace

void append_relayed(std::string& lines, const spool::stored_event& event, std::uint64_t hash_seed) {
    lines += "{\"type\":\"";
    lines += name_of(event.path);
    lines += "\",\"event_id\":";
    append_json_string(lines, id_of(event, hash_seed));
    lines += ",\"payload\":";
    // The event may have come with line ends between its members. Within its strings there is none: JSON
    // has them escaped (RFC 8259 section 7).
    for (const char c : event.body) {
        lines += c == '\n' || c == '\r' ? ' ' : c;
    }
    lines += "}\n";
}

net::outgoing relay_request(std::string lines, const std::string& token, std::uint64_t hash_seed) {
    net::outgoing out;
    out.path = "/v1/events";
    out.content_type = "application/x-ndjson";
    out.headers.emplace_back(spool_header, spool_name(hash_seed));
    if (!token.empty()) {
        out.headers.emplace_back("Authorization", "Bearer " + token);
    }
    out.body = std::move(lines);
    return out;
}

std::optional<std::vector<relayed>> results_of(const net::answer& whole, std::size_t count) {
    const bool may_be = whole.failure == net::transport_error::none &&
                        ((whole.status >= 200 && whole.status < 300) || whole.status == 400);
    if (!may_be) {
        return std::nullopt;
    }
    boost::system::error_code failure;
    const json::value document = json::parse(whole.body, failure);
    const json::object* all = failure ? nullptr : document.if_object();
    const json::value* inner = all == nullptr ? nullptr : all->if_contains("data");
    const json::object* data = inner == nullptr ? nullptr : inner->if_object();
    const json::array* ids = data == nullptr ? nullptr : array_at(*data, "event_ids");
    const json::array* rejected = data == nullptr ? nullptr : array_at(*data, "rejected");
    if (ids == nullptr || rejected == nullptr || ids->size() != count) {
        return std::nullopt;
    }
    std::vector<relayed> out;
    out.reserve(count);
    for (const json::value& id : *ids) {
        out.push_back(result_with(whole, 200, {}));
        out.back().filtered = !id.is_string();
    }
    for (const json::value& each : *rejected) {
        const json::object* item = each.if_object();
        const json::value* index = item == nullptr ? nullptr : item->if_contains("index");
        if (index == nullptr || !index->is_int64() || index->get_int64() < 0 ||
            static_cast<std::size_t>(index->get_int64()) >= count) {
            return std::nullopt;
        }
        out[static_cast<std::size_t>(index->get_int64())] =
            result_with(whole, refused_alone, words_of(*item));
    }
    return out;
}

net::answer without_unknown_success(net::answer whole) {
    if (whole.failure == net::transport_error::none && whole.status >= 200 && whole.status < 300) {
        whole.failure = net::transport_error::malformed;
        whole.detail =
            std::to_string(whole.status) +
            " without a result for each event: is there a linkrunnerd at this address? answer: " + whole.body;
        whole.status = 0;
    }
    return whole;
}

} // namespace linkrunner::forward
