#include "ctl/status_view.hpp"

#include "ctl/fields.hpp"
#include "ctl/text.hpp"

#include <boost/json.hpp>

#include <utility>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

constexpr std::size_t most_lanes_shown = 4;

// The state that an operator sees: what they asked for comes before what the API does.
std::string state_of(const json::value& status) {
    return text_at(status, "/daemon/upstream/state");
}

std::string headline(const json::value& status) {
    std::string out = "linkrunnerd " + text_at(status, "/daemon/version") + ", up " +
                      seconds_text(number_at(status, "/daemon/uptime_seconds")) + ", pid " +
                      std::to_string(count_at(status, "/pid"));
    const std::string refusing = text_at(status, "/daemon/not_ready_reason");
    return out + (refusing.empty() ? ": takes events" : ": TAKES NO EVENTS (" + printable(refusing) + ")");
}

std::string upstream_line(const json::value& status) {
    const std::string state = state_of(status);
    std::string out = "Upstream    " + state + ": " + words_for_state(state).meaning;
    const std::string reason = text_at(status, "/daemon/upstream/reason");
    return reason.empty() ? out : out + "; " + printable(reason);
}

std::string rate_line(const json::value& status) {
    const auto rate = number_at(status, "/daemon/upstream/rate_per_second").value_or(0);
    const auto ceiling = number_at(status, "/daemon/upstream/rate_ceiling_per_second");
    const auto given = number_at(status, "/temporary_rate_per_second");
    std::string out = "Rate        " + rate_text(rate);
    if (given) {
        out += ", set by an operator until a restart or `rate reset`";
    } else if (!ceiling) {
        out += ", being found (delivery.rate: auto)";
    } else if (rate < *ceiling * 0.995) {
        out += " of " + rate_text(*ceiling) + ": lowered, because the API answered 429";
    } else {
        out += ", as configured (delivery.rate)";
    }
    return out + "; " + count_text(count_at(status, "/daemon/upstream/in_flight")) + " in flight";
}

std::string probe_line(const json::value& status) {
    const auto until = number_at(status, "/daemon/upstream/next_change_in_seconds");
    return until ? "            next try in " + seconds_text(until) : std::string();
}

std::string key_line(const json::value& status) {
    const std::string file = text_at(status, "/key/file");
    std::string out =
        "Key         " + (file.empty() ? std::string("from the environment") : "from " + printable(file));
    const std::string changed = text_at(status, "/key/changed_at");
    out += changed.empty() ? "" : ", changed " + changed;
    if (const std::string problem = text_at(status, "/key/problem"); !problem.empty()) {
        return out + "; THE FILE CANNOT BE READ: " + printable(problem);
    }
    return out + (flag_at(status, "/key/refused") ? "; REFUSED BY THE API" : "; not refused");
}

std::string disk_line(const json::value& status) {
    const auto used = count_at(status, "/daemon/spool/bytes");
    const auto limit = count_at(status, "/daemon/spool/limit_bytes");
    const std::string refusing = text_at(status, "/daemon/spool/refusing");
    std::string out = "Disk        " + bytes_text(used) + " of " + bytes_text(limit) + " (" +
                      percent_text(used, limit) + ") in " +
                      printable(text_at(status, "/daemon/spool/directory"));
    if (refusing.empty() || refusing == "none") {
        return out;
    }
    return out + "; " + refusing + ": " + printable(text_at(status, "/daemon/spool/detail"));
}

std::string error_line(const json::value& status) {
    const std::string what = text_at(status, "/daemon/upstream/last_error/what");
    if (what.empty()) {
        return "Last error  none since the start";
    }
    return "Last error  " + seconds_text(number_at(status, "/daemon/upstream/last_error/seconds_ago")) +
           " ago: " + printable(what);
}

void add(std::vector<std::string>& lines, const std::string& block) {
    for (std::size_t begin = 0; begin < block.size();) {
        const std::size_t end = block.find('\n', begin);
        lines.push_back(block.substr(begin, end - begin));
        begin = end + 1;
    }
}

