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

} // namespace linkrunner::intake
