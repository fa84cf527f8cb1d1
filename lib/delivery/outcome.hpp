// How an attempt ended, and the class that contract section 5 puts it in.
#pragma once

#include <cstdint>
#include <string>

namespace linkrunner::delivery {

enum class outcome : std::uint8_t {
    delivered,
    rejected,
    unauthorized,
    suspended,
    misconfigured,
    throttled,
    transient
};

const char* word_for(outcome what) noexcept; // label of linkrunnerd_attempts_total

// Facts of one attempt, from net::answer.
struct attempt_end {
    int status = 0; // 0: no answer
    bool sent_whole = false;
    bool stale = false;      // a kept connection was closed before any byte of an answer
    std::string transport;   // word for the failure where status is 0: "connect", "timeout", ...
    std::string retry_after; // headers as they came
    std::string date;
    std::string ratelimit, ratelimit_policy;
    std::string ratelimit_limit, ratelimit_remaining, ratelimit_reset;
};

outcome classify(const attempt_end& end) noexcept;

// True when the API may have counted the event though no success was seen: sent whole and no answer, or 500,
// 502, 504.
bool is_ambiguous(const attempt_end& end) noexcept;

// True when one of several events in a request may be the reason why all of it was refused: its bytes, its
// size, or what a firewall thinks of it.
bool may_blame_one(const attempt_end& end) noexcept;

} // namespace linkrunner::delivery
