// Faults by script: what the sandbox does wrong, when, and to which requests. Pure: time comes as an
// argument.
//
// One rule is a line of words, `key=value` or a flag: "after=100 status=429 retry_after=5 for=10s". Rules are
// kept in order and several may hold at once (docs/sandbox.md lists every word). For each request the rules
// are asked in order; delays of all that fire add up, and the first that fires with more than a delay ends
// the search.
#pragma once

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/random.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linkrunner::sandbox {

// Where in the life of a request a rule acts.
enum class fault_stage : std::uint8_t {
    accepted, // a connection was accepted, nothing read
    head,     // the headers were read, the body not
    request,  // the whole request was read
};

// How the exchange ends.
enum class fault_ending : std::uint8_t {
    answer,
    hang,  // never answered; closed when the peer closes or hang=DUR is over
    reset, // RST
    close, // FIN without an answer
};

// What is done to one request. The default does nothing.
struct misbehaviour {
    std::chrono::milliseconds delay{0};
    int status = 0; // 0: the answer that the API would give
    std::optional<std::chrono::seconds> retry_after;
    bool retry_after_as_date = false;
    std::string message;  // of the envelope, instead of the usual one
    std::string location; // redirect
    fault_ending ending = fault_ending::answer;
    std::chrono::milliseconds hang_for{0}; // 0: until the peer closes
    bool processed = false;                // an event is recorded although the answer says otherwise
    bool truncated = false;                // half of the body, then FIN
    bool garbage = false;                  // bytes that are not HTTP
    bool connection_close = false;
    std::vector<int> interim;              // 1xx answers before the real one
    bool http_1_0 = false;                 // so answered, and closed
    std::string header;                    // a whole line added: "RateLimit: ..."
    std::uint64_t big_bytes = 0;           // body padded to this
    std::chrono::milliseconds slow_gap{0}; // between single bytes of the answer; 0: at once

    bool only_delays() const noexcept;
};

struct fault {
    // Which requests.
    std::uint64_t after = 0; // this many matching ones are spared first
    std::uint64_t count = 0; // at most so many are hit; 0: no limit
    std::uint64_t every = 1; // each Nth of the matching ones that remain
    double probability = 1;
    std::chrono::milliseconds from{0};              // since the rule was added
    std::optional<std::chrono::milliseconds> lasts; // `for`: since the rule first could hit
    std::string name, user;                         // globs (fnmatch(3)) on event_name and the user; "": any
    std::uint64_t seed = 1;
    fault_stage stage = fault_stage::request;

    misbehaviour what;
    std::string text; // as written, for GET /faults
};

// Rules separated by newlines or ';'; blank ones and those that begin with '#' are skipped. The error says
// which rule and which word.
result<std::vector<fault>> parse_faults(std::string_view script);

// What is known of a request when the rules are asked.
struct fault_subject {
    std::string_view event_name;
    std::string_view user;
};

class fault_plan {
  public:
    void add(std::vector<fault> rules, steady_time now);
    void clear() { rules_.clear(); }
    bool empty() const { return rules_.empty(); }

    misbehaviour decide(fault_stage stage, const fault_subject& subject, steady_time now);

    struct state {
        std::string text;
        std::uint64_t matched = 0;
        std::uint64_t hit = 0;
    };
    std::vector<state> states() const;

  private:
    struct armed {
        fault rule;
        steady_time added;
        std::optional<steady_time> first;
        std::uint64_t matched = 0;
        std::uint64_t hit = 0;
        seeded_random random;
    };
    static bool fires(armed& entry, const fault_subject& subject, steady_time now);

    std::vector<armed> rules_;
};

} // namespace linkrunner::sandbox
