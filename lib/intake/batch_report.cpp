#include "intake/batch_report.hpp"

#include "base/json_text.hpp"
#include "intake/envelope.hpp"

#include <utility>

namespace linkrunner::intake {

event::violation identity_conflict(endpoint path) {
    if (path == endpoint::capture_payment) {
        return {"identity_conflict",
                "a payment with this type and payment_id was accepted before with another body; the API "
                "records the first only, so another status or amount would be ignored",
                "/payment_id", 0, 0};
    }
    return {"identity_conflict",
            "an event with this event_id, event_name and user was accepted before with another body; send "
            "the same body, or "
            "another event_id",
            "/event_id", 0, 0};
}

namespace {

// What became of a good item; a conflict becomes a violation.
void settle(batch::item& item, spool::append_outcome outcome, batch_report& out) {
    switch (outcome) {
    case spool::append_outcome::stored:
        ++out.stored;
        break;
    case spool::append_outcome::duplicate:
        ++out.duplicates;
        break;
    case spool::append_outcome::conflict:
        item.violation = identity_conflict(item.path);
        break;
    }
}

} // namespace

net::response batch_report::answer() const {
    const bool none = stored + duplicates + filtered == 0;
    const int status = none ? 400 : rejected == 0 ? 202 : 207;
    const char* message = none            ? "No event of the batch was accepted"
                          : rejected == 0 ? "Events accepted"
                                          : "Some events were accepted, some rejected";
    return envelope(status, message, "{" + members + "}");
}

net::response batch_report::answer(const std::vector<batch::item>& items, const waiters::ends& ends) const {
    std::string outcomes;
    bool all_known = true;
    auto end = ends.begin();
    for (const batch::item& item : items) {
        outcomes += outcomes.empty() ? "" : ",";
        if (item.violation || item.filtered) {
            outcomes += "null";
            continue;
        }
        all_known = all_known && end->has_value();
        outcomes += '"';
        outcomes += *end ? word_for_end(**end) : "pending";
        outcomes += '"';
        ++end;
    }
    const std::string data = "{" + members + ",\"outcomes\":[" + outcomes + "]}";
    if (rejected != 0) {
        return envelope(207, "Some events were accepted, some rejected", data);
    }
    return all_known ? envelope(200, "The ends of the events are known", data)
                     : envelope(202, "Events accepted", data);
}

template <class Append>
void batch_reporter::list::add(std::size_t index, Append append) {
    text += count++ == 0 ? "{\"index\":" : ",{\"index\":";
    text += std::to_string(index) + ",";
    append(text);
    text += '}';
}

bool batch_reporter::step() {
    if (next_ == items_.size()) {
        return false;
    }
    const std::size_t index = next_++;
    batch::item& item = items_[index];
    if (item.filtered) {
        ++out_.filtered;
    } else if (!item.violation) {
        settle(item, outcomes_[good_++].outcome, out_);
    }
    ids_ += index == 0 ? "" : ",";
    if (item.violation || item.filtered) {
        ids_ += "null";
    } else {
        append_json_string(ids_, item.event_id);
    }
    if (item.violation) {
        rejected_.add(index, [&](std::string& text) { append_violation(text, *item.violation); });
    } else {
        for (const event::finding& each : item.findings) {
            warnings_.add(index, [&](std::string& text) { append_finding(text, each); });
        }
    }
    tell_(item);
    return true;
}

batch_report batch_reporter::take() {
    out_.rejected = rejected_.count;
    out_.members = "\"accepted\":" + std::to_string(out_.stored + out_.duplicates) +
                   ",\"duplicates\":" + std::to_string(out_.duplicates) + ",\"rejected\":[" + rejected_.text +
                   "],\"event_ids\":[" + ids_ + "]";
    if (out_.filtered != 0) {
        out_.members += ",\"filtered\":" + std::to_string(out_.filtered);
    }
    if (warnings_.count != 0) {
        out_.members += ",\"warnings\":[" + warnings_.text + "]";
    }
    return std::move(out_);
}

} // namespace linkrunner::intake
