// queue list, show: events that wait.
#include "ctl/lists_view.hpp"
#include "tool.hpp"

#include <memory>

namespace linkrunner::ctl {

namespace {

struct queue_options {
    std::string lane, name, event_id, older_than;
    std::uint64_t from = 0;
    std::uint64_t limit = 100;
    std::uint64_t number = 0;
};

int list(const tool& with, const queue_options& given) {
    session daemon = with.connect();
    const auto page = daemon.get(with_query("/v1/queue", {{"lane", given.lane},
                                                          {"event_name", given.name},
                                                          {"event_id", given.event_id},
                                                          {"older_than", given.older_than},
                                                          {"from", std::to_string(given.from)},
                                                          {"limit", std::to_string(given.limit)}}));
    print(with.json ? daemon.raw() + "\n" : pending_text(page, seconds_now(), output_width()));
    return exit_done;
}

int show(const tool& with, const queue_options& given) {
    session daemon = with.connect();
    const auto one = daemon.get("/v1/queue/" + std::to_string(given.number));
    print(with.json ? daemon.raw() + "\n" : event_text(one, body_within(daemon.raw())));
    return exit_done;
}

} // namespace

void declare_queue(CLI::App& program, tool& with) {
    CLI::App* queue = program.add_subcommand("queue", "events that wait for their delivery");
    queue->require_subcommand(1);
    const auto given = std::make_shared<queue_options>();
    CLI::App* listing =
        add_command(*queue, with, "list", "list them, in the order in which they were accepted",
                    [&with, given] { return list(with, *given); });
    listing->add_option("--lane", given->lane, "of this lane only")->type_name("LANE");
    listing->add_option("--name", given->name, "with this event_name only")->type_name("NAME");
    listing->add_option("--event-id", given->event_id, "with this event_id only")->type_name("ID");
    listing->add_option("--older-than", given->older_than, "accepted longer ago than this: 30s, 15m, 24h, 7d")
        ->type_name("AGE");
    listing->add_option("--from", given->from, "from this number on")->type_name("NUMBER");
    listing->add_option("--limit", given->limit, "so many at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    CLI::App* showing = add_command(*queue, with, "show", "one of them, with its body as it will be sent",
                                    [&with, given] { return show(with, *given); });
    showing->add_option("NUMBER", given->number, "as `queue list` shows it")->required();
}

} // namespace linkrunner::ctl
