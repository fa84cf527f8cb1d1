#include "ctl/lists_view.hpp"

#include "ctl/fields.hpp"
#include "ctl/text.hpp"

#include <boost/json.hpp>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

std::string age_text(const json::value& event, std::string_view pointer, double now) {
    const auto age = age_of(text_at(event, pointer), now);
    return age ? seconds_text(age) : "-";
}

std::string shown(const json::value& event, std::string_view pointer) {
    const json::value& found = at(event, pointer);
    if (found.is_string()) {
        return printable(found.get_string());
    }
    return found.is_null() ? "-" : json::serialize(found);
}

std::string more_text(const json::value& page) {
    const json::value& next = at(page, "/next");
    return next.is_null() ? std::string()
                          : "There are more: go on with --from " + json::serialize(next) + ".\n";
}

constexpr std::string_view body_key = "\"body\":";

} // namespace

std::string letters_text(const json::value& page, double now, std::size_t width) {
    table out({{"NUMBER", true},
               {"AGE", true},
               {"REASON", false},
               {"STATUS", true},
               {"TRIES", true},
               {"EVENT", false},
               {"EVENT_ID", false},
               {"THE API SAID", false}});
    const json::value& letters = at(page, "/letters");
    for (const json::value& each : letters.is_array() ? letters.get_array() : json::array()) {
        out.row({shown(each, "/number"), age_text(each, "/accepted_at", now), shown(each, "/reason"),
                 shown(each, "/status"), shown(each, "/attempts"), clipped(shown(each, "/event_name"), 32),
                 clipped(shown(each, "/event_id"), 40), shown(each, "/answer")});
    }
    const std::string total = count_text(count_at(page, "/dead"));
    if (out.empty()) {
        return total == "0" ? "There are no dead letters.\n"
                            : "None of the " + total + " dead letters is meant.\n" + more_text(page);
    }
    return out.text(width) + more_text(page);
}

std::string pending_text(const json::value& page, double now, std::size_t width) {
    table out({{"NUMBER", true},
               {"LANE", false},
               {"AGE", true},
               {"BYTES", true},
               {"EVENT", false},
               {"USER", false},
               {"EVENT_ID", false}});
    const json::value& events = at(page, "/events");
    for (const json::value& each : events.is_array() ? events.get_array() : json::array()) {
        out.row({shown(each, "/number"), shown(each, "/lane"), age_text(each, "/accepted_at", now),
                 shown(each, "/body_bytes"), clipped(shown(each, "/event_name"), 32),
                 clipped(shown(each, "/user"), 32), shown(each, "/event_id")});
    }
    const std::string total = count_text(count_at(page, "/pending"));
    if (out.empty()) {
        return total == "0" ? "No event waits.\n"
                            : "None of the " + total + " events that wait is meant.\n" + more_text(page);
    }
    return out.text(width) + more_text(page);
}

std::string event_text(const json::value& one, const std::string& body) {
    std::string out;
    if (!one.is_object()) {
        return out;
    }
    for (const auto& member : one.get_object()) {
        if (member.key() == "body") {
            continue;
        }
        const std::string name(member.key());
        out += name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') +
               (member.value().is_string() ? printable(member.value().get_string())
                                           : json::serialize(member.value())) +
               "\n";
    }
    return out + printable(body) + "\n";
}

std::string audit_text(const json::value& report) {
    table out({{"", false}, {"as kept", true}, {"recounted", true}});
    for (const char* name : {"accepted", "delivered", "handed_off", "dead", "dropped", "lost", "pending"}) {
        out.row({name, count_text(count_at(report, std::string("/kept/") + name)),
                 count_text(count_at(report, std::string("/recounted/") + name))});
    }
    std::string text =
        flag_at(report, "/holds")
            ? "The ledger holds: accepted is the sum of the others, and the files say the same.\n"
            : "THE LEDGER DOES NOT HOLD.\n";
    text += out.text(200);
    text += "Read: " + count_text(count_at(report, "/events")) + " events and " +
            count_text(count_at(report, "/marks")) + " marks in " +
            count_text(count_at(report, "/segments")) + " segments.\n";
    const json::value& differences = at(report, "/differences");
    for (const json::value& each : differences.is_array() ? differences.get_array() : json::array()) {
        text += "difference: " +
                printable(each.is_string() ? std::string(each.get_string()) : json::serialize(each)) + "\n";
    }
    const json::value& damaged = at(report, "/damaged");
    for (const json::value& each : damaged.is_array() ? damaged.get_array() : json::array()) {
        text += "damaged: " + shown(each, "/file") + ", offset " + shown(each, "/offset") + ": " +
                shown(each, "/what") + "\n";
    }
    return text;
}

std::string body_within(const std::string& data) {
    const auto begin = data.find("," + std::string(body_key));
    const auto end = data.rfind('}');
    if (begin == std::string::npos || end == std::string::npos) {
        return {};
    }
    const auto from = begin + 1 + body_key.size();
    return end > from ? data.substr(from, end - from) : std::string();
}

} // namespace linkrunner::ctl
