#include "check_events.hpp"

#include "base/json_text.hpp"
#include "base/utc_text.hpp"
#include "env/clock.hpp"
#include "event/batch.hpp"
#include "event/lanes.hpp"
#include "exit_codes.hpp"
#include "translate.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <vector>

namespace linkrunner::daemon {

namespace {

constexpr std::size_t most_examples = 3; // of each code

class sample_id final : public event::id_source {
  public:
    std::string make() override { return "00000000-0000-7000-8000-000000000000"; } // the length of a real one
};

struct example {
    std::size_t index = 0;
    std::string pointer, message;
};

struct tally {
    std::size_t count = 0;
    std::vector<example> examples;

    void add(example one) {
        if (++count <= most_examples) {
            examples.push_back(std::move(one));
        }
    }
};

// What the report says.
struct findings {
    std::size_t events = 0, taken = 0, filtered = 0, refused = 0;
    std::vector<std::size_t> lanes; // events taken, by lane
    std::map<std::string, tally> rejected, warned, fixed;
};

class checker {
  public:
    explicit checker(const config::settings& all)
        : rules_(event_policy(all)), options_(parse_options(all, rules_)), lanes_(lane_rules(all)),
          time_(utc_text(system_clock().wall())) {
        out_.lanes.resize(all.delivery.lanes.size());
    }

    // False when the body as a whole is refused.
    bool run(const std::string& body) {
        const std::size_t first = body.find_first_not_of(" \t\r\n");
        const bool is_array = first != std::string::npos && body[first] == '[';
        const auto format = is_array ? event::batch_format::array : event::batch_format::ndjson;
        event::batch_reader reader(format, body);
        auto next = reader.next();
        for (; const auto* item = std::get_if<event::batch_item>(&next); next = reader.next()) {
            auto parsed = event::parse_event(item->text, {}, options_, ids_, time_, event::any_call);
            auto* const why = std::get_if<event::violation>(&parsed);
            if (why != nullptr && event::condemns_body(format, *why)) {
                event::locate_in_body(*why, body, *item);
                next = std::move(*why);
                break;
            }
            take(item->index, parsed);
        }
        if (const auto* broken = std::get_if<event::violation>(&next)) {
            std::fprintf(stderr, "linkrunnerd: line %zu, column %zu: %s\n", broken->line, broken->column,
                         broken->message.c_str());
            return false;
        }
        return true;
    }

    const findings& result() const { return out_; }

  private:
    void take(std::size_t index, const std::variant<event::event, event::violation>& parsed) {
        ++out_.events;
        if (const auto* why = std::get_if<event::violation>(&parsed)) {
            ++out_.refused;
            out_.rejected[why->code].add({index, why->pointer, why->message});
            return;
        }
        const event::event& good = std::get<event::event>(parsed);
        if (good.filtered) {
            ++out_.filtered;
            return;
        }
        ++out_.taken;
        ++out_.lanes[good.lane ? *good.lane : lanes_.lane_for(good.lane_name(), good.has_amount)];
        for (const event::finding& each : good.findings) {
            auto& tallies = each.fixed ? out_.fixed : out_.warned;
            tallies[std::string(event::word_for(each.which))].add({index, each.pointer, each.message});
        }
    }

    event::policy rules_;
    event::parse_options options_;
    event::lane_rules lanes_;
    std::string time_;
    sample_id ids_;
    findings out_;
};

void print_tallies(const char* title, const std::map<std::string, tally>& all) {
    if (all.empty()) {
        return;
    }
    std::printf("\n%s\n", title);
    for (const auto& [code, what] : all) {
        std::printf("  %-20s %zu\n", code.c_str(), what.count);
        for (const example& each : what.examples) {
            std::printf("    event %zu%s%s: %s\n", each.index + 1, each.pointer.empty() ? "" : " ",
                        each.pointer.c_str(), each.message.c_str());
        }
    }
}

void print_text(const findings& all, const config::settings& settings) {
    std::printf("events %zu: %zu would be taken, %zu filtered, %zu refused\n", all.events, all.taken,
                all.filtered, all.refused);
    for (std::size_t i = 0; i < all.lanes.size(); ++i) {
        std::printf("  lane %-15s %zu\n", settings.delivery.lanes[i].name.c_str(), all.lanes[i]);
    }
    print_tallies("Refused, by code of the answer", all.rejected);
    print_tallies("Taken with a warning, by rule", all.warned);
    print_tallies("Taken and mended, by rule", all.fixed);
}

void append_tallies(std::string& out, const char* name, const std::map<std::string, tally>& all) {
    out += std::string(",\"") + name + "\":{";
    bool first = true;
    for (const auto& [code, what] : all) {
        out += first ? "" : ",";
        first = false;
        append_json_string(out, code);
        out += ":{\"count\":" + std::to_string(what.count) + ",\"examples\":[";
        for (const example& each : what.examples) {
            out += &each == &what.examples.front() ? "" : ",";
            out += "{\"index\":" + std::to_string(each.index) + ",\"pointer\":";
            append_json_string(out, each.pointer);
            out += ",\"msg\":";
            append_json_string(out, each.message);
            out += '}';
        }
        out += "]}";
    }
    out += '}';
}

void print_json(const findings& all, const config::settings& settings) {
    std::string out = "{\"events\":" + std::to_string(all.events) +
                      ",\"taken\":" + std::to_string(all.taken) +
                      ",\"filtered\":" + std::to_string(all.filtered) +
                      ",\"refused\":" + std::to_string(all.refused) + ",\"lanes\":{";
    for (std::size_t i = 0; i < all.lanes.size(); ++i) {
        out += i == 0 ? "" : ",";
        append_json_string(out, settings.delivery.lanes[i].name);
        out += ':' + std::to_string(all.lanes[i]);
    }
    out += '}';
    append_tallies(out, "rejected", all.rejected);
    append_tallies(out, "warned", all.warned);
    append_tallies(out, "fixed", all.fixed);
    std::puts((out + "}").c_str());
}

bool read_all(const std::string& file, std::string& into) {
    if (file == "-") {
        into.assign(std::istreambuf_iterator<char>(std::cin), {});
        return true;
    }
    std::ifstream input(file, std::ios::binary);
    into.assign(std::istreambuf_iterator<char>(input), {});
    return input.good() || input.eof();
}

} // namespace

int check_events(const config::loaded& configuration, const std::string& file, bool as_json) {
    std::string body;
    if (!read_all(file, body)) {
        std::fprintf(stderr, "linkrunnerd: %s cannot be read\n", file.c_str());
        return exit_usage;
    }
    checker events(configuration.values);
    if (!events.run(body)) {
        return 1;
    }
    if (as_json) {
        print_json(events.result(), configuration.values);
    } else {
        print_text(events.result(), configuration.values);
    }
    return events.result().refused == 0 ? exit_clean : 1;
}

} // namespace linkrunner::daemon
