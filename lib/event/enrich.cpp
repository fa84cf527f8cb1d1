#include "event/enrich.hpp"

#include "base/json_text.hpp"
#include "event/edits.hpp"
#include "event/fields.hpp"
#include "event/scan.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::event {

namespace {

struct sent_member {
    std::string key;
    std::string_view value;
};

std::vector<sent_member> members_of(std::string_view object) {
    std::vector<sent_member> out;
    std::string buffer;
    const char* const end = object.data() + object.size();
    scan::for_each_member(object.data(), end, [&](std::string_view key, const char* value) {
        const char* const behind = scan::skip_value(value, end);
        out.push_back({std::string(text_of(key, buffer)), {value, static_cast<std::size_t>(behind - value)}});
        return behind;
    });
    return out;
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
    if (!out.empty()) {
        out += ',';
    }
    append_json_string(out, key);
    out += ':';
    out += value;
}

} // namespace

enricher::enricher(const std::vector<addition>& all, const std::string& stamp, bool overwrite)
    : overwrite_(overwrite), stamps_(!stamp.empty()) {
    for (const addition& each : all) {
        compiled out;
        out.key = each.key;
        append_json_string(out.value, each.value);
        out.every_name = each.names.empty();
        out.names = patterns(each.names);
        all_.push_back(std::move(out));
    }
    if (stamps_) {
        all_.push_back({stamp, "", true, {}});
    }
}

void enricher::apply(std::string_view object, const fields& found, std::string_view event_name,
                     std::string_view time, edits& out) const {
    const member& data = found[field::event_data];
    const bool is_there = data.kind == value_kind::object;
    const auto sent = is_there ? members_of(data.literal) : std::vector<sent_member>();
    std::string stamp;
    append_json_string(stamp, time);
    std::string added;
    for (const compiled& each : all_) {
        if (!each.every_name && !each.names.match(event_name)) {
            continue;
        }
        const std::string& value = each.value.empty() ? stamp : each.value;
        const auto known = std::ranges::find(sent, each.key, &sent_member::key);
        if (known == sent.end()) {
            append_member(added, each.key, value);
        } else if (overwrite_) {
            out.replace(known->value, value);
        }
    }
    if (added.empty()) {
        return;
    }
    if (is_there) {
        out.insert_before(data.literal.data() + 1, sent.empty() ? added : added + ",");
    } else if (data.kind == value_kind::null) {
        out.replace(data.literal, "{" + added + "}");
    } else {
        out.insert_before(object.data() + 1, "\"event_data\":{" + added + "},");
    }
}

} // namespace linkrunner::event
