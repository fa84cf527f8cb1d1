#include "intake/batch.hpp"

#include "base/json_text.hpp"
#include "intake/envelope.hpp"

#include <utility>

namespace linkrunner::intake {

batch::batch(std::string body, event::batch_format format, std::string idempotency_key,
             const event::parse_options& options, std::size_t max_items, event::id_source& ids,
             std::string stamp, make_stored convert)
    : body_(std::move(body)), format_(format), key_(std::move(idempotency_key)), options_(options),
      max_items_(max_items), ids_(ids), stamp_(std::move(stamp)), convert_(std::move(convert)),
      reader_(format, body_) {}

bool batch::refuse(net::response answer, std::string code) {
    refused_ = std::move(answer);
    refused_code_ = std::move(code);
    return false;
}

bool batch::refuse(const event::violation& why) {
    return refuse(refusal(why), why.code);
}

bool batch::step() {
    auto next = reader_.next();
    if (const auto* broken = std::get_if<event::violation>(&next)) {
        return refuse(*broken);
    }
    const auto* found = std::get_if<event::batch_item>(&next);
    if (found == nullptr) {
        return !items_.empty()
                   ? false
                   : refuse(refusal(400, "empty_batch", "the batch holds no event"), "empty_batch");
    }
    if (items_.size() == max_items_) {
        return refuse(refusal(413, "batch_too_large",
                              "a batch holds at most " + std::to_string(max_items_) +
                                  " events (intake.max_batch); send it in parts"),
                      "batch_too_large");
    }
    const std::string id = key_.empty() ? std::string() : event::derived_id(key_, found->index);
    auto parsed = event::parse_event(found->text, id, options_, ids_, stamp_, event::any_call);
    item& slot = items_.emplace_back();
    if (auto* good = std::get_if<event::event>(&parsed)) {
        slot.filtered = good->filtered;
        if (slot.filtered) {
            return true;
        }
        slot.path = good->path;
        slot.event_id = good->event_id;
        slot.findings = std::move(good->findings);
        events_.push_back(convert_(std::move(*good)));
        return true;
    }
    event::violation& bad = std::get<event::violation>(parsed);
    if (event::condemns_body(format_, bad)) {
        event::locate_in_body(bad, body_, *found);
        return refuse(bad);
    }
    slot.violation = std::move(bad);
    return true;
}

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

// Members of a list in the answer, each with the index of its item.
class indexed_list {
  public:
    template <class Append>
    void add(std::size_t index, Append append) {
        text_ += count_++ == 0 ? "{\"index\":" : ",{\"index\":";
        text_ += std::to_string(index) + ",";
        append(text_);
        text_ += '}';
    }
    std::size_t count() const { return count_; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    std::size_t count_ = 0;
};

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

batch_report report_batch(std::vector<batch::item>& items, const std::vector<spool::appended>& outcomes) {
    batch_report out;
    indexed_list rejected;
    indexed_list warnings;
    std::string ids;
    std::size_t good = 0;
    for (std::size_t index = 0; index < items.size(); ++index) {
        batch::item& item = items[index];
        if (item.filtered) {
            ++out.filtered;
        } else if (!item.violation) {
            settle(item, outcomes[good++].outcome, out);
        }
        ids += index == 0 ? "" : ",";
        if (item.violation || item.filtered) {
            ids += "null";
        } else {
            append_json_string(ids, item.event_id);
        }
        if (item.violation) {
            rejected.add(index, [&](std::string& text) { append_violation(text, *item.violation); });
            continue;
        }
        for (const event::finding& each : item.findings) {
            warnings.add(index, [&](std::string& text) { append_finding(text, each); });
        }
    }
    out.rejected = rejected.count();
    out.members = "\"accepted\":" + std::to_string(out.stored + out.duplicates) +
                  ",\"duplicates\":" + std::to_string(out.duplicates) + ",\"rejected\":[" + rejected.text() +
                  "],\"event_ids\":[" + ids + "]";
    if (out.filtered != 0) {
        out.members += ",\"filtered\":" + std::to_string(out.filtered);
    }
    if (warnings.count() != 0) {
        out.members += ",\"warnings\":[" + warnings.text() + "]";
    }
    return out;
}

} // namespace linkrunner::intake
