// tail, explain: what happens to events, as it happens, and what has happened to one.
#include "ctl/lists_view.hpp"
#include "tool.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <memory>
#include <unistd.h>

namespace linkrunner::ctl {

namespace {

struct tail_options {
    std::vector<std::string> outcomes;
    std::string name, user, event_id;
    std::uint64_t count = 0;
};

int tail(const tool& with, const tail_options& given) {
    std::string outcomes;
    for (const std::string& each : given.outcomes) {
        outcomes += (outcomes.empty() ? "" : ",") + each;
    }
    session daemon = with.connect();
    daemon.follow(with_query("/v1/tail", {{"outcome", outcomes},
                                          {"event_name", given.name},
                                          {"user_id", given.user},
                                          {"event_id", given.event_id}}));
    if (::isatty(STDERR_FILENO) == 1 && !with.json) {
        std::fputs("Following; Ctrl-C ends it.\n", stderr);
    }
    for (std::uint64_t shown = 0; given.count == 0 || shown < given.count; ++shown) {
        const auto line = daemon.next_line();
        if (!line) {
            throw failure(exit_unreachable, "linkrunnerd has ended");
        }
        boost::system::error_code broken;
        const auto one = boost::json::parse(*line, broken);
        print((with.json || broken ? *line : tail_line(one)) + "\n");
    }
    return exit_done;
}

int explain(const tool& with, const std::string& event_id) {
    session daemon = with.connect();
    const auto known = daemon.get(with_query("/v1/explain", {{"event_id", event_id}}));
    print(with.json ? daemon.raw() + "\n" : stories_text(known, seconds_now()));
    return known.at("stories").as_array().empty() ? exit_failed : exit_done;
}

} // namespace

void declare_follow(CLI::App& program, tool& with) {
    const auto given = std::make_shared<tail_options>();
    CLI::App* follows = add_command(program, with, "tail", "follow what happens to events, as it happens",
                                    [&with, given] { return tail(with, *given); });
    follows
        ->add_option("--outcome", given->outcomes,
                     "only these: accepted, delivered, dead, failed (an attempt; not shown otherwise)")
        ->delimiter(',')
        ->check(CLI::IsMember({"accepted", "delivered", "dead", "failed"}))
        ->type_name("OUTCOMES");
    follows->add_option("--name", given->name, "with this event_name only")->type_name("NAME");
    follows->add_option("--user", given->user, "of this user_id (or install_instance_id) only")
        ->type_name("ID");
    follows->add_option("--event-id", given->event_id, "with this event_id only")->type_name("ID");
    follows->add_option("--count", given->count, "end after so many lines")->type_name("N");
    const auto event_id = std::make_shared<std::string>();
    add_command(program, with, "explain",
                "the story of one event that waits, is dead, or is among the last 10,000 that ended",
                [&with, event_id] { return explain(with, *event_id); })
        ->add_option("EVENT_ID", *event_id, "its event_id")
        ->required();
}

} // namespace linkrunner::ctl
