#include "control/control.hpp"

#include "base/json_text.hpp"
#include "base/utf8.hpp"
#include "control/asker.hpp"
#include "control/explain.hpp"
#include "control/letter_json.hpp"
#include "control/pending.hpp"
#include "control/selection.hpp"
#include "net/envelope.hpp"
#include "telemetry/log.hpp"

#include <charconv>
#include <memory>
#include <utility>

namespace linkrunner::control {

namespace {

constexpr std::size_t most_listed = 1000;
constexpr std::size_t usually_listed = 100;
constexpr std::size_t most_exported = 10'000;
constexpr std::size_t export_bytes = 4 << 20; // of bodies in one answer
constexpr std::string_view letters = "/v1/dead";
constexpr std::string_view queue = "/v1/queue";

constexpr std::string_view index_text =
    "linkrunnerd, control\n"
    "GET  /v1/status         everything at a glance\n"
    "GET  /v1/queue          events that wait; from, limit, lane, event_name, event_id, older_than\n"
    "GET  /v1/queue/<number> one of them, with its body\n"
    "GET  /v1/explain        the story of one event; event_id\n"
    "GET  /v1/tail           NDJSON, what happens as it happens; outcome, event_name, user_id, event_id\n"
    "POST /v1/pause          send nothing; events are taken and kept\n"
    "POST /v1/drain          take no new events, deliver what waits\n"
    "POST /v1/resume         the end of both\n"
    "GET  /v1/rate           the rate of delivery; POST {\"per_second\": 10} or {\"reset\": true}\n"
    "POST /v1/reload         as SIGHUP; answers what changed\n"
    "GET  /v1/dead           dead letters; from, limit, reason, event_name, event_id, older_than, "
    "newer_than\n"
    "GET  /v1/dead/<number>  one of them, with its body\n"
    "GET  /v1/dead/export    NDJSON, with bodies\n"
    "POST /v1/dead/replay    make pending again\n"
    "POST /v1/dead/drop      give up\n"
    "GET  /v1/audit          recount the ledger from the files\n";

struct route {
    std::string_view path;
    std::string_view methods; // as Allow lists them
};

constexpr route routes[] = {{"/", "GET"},
                            {letters, "GET"},
                            {"/v1/dead/export", "GET"},
                            {"/v1/dead/replay", "POST"},
                            {"/v1/dead/drop", "POST"},
                            {"/v1/audit", "GET"},
                            {queue, "GET"},
                            {"/v1/explain", "GET"},
                            {"/v1/tail", "GET"},
                            {"/v1/status", "GET"},
                            {"/v1/rate", "GET, POST"},
                            {"/v1/pause", "POST"},
                            {"/v1/resume", "POST"},
                            {"/v1/drain", "POST"},
                            {"/v1/reload", "POST"}};

// The methods that a path is served with; empty where there is nothing.
std::string_view methods_for(std::string_view path) {
    for (const route& each : routes) {
        if (each.path == path) {
            return each.methods;
        }
    }
    return path.starts_with("/v1/dead/") || path.starts_with("/v1/queue/") ? "GET" : "";
}

bool is_among(std::string_view method, std::string_view methods) {
    const auto at = methods.find(method);
    return at != std::string_view::npos &&
           (at + method.size() == methods.size() || methods[at + method.size()] == ',');
}

net::response nothing_here() {
    return net::refusal(404, "not_found", "there is nothing here; GET / lists what there is");
}

std::optional<spool::sequence> number_in(std::string_view text) {
    spool::sequence out = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc{} && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

net::response bad(const error& why) {
    return net::refusal(400, "bad_request", why.message);
}

std::string next_of(const spool::dead_page& page) {
    return page.at_end ? "null" : std::to_string(page.next);
}

void append_ledger(std::string& out, const spool::ledger& all) {
    out += "{\"accepted\":" + std::to_string(all.accepted) +
           ",\"delivered\":" + std::to_string(all.delivered) +
           ",\"handed_off\":" + std::to_string(all.handed_off) + ",\"dead\":" + std::to_string(all.dead) +
           ",\"dropped\":" + std::to_string(all.dropped) + ",\"lost\":" + std::to_string(all.lost) +
           ",\"pending\":" + std::to_string(all.pending) + "}";
}

void append_damage(std::string& out, const spool::damage& place) {
    out += "{\"file\":";
    append_json_string(out, place.file);
    out += ",\"offset\":" + std::to_string(place.offset) + ",\"bytes\":" + std::to_string(place.bytes) +
           ",\"what\":";
    append_json_string(out, as_utf8(place.what));
    out += '}';
}

std::string audit_json(const spool::audit_report& report) {
    std::string out = "{\"holds\":";
    out += report.holds() ? "true" : "false";
    out += ",\"kept\":";
    append_ledger(out, report.known);
    out += ",\"recounted\":";
    append_ledger(out, report.recounted);
    out += ",\"segments\":" + std::to_string(report.segments) +
           ",\"events\":" + std::to_string(report.frames) + ",\"marks\":" + std::to_string(report.marks) +
           ",\"differences\":[";
    for (std::size_t index = 0; index < report.differences.size(); ++index) {
        out += index == 0 ? "" : ",";
        append_json_string(out, as_utf8(report.differences[index]));
    }
    out += "],\"damaged\":[";
    for (std::size_t index = 0; index < report.damaged.size(); ++index) {
        out += index == 0 ? "" : ",";
        append_damage(out, report.damaged[index]);
    }
    return out + "]}";
}

} // namespace

std::optional<net::response> control::refuse_early(net::request& head) {
    const std::string_view methods = methods_for(head.path());
    if (methods.empty()) {
        return nothing_here();
    }
    if (!is_among(head.method(), methods)) {
        net::response out =
            net::refusal(405, "method_not_allowed", "this is served with " + std::string(methods));
        out.headers.emplace_back("Allow", methods);
        return out;
    }
    if (!head.header("Origin").empty()) {
        return net::refusal(403, "forbidden_origin", "browsers have no business here");
    }
    return std::nullopt;
}

void control::handle(net::request& whole, net::responder answer) {
    const std::string_view path = whole.path();
    if (path == "/") {
        net::response out;
        out.content_type = "text/plain; charset=utf-8";
        out.body = index_text;
        answer(std::move(out));
    } else if (path == letters) {
        list(whole, std::move(answer));
    } else if (path == "/v1/dead/export") {
        write_out(whole, std::move(answer));
    } else if (path == "/v1/dead/replay") {
        change(true, whole, std::move(answer));
    } else if (path == "/v1/dead/drop") {
        change(false, whole, std::move(answer));
    } else if (path == "/v1/audit") {
        audit(std::move(answer));
    } else if (path == queue) {
        list_pending(parts_.spool, parts_.lanes, parts_.time.wall(), whole.query(), answer);
    } else if (path == "/v1/explain") {
        explain({parts_.spool, parts_.stories, parts_.daemon, parts_.lanes}, whole.query(), answer);
    } else if (path == "/v1/tail") {
        tail(parts_.stories, whole.query(), answer);
    } else if (path.starts_with(letters) || path.starts_with(queue)) {
        const bool dead = path.starts_with(letters);
        const auto number = number_in(path.substr((dead ? letters : queue).size() + 1));
        if (!number) {
            answer(nothing_here());
        } else if (dead) {
            show(*number, std::move(answer));
        } else {
            show_pending(parts_.spool, parts_.lanes, *number, answer);
        }
    } else if (!steer(parts_.daemon, whole, answer)) {
        answer(nothing_here());
    }
}

void control::list(const net::request& whole, net::responder answer) {
    spool::dead_query what;
    what.max_events = usually_listed;
    if (const auto read = read_query(whole.query(), what, most_listed, parts_.time.wall()); !read) {
        answer(bad(read.error()));
        return;
    }
    parts_.spool.list(
        std::move(what), [this, answer = std::move(answer)](const result<spool::dead_page>& page) {
            if (!page) {
                answer(spool_failed(page.error()));
                return;
            }
            std::string data =
                "{\"dead\":" + std::to_string(parts_.spool.status().events.dead) + ",\"letters\":[";
            for (std::size_t index = 0; index < page->events.size(); ++index) {
                data += index == 0 ? "" : ",";
                append_letter(data, page->events[index], parts_.lanes);
            }
            data += "],\"next\":" + next_of(*page) + "}";
            answer(net::envelope(200, "Dead letters", data));
        });
}

void control::show(spool::sequence wanted, net::responder answer) {
    spool::dead_query what;
    what.filter.numbers = {wanted};
    what.from = wanted;
    what.bodies = true;
    parts_.spool.list(std::move(what),
                      [this, answer = std::move(answer)](const result<spool::dead_page>& page) {
                          if (!page) {
                              answer(spool_failed(page.error()));
                          } else if (page->events.empty()) {
                              answer(net::refusal(404, "not_dead", "no dead letter has this number"));
                          } else {
                              std::string data;
                              append_letter(data, page->events.front(), parts_.lanes);
                              answer(net::envelope(200, "Dead letter", data));
                          }
                      });
}

// A page at a time: `from` of the next one is in a header, so that the lines are nothing but letters.
void control::write_out(const net::request& whole, net::responder answer) {
    spool::dead_query what;
    what.max_events = most_exported;
    what.max_bytes = export_bytes;
    what.bodies = true;
    if (const auto read = read_query(whole.query(), what, most_exported, parts_.time.wall()); !read) {
        answer(bad(read.error()));
        return;
    }
    parts_.spool.list(std::move(what),
                      [this, answer = std::move(answer)](const result<spool::dead_page>& page) {
                          if (!page) {
                              answer(spool_failed(page.error()));
                              return;
                          }
                          net::response out;
                          out.content_type = "application/x-ndjson";
                          for (const spool::dead_event& each : page->events) {
                              append_letter(out.body, each, parts_.lanes);
                              out.body += '\n';
                          }
                          if (!page->at_end) {
                              out.headers.emplace_back("Linkrunner-Next", std::to_string(page->next));
                          }
                          answer(std::move(out));
                      });
}

void control::change(bool replay, net::request& whole, net::responder answer) {
    auto which = read_selection(whole.body(), parts_.time.wall());
    if (!which) {
        answer(bad(which.error()));
        return;
    }
    const std::string asked = whole.body().substr(0, 200);
    const std::size_t named = which->numbers.size();
    const asker who(whole);
    auto done = [replay, asked, named, who, answer = std::move(answer)](const result<std::uint64_t>& count) {
        if (!count) {
            log::error(replay ? "dead letters could not be replayed" : "dead letters could not be dropped",
                       {{"which", as_utf8(asked)}, {"error", count.error().message}});
            answer(spool_failed(count.error()));
            return;
        }
        log::info(replay ? "dead letters replayed" : "dead letters dropped",
                  {{"which", as_utf8(asked)}, {"count", *count}, who.pid(), who.uid(), who.gid()});
        std::string data = (replay ? "{\"replayed\":" : "{\"dropped\":") + std::to_string(*count);
        data += named == 0 ? "" : ",\"skipped\":" + std::to_string(named - *count);
        answer(net::envelope(200, replay ? "Dead letters are pending again" : "Dead letters are dropped",
                             data + "}"));
    };
    replay ? parts_.spool.replay(std::move(*which), std::move(done))
           : parts_.spool.drop(std::move(*which), std::move(done));
}

void control::audit(net::responder answer) {
    parts_.spool.audit([answer = std::move(answer)](const result<spool::audit_report>& report) {
        if (!report) {
            answer(spool_failed(report.error()));
            return;
        }
        answer(net::envelope(200, report->holds() ? "The ledger holds" : "The ledger does not hold",
                             audit_json(*report)));
    });
}

net::response control::protocol_error(int status, std::string_view code, std::string_view message) {
    return net::refusal(status, code, message);
}

} // namespace linkrunner::control
