#include "ctl/sender.hpp"

#include "ctl/failure.hpp"
#include "ctl/fields.hpp"
#include "ctl/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <random>
#include <vector>

namespace linkrunner::ctl {

namespace {

namespace json = boost::json;
using std::chrono::seconds;
using std::chrono::steady_clock;

// The boundaries of batches follow from the input alone, so that a batch sent again is the same.
constexpr std::size_t batch_lines = 500;
constexpr std::size_t batch_bytes = 1 << 20;
constexpr seconds connect_limit{5};
constexpr seconds answer_limit{60};
constexpr long longest_wait_seconds = 300;

volatile std::sig_atomic_t interrupted = 0;

bool is_blank(const std::string& text) {
    return text.find_first_not_of(" \t\r") == std::string::npos;
}

} // namespace

void interrupt_sending() noexcept {
    interrupted = 1;
}

std::unique_ptr<net::caller> connect_intake(const std::string& address) {
    auto made = net::caller::connect(address.empty() ? usual_intake : address, connect_limit);
    const bool no_socket = !made && made.error().code == std::errc::no_such_file_or_directory;
    if (address.empty() && no_socket) {
        made = net::caller::connect(other_intake, connect_limit);
    }
    if (made) {
        return std::move(*made);
    }
    if (made.error().code == std::errc::invalid_argument) {
        throw failure(exit_usage, made.error().message);
    }
    throw failure(
        exit_unreachable,
        made.error().message +
            ".\nIs linkrunnerd running, and is this one of its intake.listen? Another address: --intake "
            "unix:/path, --intake host:port, or the variable LINKRUNNERCTL_INTAKE.");
}

struct sender::batch {
    std::vector<text_line> lines; // without blank ones
    std::uint64_t last_line = 0;  // with them
    std::uint64_t end = 0;        // offset behind it
};

sender::sender(send_options given) : given_(std::move(given)), input_(given_.input) {
    begin();
}

sender::~sender() = default;

// Finds out which input this is, and how far it was sent before.
void sender::begin() {
    const bool file = input_.is_file();
    if (file) {
        given_.state_file = given_.state_file.empty() ? given_.input + ".sent" : given_.state_file;
        given_.reject_file = given_.reject_file.empty() ? given_.input + ".rejected" : given_.reject_file;
    }
    std::string key = given_.key;
    if (key.empty() && file) {
        const auto first = input_.next();
        key = key_for(input_.full_path(), first ? first->text : std::string());
        input_.rewind();
    } else if (key.empty()) {
        key = key_for("-", std::to_string(std::random_device{}()));
    }
    const auto found = given_.state_file.empty() ? std::nullopt : read_state(given_.state_file);
    if (found && !given_.again) {
        if (file && given_.key.empty() && !found->key.starts_with(key)) {
            throw failure(exit_failed, given_.state_file + " belongs to another content of " + given_.input +
                                           "; remove it, or send with --again");
        }
        state_ = *found;
        rejects_ = std::make_unique<reject_file>(given_.reject_file, state_.reject_bytes);
    } else {
        state_.key = found ? key + "-" + std::to_string(std::random_device{}()) : key;
        rejects_ = std::make_unique<reject_file>(given_.reject_file);
        state_.reject_bytes = rejects_->bytes();
    }
    if (state_.line > 0) {
        input_.skip_to(state_.line, state_.offset);
    }
}

// Lines up to the bounds of a batch; false at the end of the input.
bool sender::fill(batch& into) {
    std::size_t bytes = 0;
    into.last_line = state_.line;
    into.end = state_.offset;
    while (into.lines.size() < batch_lines) {
        if (!ahead_) {
            ahead_ = input_.next();
            ahead_end_ = input_.offset();
        }
        if (!ahead_ || (!into.lines.empty() && bytes + ahead_->text.size() > batch_bytes)) {
            break;
        }
        into.last_line = ahead_->number;
        into.end = ahead_end_;
        bytes += ahead_->text.size() + 1;
        if (!is_blank(ahead_->text)) {
            into.lines.push_back(std::move(*ahead_));
        }
        ahead_.reset();
    }
    return into.last_line > state_.line;
}

send_state sender::run() {
    intake_ = connect_intake(given_.intake);
    try {
        for (batch next; interrupted == 0; next = {}) {
            if (!fill(next)) {
                state_.done = true;
                settle();
                break;
            }
            state_.done = false;
            if (!next.lines.empty()) {
                send(next.lines);
            }
            state_.line = next.last_line;
            state_.offset = next.end;
            settle();
            speed_.note(steady_clock::now(), state_.line, input_.read_bytes());
            show({}, false);
        }
    } catch (const interruption&) { // the batch in hand is sent again by the next run
        rejects_->cut(state_.reject_bytes);
    }
    display_.clear();
    return state_;
}

// What is refused as a whole is sent in halves: their ids follow from their first lines, so they are the same
// in another run.
void sender::send(lines some) {
    if (some.size() == 1 && some.front().too_long) {
        ++state_.rejected;
        rejects_->add(some.front(), "event_too_large", "the line is longer than 8 MiB", "");
        return;
    }
    net::call request;
    request.method = "POST";
    request.target = "/v1/events";
    request.content_type = "application/x-ndjson";
    request.headers.emplace_back("Idempotency-Key",
                                 state_.key + "." + std::to_string(some.front().number) +
                                     (some.size() == 1 ? "" : "+" + std::to_string(some.size())));
    if (!given_.token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + given_.token);
    }
    for (const text_line& each : some) {
        request.body += each.text + "\n";
    }
    const net::called answer = exchange(request);
    boost::system::error_code broken;
    const json::value whole = json::parse(answer.body, broken);
    if (!broken && at(whole, "/data/rejected").is_array()) {
        take_answer(some, at(whole, "/data"));
        return;
    }
    const std::string code =
        broken ? "status_" + std::to_string(answer.status) : text_at(whole, "/data/code");
    const std::string message = broken ? "" : text_at(whole, "/msg");
    const bool about_the_body = answer.status == 400 || answer.status == 413;
    if (!about_the_body) {
        throw failure(exit_failed, "the intake refuses everything: " + std::to_string(answer.status) + " " +
                                       message + " (" + code + ")");
    }
    if (some.size() == 1) {
        ++state_.rejected;
        rejects_->add(some.front(), code, message, "");
        return;
    }
    send(some.first(some.size() / 2));
    send(some.subspan(some.size() / 2));
}

