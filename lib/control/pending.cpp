#include "control/pending.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"
#include "base/utf8.hpp"
#include "control/letter_json.hpp"
#include "control/selection.hpp"
#include "net/envelope.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace linkrunner::control {

namespace {

namespace json = boost::json;

constexpr std::size_t most_listed = 1000;

result<void> read_lane(const std::string& name, const std::vector<std::string>& lanes,
                       spool::pending_filter& into) {
    const auto found = std::ranges::find(lanes, name);
    if (found == lanes.end()) {
        std::string known;
        for (const std::string& each : lanes) {
            known += (known.empty() ? "" : ", ") + each;
        }
        return make_error(std::errc::invalid_argument, "there is no lane '" + name + "'; there are " + known);
    }
    into.lane = static_cast<std::uint8_t>(found - lanes.begin());
    return {};
}

result<spool::pending_query> read_query(std::string_view query, const std::vector<std::string>& lanes,
                                        wall_time now) {
    spool::pending_query out;
    for (auto& [name, value] : query_fields(query)) {
        result<void> read;
        if (name == "from") {
            read = read_number(name, value, ~std::uint64_t{0}, out.from);
        } else if (name == "limit") {
            std::uint64_t limit = 0;
            read = read_number(name, value, most_listed, limit);
            out.max_events = static_cast<std::size_t>(limit);
        } else if (name == "lane") {
            read = read_lane(value, lanes, out.filter);
        } else if (name == "event_name") {
            out.filter.name = std::move(value);
        } else if (name == "event_id") {
            out.filter.event_id = std::move(value);
        } else if (name == "older_than") {
            wall_time before{};
            read = read_age(name, value, now, before);
            out.filter.accepted_before = before;
        } else {
            return make_error(std::errc::invalid_argument,
                              "there is no parameter '" + name +
                                  "'; from, limit, lane, event_name, event_id, older_than are known");
        }
        if (!read) {
            return read.error();
        }
    }
    return out;
}

} // namespace

std::string user_of(std::string_view body) {
    boost::system::error_code failure;
    const json::value parsed = json::parse({body.data(), body.size()}, failure);
    if (failure || !parsed.is_object()) {
        return {};
    }
    for (const char* key : {"user_id", "install_instance_id"}) {
        const json::value* user = parsed.get_object().if_contains(key);
        if (user != nullptr && user->is_string() && !user->get_string().empty()) {
            return std::string(user->get_string());
        }
    }
    return {};
}

net::response spool_failed(const error& why) {
    if (why.code == std::errc::operation_canceled) {
        return net::refusal(503, "draining", "linkrunnerd is stopping");
    }
    return net::refusal(503, "disk_error", why.message);
}

void append_pending(std::string& out, const spool::pending_event& one, const std::vector<std::string>& lanes,
                    bool with_body) {
    const auto text = [&out](const char* name, std::string_view value) {
        out += std::string(",\"") + name + "\":";
        append_json_string(out, as_utf8(value));
    };
    const std::size_t lane = one.event.lane;
    out += "{\"number\":" + std::to_string(one.event.number);
    text("lane", lane < lanes.size() ? lanes[lane] : std::to_string(lane));
    if (!one.readable) {
        out += ",\"event_id\":null}"; // its frame has gone bad
        return;
    }
    text("event_id", one.event.event_id);
    text("event_name", one.event.name);
    text("user", user_of(one.event.body));
    text("path", path_of(one.event.path));
    text("accepted_at", utc_text(one.event.accepted_at));
    out += ",\"body_bytes\":" + std::to_string(one.event.body.size());
    if (with_body) {
        out += ",\"body\":" + one.event.body;
    }
    out += '}';
}

void list_pending(spool::caretaker& spool, const std::vector<std::string>& lanes, wall_time now,
                  std::string_view query, const net::responder& answer) {
    auto what = read_query(query, lanes, now);
    if (!what) {
        answer(net::refusal(400, "bad_request", what.error().message));
        return;
    }
    spool.list_pending(*what, [&spool, &lanes, answer](const result<spool::pending_page>& page) {
        if (!page) {
            answer(spool_failed(page.error()));
            return;
        }
        std::string data = "{\"pending\":" + std::to_string(spool.status().events.pending) + ",\"events\":[";
        for (std::size_t index = 0; index < page->events.size(); ++index) {
            data += index == 0 ? "" : ",";
            append_pending(data, page->events[index], lanes, false);
        }
        data += "],\"next\":" + (page->at_end ? "null" : std::to_string(page->next)) + "}";
        answer(net::envelope(200, "Events that wait", data));
    });
}

void show_pending(spool::caretaker& spool, const std::vector<std::string>& lanes, spool::sequence number,
                  const net::responder& answer) {
    spool::pending_query what;
    what.filter.number = number;
    spool.list_pending(what, [&lanes, answer](const result<spool::pending_page>& page) {
        if (!page) {
            answer(spool_failed(page.error()));
        } else if (page->events.empty()) {
            answer(net::refusal(404, "not_pending",
                                "no event with this number waits: it has ended, or never was"));
        } else {
            std::string data;
            append_pending(data, page->events.front(), lanes, true);
            answer(net::envelope(200, "An event that waits", data));
        }
    });
}

} // namespace linkrunner::control