std::string backlog(const json::value& status, std::size_t width) {
    table out({{"Backlog", false}, {"lane", false}, {"waiting", true}, {"delivered within", true}});
    const json::value& lanes = at(status, "/daemon/lanes");
    std::uint64_t others = 0;
    if (lanes.is_array()) {
        for (std::size_t index = 0; index < lanes.get_array().size(); ++index) {
            const json::value& lane = lanes.get_array()[index];
            if (index >= most_lanes_shown) {
                others += count_at(lane, "/pending");
                continue;
            }
            out.row({"       ", printable(text_at(lane, "/name")), count_text(count_at(lane, "/pending")),
                     number_at(lane, "/forecast_seconds") == 0.0
                         ? "at once"
                         : seconds_text(number_at(lane, "/forecast_seconds"))});
        }
        if (lanes.get_array().size() > most_lanes_shown) {
            out.row({"       ", "others", count_text(others), ""});
        }
    }
    std::string text = out.text(width);
    if (const auto oldest = number_at(status, "/daemon/spool/oldest_pending_seconds")) {
        text += "            the oldest has waited for " + seconds_text(oldest) + "\n";
    }
    return text;
}

std::string outcomes(const json::value& status, std::size_t width) {
    table out({{"Outcomes", false}, {"", false}, {"last minute", true}, {"in total", true}});
    for (const char* name : {"accepted", "delivered", "dead", "dropped", "lost"}) {
        const bool counted_by_minute = at(status, std::string("/last_minute/") + name).is_number();
        out.row({"        ", name,
                 counted_by_minute ? count_text(count_at(status, std::string("/last_minute/") + name)) : "",
                 count_text(count_at(status, std::string("/daemon/ledger/") + name))});
    }
    if (const auto over = count_at(status, "/daemon/ledger/handed_off"); over != 0) {
        out.row({"        ", "handed off", "", count_text(over)}); // by the minute: with the delivered
    }
    out.row({"        ", "refused at intake", count_text(count_at(status, "/last_minute/refused")),
             count_text(count_at(status, "/since_start/refused"))});
    return out.text(width);
}

std::string advice(const json::value& status) {
    const std::string refusing = text_at(status, "/daemon/spool/refusing");
    if (refusing == "disk_full") {
        return "make room on the disk; events are taken again by themselves";
    }
    if (refusing == "queue_full") {
        return "raise spool.max_bytes, or find out below why deliveries do not keep up";
    }
    if (refusing == "disk_stalled" || refusing == "disk_error") {
        return "look at the disk: the kernel's log (journalctl -k) says more";
    }
    if (flag_at(status, "/draining")) {
        return "`linkrunnerctl resume` takes events again";
    }
    if (const std::string words = words_for_state(state_of(status)).advice; !words.empty()) {
        return words;
    }
    if (count_at(status, "/daemon/ledger/dead") > 0) {
        return "`linkrunnerctl dead list` shows what the API refused, and why";
    }
    return {};
}

} // namespace

state_words words_for_state(const std::string& state) {
    static const std::pair<const char*, state_words> known[] = {
        {"healthy", {"deliveries go on, or nothing waits", ""}},
        {"throttled",
         {"the API asked for a pause", "nothing, it passes; if it is often so, lower delivery.rate"}},
        {"outage",
         {"attempts fail and none succeeds",
          "look at the last error: network, DNS, proxy, certificate, or the API"}},
        {"held_unauthorized", {"the API refuses the server key", "write the right key into its file"}},
        {"held_suspended",
         {"the account is suspended", "settle it in the dashboard, then `linkrunnerctl reload`"}},
        {"held_misconfigured", {"upstream.url is not the API", "correct upstream.url and restart"}},
        {"held_rejecting",
         {"everything is rejected",
          "look at the last error: the API changed, or something stands before it"}},
        {"paused", {"nothing is sent", "`linkrunnerctl resume` goes on"}},
        {"draining", {"no new events are taken, what waits is delivered", ""}},
    };
    for (const auto& [name, words] : known) {
        if (state == name) {
            return words;
        }
    }
    return {"a state that this linkrunnerctl does not know", ""};
}

std::vector<std::string> status_lines(const json::value& status, std::size_t width) {
    std::vector<std::string> lines;
    lines.push_back(headline(status));
    lines.push_back(upstream_line(status));
    if (const std::string probe = probe_line(status); !probe.empty()) {
        lines.push_back(probe);
    }
    lines.push_back(rate_line(status));
    lines.push_back(key_line(status));
    lines.push_back(disk_line(status));
    lines.push_back(error_line(status));
    add(lines, backlog(status, width));
    add(lines, outcomes(status, width));
    if (const std::string words = advice(status); !words.empty()) {
        lines.push_back("To do       " + words);
    }
    for (std::string& line : lines) {
        line = clipped(line, width);
    }
    return lines;
}

} // namespace linkrunner::ctl
