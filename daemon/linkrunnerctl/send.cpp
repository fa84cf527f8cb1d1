// send: one event from flags, or the lines of a file or of standard input.
#include "base/json_text.hpp"
#include "ctl/fields.hpp"
#include "ctl/sender.hpp"
#include "ctl/text.hpp"
#include "tool.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;

struct one_event {
    std::string name, user, install, data, event_id, wait;
};

struct send_flags {
    send_options options;
    std::string token_file;
    one_event event;
};

std::string token_of(const std::string& file) {
    if (file.empty()) {
        return {};
    }
    std::ifstream from(file);
    std::string token;
    if (!std::getline(from, token) || token.empty()) {
        throw failure(exit_failed, file + ": no token can be read from it");
    }
    return token;
}

// The data goes in as it was typed: numbers are not rewritten.
std::string event_json(const one_event& given) {
    std::string out = "{\"event_name\":";
    append_json_string(out, given.name);
    const auto add = [&out](const char* key, const std::string& value) {
        if (!value.empty()) {
            out += std::string(",\"") + key + "\":";
            append_json_string(out, value);
        }
    };
    add("user_id", given.user);
    add("install_instance_id", given.install);
    add("event_id", given.event_id);
    if (!given.data.empty()) {
        boost::system::error_code broken;
        const json::value parsed = json::parse(given.data, broken);
        if (broken || !parsed.is_object()) {
            throw failure(exit_usage, "--data takes a JSON object, as '{\"amount\": 12.5}'");
        }
        out += ",\"event_data\":" + given.data;
    }
    return out + "}";
}

int send_one(const tool& with, const send_flags& given) {
    const auto intake = connect_intake(given.options.intake);
    net::call request;
    request.method = "POST";
    request.target =
        given.event.wait.empty() ? "/v1/events" : "/v1/events?wait=delivered&timeout=" + given.event.wait;
    request.body = event_json(given.event);
    if (const std::string token = token_of(given.token_file); !token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + token);
    }
    const auto answer = intake->exchange(request, std::chrono::seconds(75));
    if (!answer) {
        throw failure(exit_unreachable,
                      answer.error().message + "; it is not known whether the event was taken");
    }
    boost::system::error_code broken;
    const json::value whole = json::parse(answer->body, broken);
    if (broken) {
        throw failure(exit_failed, "the intake answers with status " + std::to_string(answer->status) +
                                       " and not as linkrunnerd does");
    }
    const bool taken = answer->status >= 200 && answer->status < 300;
    const std::string outcome = text_at(whole, "/data/outcome");
    const bool well = taken && outcome != "dead" && outcome != "dropped";
    if (with.json) {
        print(answer->body);
        return well ? exit_done : exit_failed;
    }
    if (!taken) {
        const std::string pointer = text_at(whole, "/data/pointer");
        throw failure(exit_failed, "refused: " + printable(text_at(whole, "/msg")) +
                                       (pointer.empty() ? "" : " at " + printable(pointer)) + " (" +
                                       text_at(whole, "/data/code") + ")");
    }
    print((flag_at(whole, "/data/filtered") ? std::string("filtered by a rule, not accepted")
           : flag_at(whole, "/data/duplicate")
               ? "accepted before: " + printable(text_at(whole, "/data/event_id"))
               : "accepted: " + printable(text_at(whole, "/data/event_id"))) +
          (outcome.empty() ? "\n" : ", " + outcome + "\n"));
    return well ? exit_done : exit_failed;
}

void on_interrupt(int) {
    interrupt_sending();
}

std::string summary(const send_state& sums) {
    std::string out = count_text(sums.accepted) + " accepted, " + count_text(sums.duplicates) + " repeats, ";
    out += sums.filtered > 0 ? count_text(sums.filtered) + " filtered, " : "";
    return out + count_text(sums.rejected) + " rejected; " + count_text(sums.line) + " lines";
}

int send_lines(const tool& with, const send_flags& given) {
    send_options options = given.options;
    options.token = token_of(given.token_file);
    struct sigaction stop{};
    stop.sa_handler = on_interrupt; // without SA_RESTART: a read of standard input ends
    ::sigaction(SIGINT, &stop, nullptr);
    ::sigaction(SIGTERM, &stop, nullptr);
    sender work(options);
    const send_state sums = work.run();
    if (with.json) {
        print(json::serialize(json::object{{"done", sums.done},
                                           {"lines", sums.line},
                                           {"accepted", sums.accepted},
                                           {"duplicates", sums.duplicates},
                                           {"filtered", sums.filtered},
                                           {"rejected", sums.rejected}}) +
              "\n");
    } else {
        print(summary(sums) + (sums.done ? ".\n" : ". Interrupted; the same command goes on from here.\n"));
        if (sums.rejected > 0 && !work.rejects().empty()) {
            print("What was rejected is in " + work.rejects() + ", with the reasons.\n");
        }
    }
    return sums.done && sums.rejected == 0 ? exit_done : exit_failed;
}

int send(const tool& with, const send_flags& given) {
    const one_event& event = given.event;
    if (event.name.empty()) {
        if (!(event.user + event.install + event.data + event.event_id + event.wait).empty()) {
            throw failure(exit_usage, "an event needs --name");
        }
        return send_lines(with, given);
    }
    if (event.user.empty() && event.install.empty()) {
        throw failure(exit_usage, "an event needs --user, or --install-id");
    }
    return send_one(with, given);
}

} // namespace

void declare_send(CLI::App& program, tool& with) {
    const auto given = std::make_shared<send_flags>();
    CLI::App* send_command = add_command(
        program, with, "send",
        "send one event given by flags, or the lines of a file or of standard input (NDJSON, also gzip)",
        [&with, given] { return send(with, *given); });
    send_options& options = given->options;
    one_event& event = given->event;
    auto* file = send_command->add_option("FILE", options.input, "NDJSON, plain or gzip; - is standard input")
                     ->capture_default_str();
    send_command
        ->add_option("--intake", options.intake, "unix:/path, host:port or http://host:port of an intake")
        ->envname("LINKRUNNERCTL_INTAKE")
        ->type_name("ADDRESS");
    send_command
        ->add_option("--token-file", given->token_file, "bearer token for an intake that asks for one")
        ->type_name("FILE");
    send_command->add_option("--name", event.name, "of one event: its event_name")
        ->type_name("NAME")
        ->excludes(file);
    send_command->add_option("--user", event.user, "its user_id")->type_name("ID");
    send_command->add_option("--install-id", event.install, "its install_instance_id")->type_name("ID");
    send_command->add_option("--data", event.data, "its event_data, a JSON object")->type_name("JSON");
    send_command->add_option("--event-id", event.event_id, "its event_id")->type_name("ID");
    send_command
        ->add_option("--wait", event.wait,
                     "until it is delivered or dead, at most so long: 10s (60s at most)")
        ->type_name("TIME");
    send_command->add_option("--state", options.state_file, "how far it was sent is kept here (FILE.sent)")
        ->type_name("FILE");
    send_command
        ->add_option("--reject", options.reject_file,
                     "lines that are refused, with the reasons (FILE.rejected)")
        ->type_name("FILE");
    send_command
        ->add_option("--key", options.key,
                     "Idempotency-Key to make event ids from (else of path and first line)")
        ->type_name("KEY");
    send_command->add_flag("--again", options.again, "send all of it again, as other events");
}

} // namespace linkrunner::ctl