void sender::take_answer(lines some, const json::value& data) {
    state_.accepted += count_at(data, "/accepted");
    state_.duplicates += count_at(data, "/duplicates");
    state_.filtered += count_at(data, "/filtered");
    for (const json::value& each : at(data, "/rejected").get_array()) {
        const std::size_t index = count_at(each, "/index");
        if (index < some.size()) {
            ++state_.rejected;
            rejects_->add(some[index], text_at(each, "/code"), text_at(each, "/msg"),
                          text_at(each, "/pointer"));
        }
    }
}

// The answer, however long the intake makes us wait for it: 503 says how long, and a daemon that restarts is
// back within `patience`.
net::called sender::exchange(const net::call& request) {
    auto give_up = steady_clock::now() + given_.patience;
    for (;;) {
        if (interrupted != 0) {
            throw interruption{};
        }
        auto answer = intake_->exchange(request, answer_limit);
        if (!answer) {
            if (steady_clock::now() >= give_up) {
                display_.clear();
                throw failure(
                    exit_unreachable,
                    answer.error().message + ".\nAll up to line " + std::to_string(state_.line) +
                        " was sent. The same command goes on from there" +
                        (given_.state_file.empty() ? ", with --state FILE from the beginning on." : "."));
            }
            pause(seconds(1), answer.error().message);
            continue;
        }
        if (answer->status != 503) {
            return std::move(*answer);
        }
        boost::system::error_code broken;
        const json::value whole = json::parse(answer->body, broken);
        const long asked = std::strtol(answer->header("Retry-After").c_str(), nullptr, 10);
        pause(seconds(std::clamp(asked, 1L, longest_wait_seconds)),
              broken ? std::string("503") : text_at(whole, "/data/code"));
        give_up = steady_clock::now() + given_.patience;
    }
}

void sender::pause(seconds length, const std::string& why) {
    const auto end = steady_clock::now() + length;
    for (auto now = steady_clock::now(); now < end && interrupted == 0; now = steady_clock::now()) {
        const auto left = std::chrono::ceil<seconds>(end - now);
        show(why + ", next try in " + std::to_string(left.count()) + " s", true);
        ::poll(nullptr, 0, 200);
    }
}

void sender::settle() {
    rejects_->flush();
    state_.reject_bytes = rejects_->bytes();
    if (!given_.state_file.empty()) {
        write_state(given_.state_file, state_);
    }
}

void sender::show(const std::string& waiting, bool at_once) {
    const auto total = input_.total_bytes();
    const auto read = std::min(input_.read_bytes(), total == 0 ? ~std::uint64_t{0} : total);
    display_.show({read, total, state_.accepted, state_.duplicates, state_.rejected,
                   speed_.lines_per_second(), total == 0 ? std::nullopt : speed_.seconds_left(total - read),
                   printable(waiting)},
                  at_once);
}

} // namespace linkrunner::ctl
