// Stories of events, and what happens as it happens, as text.
#include "ctl/fields.hpp"
#include "ctl/lists_view.hpp"
#include "ctl/text.hpp"

#include <boost/json.hpp>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

std::string field(const json::value& of, std::string_view pointer) {
    return printable(text_at(of, pointer));
}

std::string ago(const json::value& of, std::string_view pointer, double now) {
    const auto age = age_of(text_at(of, pointer), now);
    return text_at(of, pointer) + (age ? ", " + seconds_text(age) + " ago" : std::string());
}

// "429 throttled", "no answer, transient"
std::string outcome_of(const json::value& attempt) {
    const auto status = count_at(attempt, "/status");
    const std::string outcome = field(attempt, "/outcome");
    return (status == 0 ? std::string("no answer") : std::to_string(status)) +
           (outcome.empty() ? "" : ", " + outcome);
}

std::string attempts_text(const json::value& story) {
    std::string out;
    const json::value& known = at(story, "/attempts_known");
    if (!known.is_array() || known.get_array().empty()) {
        return out;
    }
    for (const json::value& each : known.get_array()) {
        out += "  attempt " + std::to_string(count_at(each, "/attempt")) + " ended " + text_at(each, "/at") +
               " after " + seconds_text(number_at(each, "/duration_ms").value_or(0) / 1000) + ": " +
               outcome_of(each);
        out += flag_at(each, "/ambiguous") ? ", the API may have counted it" : "";
        const std::string answer = field(each, "/answer");
        out += answer.empty() ? "\n" : ": " + answer + "\n";
    }
    return out;
}

std::string end_text(const json::value& story, double now) {
    const std::string state = text_at(story, "/state");
    if (state == "pending") {
        return "  waits for " + field(story, "/waits_for") + "\n";
    }
    if (state == "dead") {
        return "  is a dead letter: " + field(story, "/reason") + ", after " +
               std::to_string(count_at(story, "/attempts")) +
               " attempts; the API said: " + field(story, "/answer") + "\n  see linkrunnerctl dead show " +
               std::to_string(count_at(story, "/number")) +
               "; replay or drop it with linkrunnerctl dead replay, dead drop\n";
    }
    if (state == "was_dead") {
        return "  was a dead letter (" + field(story, "/reason") + ") from " + text_at(story, "/ended_at") +
               " on; it was replayed or dropped since\n";
    }
    return "  " + state + " " + ago(story, "/ended_at", now) + "\n";
}

} // namespace

std::string stories_text(const json::value& explained, double now) {
    std::string out;
    const json::value& stories = at(explained, "/stories");
    for (const json::value& each : stories.is_array() ? stories.get_array() : json::array()) {
        out += field(each, "/event_name") + " " + field(each, "/event_id") + ", number " +
               std::to_string(count_at(each, "/number")) + ", lane " + field(each, "/lane") + "\n";
        const std::string listener = field(each, "/listener");
        out += "  accepted " + ago(each, "/accepted_at", now) + ", by " +
               (listener.empty() ? std::string("a listener that is not remembered any more") : listener) +
               "\n";
        out += attempts_text(each) + end_text(each, now);
    }
    if (out.empty()) {
        return "Nothing is known of " + field(explained, "/event_id") +
               ": it does not wait, is no dead letter, and is not among the last 10,000 that ended since the "
               "daemon "
               "started.\nIt was delivered earlier, dropped, or never accepted.\n";
    }
    return out;
}

std::string tail_line(const json::value& one) {
    const std::string what = text_at(one, "/what");
    if (what == "lost") {
        return "... " + count_text(count_at(one, "/count")) + " lines are lost here: this reader is too slow";
    }
    const std::string when = text_at(one, "/at");
    std::string out = when.size() > 23 ? when.substr(11, 12) : when;
    out += "  " + what + std::string(what.size() < 9 ? 9 - what.size() : 0, ' ');
    for (const char* pointer : {"/event_name", "/user", "/event_id"}) {
        const std::string text = field(one, pointer);
        out += "  " + (text.empty() ? "-" : text);
    }
    if (what == "accepted") {
        return out + "  by " + field(one, "/listener");
    }
    if (what == "failed") {
        const auto next = number_at(one, "/next_in_ms");
        out += "  attempt " + std::to_string(count_at(one, "/attempt")) + ": " + outcome_of(one);
        out += next ? ", next in " + seconds_text(*next / 1000) : std::string();
    } else {
        out += "  after " + seconds_text(number_at(one, "/age_ms").value_or(0) / 1000);
        const std::string reason = field(one, "/reason");
        out += reason.empty() ? "" : ": " + reason;
        out += count_at(one, "/attempt") > 1 ? ", attempt " + std::to_string(count_at(one, "/attempt")) : "";
        out += what == "dead" && at(one, "/status").is_number() ? ", " + outcome_of(one) : "";
    }
    const std::string answer = field(one, "/answer");
    return answer.empty() ? out : out + ": " + answer;
}

} // namespace linkrunner::ctl
