#include "intake/batch.hpp"

#include "base/json_text.hpp"
#include "intake/envelope.hpp"

#include <utility>

namespace linkrunner::intake {

batch::batch(std::string body, event::batch_format format, std::string idempotency_key,
             const event::parse_options& options, std::size_t max_items, event::id_source& ids,
             make_stored convert)
    : body_(std::move(body)), format_(format), key_(std::move(idempotency_key)), options_(options),
      max_items_(max_items), ids_(ids), convert_(std::move(convert)), reader_(format, body_) {}

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
    auto parsed = event::parse_event(found->text, id, options_, ids_);
    item& slot = items_.emplace_back();
    if (auto* good = std::get_if<event::event>(&parsed)) {
        slot.event_id = good->event_id;
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

event::violation identity_conflict() {
    return {"identity_conflict",
            "an event with this event_id, event_name and user was accepted before with another body; send "
            "the same body, or "
            "another event_id",
            "/event_id", 0, 0};
}

batch_answer answer_batch(std::vector<batch::item>& items, const std::vector<spool::appended>& outcomes) {
    batch_answer out;
    std::string rejected;
    std::string ids;
    std::size_t good = 0;
    for (std::size_t index = 0; index < items.size(); ++index) {
        batch::item& item = items[index];
        if (!item.violation) {
            switch (outcomes[good++].outcome) {
            case spool::append_outcome::stored:
                ++out.stored;
                break;
            case spool::append_outcome::duplicate:
                ++out.duplicates;
                break;
            case spool::append_outcome::conflict:
                item.violation = identity_conflict();
                break;
            }
        }
        ids += index == 0 ? "" : ",";
        if (!item.violation) {
            append_json_string(ids, item.event_id);
            continue;
        }
        ids += "null";
        rejected += out.rejected++ == 0 ? "{\"index\":" : ",{\"index\":";
        rejected += std::to_string(index) + ",";
        append_violation(rejected, *item.violation);
        rejected += '}';
    }
    const std::uint64_t accepted = out.stored + out.duplicates;
    const int status = accepted == 0 ? 400 : out.rejected == 0 ? 202 : 207;
    const char* message = accepted == 0       ? "No event of the batch was accepted"
                          : out.rejected == 0 ? "Events accepted"
                                              : "Some events were accepted, some rejected";
    std::string data = "{\"accepted\":" + std::to_string(accepted) +
                       ",\"duplicates\":" + std::to_string(out.duplicates) + ",\"rejected\":[" + rejected +
                       "],\"event_ids\":[" + ids + "]}";
    out.answer = envelope(status, message, data);
    return out;
}

} // namespace linkrunner::intake
