// dead list, show, replay, drop, export: what the API refused.
#include "ctl/fields.hpp"
#include "ctl/lists_view.hpp"
#include "ctl/text.hpp"
#include "tool.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

struct dead_options {
    std::string reason, name, event_id, older_than, newer_than;
    std::vector<std::uint64_t> numbers;
    bool all = false;
    std::uint64_t from = 0;
    std::uint64_t limit = 100;
    std::string file;
};

std::vector<std::pair<std::string, std::string>> filters(const dead_options& given) {
    return {{"reason", given.reason},
            {"event_name", given.name},
            {"event_id", given.event_id},
            {"older_than", given.older_than},
            {"newer_than", given.newer_than}};
}

int list(const tool& with, const dead_options& given) {
    session daemon = with.connect();
    auto query = filters(given);
    query.emplace_back("from", std::to_string(given.from));
    query.emplace_back("limit", std::to_string(given.limit));
    const auto page = daemon.get(with_query("/v1/dead", query));
    print(with.json ? daemon.raw() + "\n" : letters_text(page, seconds_now(), output_width()));
    return exit_done;
}

int show(const tool& with, const dead_options& given) {
    session daemon = with.connect();
    const auto one = daemon.get("/v1/dead/" + std::to_string(given.numbers.front()));
    print(with.json ? daemon.raw() + "\n" : event_text(one, body_within(daemon.raw())));
    return exit_done;
}

int change(const tool& with, const dead_options& given, bool replay) {
    json::object which;
    if (!given.numbers.empty()) {
        which["numbers"] = json::array(given.numbers.begin(), given.numbers.end());
    }
    for (const auto& [name, value] : filters(given)) {
        if (!value.empty()) {
            which[name] = value;
        }
    }
    if (given.all) {
        which["all"] = true;
    }
    if (which.empty()) {
        throw failure(exit_usage,
                      "say which: numbers, --reason, --name, --event-id, --older-than, --newer-than, or "
                      "--all for every dead letter; `linkrunnerctl dead list` with the same shows them");
    }
    session daemon = with.connect();
    const auto done = daemon.post(replay ? "/v1/dead/replay" : "/v1/dead/drop", which);
    if (with.json) {
        print(daemon.raw() + "\n");
        return exit_done;
    }
    const std::uint64_t count = count_at(done, replay ? "/replayed" : "/dropped");
    const std::uint64_t skipped = count_at(done, "/skipped");
    print(
        count_text(count) + (count == 1 ? " dead letter is " : " dead letters are ") +
        (replay ? "pending again" : "dropped") + ".\n" +
        (skipped == 0 ? "" : count_text(skipped) + " of the numbers are no dead letters that are meant.\n"));
    return exit_done;
}

int write_out(const tool& with, const dead_options& given) {
    session daemon = with.connect();
    std::FILE* to = given.file.empty() ? stdout : std::fopen(given.file.c_str(), "wx");
    if (to == nullptr) {
        throw failure(exit_failed, given.file + ": " + std::generic_category().message(errno));
    }
    std::string from = std::to_string(given.from);
    std::uint64_t count = 0;
    bool written = true;
    while (!from.empty() && written) {
        auto query = filters(given);
        query.emplace_back("from", from);
        net::call request;
        request.target = with_query("/v1/dead/export", query);
        const net::called answer = daemon.ask(request);
        if (answer.status != 200) {
            boost::system::error_code ignored;
            throw failure(exit_failed, text_at(json::parse(answer.body, ignored), "/msg"));
        }
        written = std::fwrite(answer.body.data(), 1, answer.body.size(), to) == answer.body.size();
        count += static_cast<std::uint64_t>(std::ranges::count(answer.body, '\n'));
        from = answer.header("Linkrunner-Next");
    }
    written = std::fflush(to) == 0 && written;
    if (to != stdout) {
        written = std::fclose(to) == 0 && written;
    }
    if (!written) {
        throw failure(exit_failed, "cannot write " +
                                       (given.file.empty() ? std::string("to standard output") : given.file));
    }
    std::fprintf(stderr, "%s dead letters written\n", count_text(count).c_str());
    return exit_done;
}

void add_filters(CLI::App& to, dead_options& into) {
    to.add_option("--reason", into.reason, "why they are dead: rejected, attempts, age, ambiguous")
        ->check(CLI::IsMember({"rejected", "attempts", "age", "ambiguous"}))
        ->type_name("REASON");
    to.add_option("--name", into.name, "with this event_name")->type_name("NAME");
    to.add_option("--event-id", into.event_id, "with this event_id")->type_name("ID");
    to.add_option("--older-than", into.older_than, "accepted longer ago than this: 30s, 15m, 24h, 7d")
        ->type_name("AGE");
    to.add_option("--newer-than", into.newer_than, "accepted within this time")->type_name("AGE");
}

void add_selection(CLI::App& to, dead_options& into) {
    to.add_option("NUMBERS", into.numbers, "as `dead list` shows them");
    add_filters(to, into);
    to.add_flag("--all", into.all, "every dead letter");
}

} // namespace

void declare_dead(CLI::App& program, tool& with) {
    CLI::App* dead = program.add_subcommand("dead", "dead letters: events that the API would not take");
    dead->require_subcommand(1);
    const auto given = std::make_shared<dead_options>();
    CLI::App* listing = add_command(*dead, with, "list", "list them, with what the API said",
                                    [&with, given] { return list(with, *given); });
    add_filters(*listing, *given);
    listing->add_option("--from", given->from, "from this number on")->type_name("NUMBER");
    listing->add_option("--limit", given->limit, "so many at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    CLI::App* showing = add_command(*dead, with, "show", "one of them, with its body as it is sent",
                                    [&with, given] { return show(with, *given); });
    showing->add_option("NUMBER", given->numbers, "as `dead list` shows it")->required()->expected(1);
    add_selection(*add_command(*dead, with, "replay",
                               "make them pending again: they keep their event_id and place",
                               [&with, given] { return change(with, *given, true); }),
                  *given);
    add_selection(*add_command(*dead, with, "drop", "give them up for good",
                               [&with, given] { return change(with, *given, false); }),
                  *given);
    CLI::App* exporting =
        add_command(*dead, with, "export", "write them out with their bodies, a line of JSON each",
                    [&with, given] { return write_out(with, *given); });
    add_filters(*exporting, *given);
    exporting->add_option("--from", given->from, "from this number on")->type_name("NUMBER");
    exporting->add_option("-o,--output", given->file, "into this new file, not to standard output")
        ->type_name("FILE");
}

} // namespace linkrunner::ctl
