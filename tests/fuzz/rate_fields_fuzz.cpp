// What an API says of its limit never stops or speeds up the daemon by being odd: hints stay within bounds.
#include "delivery/adaptive_rate.hpp"
#include "delivery/rate_fields.hpp"
#include "delivery/retry_after.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace linkrunner::delivery;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    attempt_end end;
    const std::size_t line = text.find('\n');
    end.ratelimit = text.substr(0, line);
    end.ratelimit_policy = line == std::string::npos ? text : text.substr(line + 1);
    end.ratelimit_limit = end.ratelimit;
    end.ratelimit_remaining = end.ratelimit_policy;
    end.ratelimit_reset = end.ratelimit;
    end.retry_after = end.ratelimit_policy;
    const wall_time wall{std::chrono::milliseconds(1'700'000'000'000)};
    const steady_time now{std::chrono::seconds(1000)};
    const rate_hint hint = rate_hint_of(end, wall);
    if (hint.reset && (*hint.reset < nanoseconds(0) || *hint.reset > longest_wait)) {
        std::abort();
    }
    if (hint.sustained && !(*hint.sustained > 0)) {
        std::abort();
    }
    if (const auto wait = retry_after(end, wall); wait && (*wait <= nanoseconds(0) || *wait > longest_wait)) {
        std::abort();
    }
    const adaptive_rate::rules rules;
    adaptive_rate rate(29, true, rules);
    rate.heed(hint, now);
    if (!(rate.rate(now) > 0) || rate.rate(now) > 29 || rate.pace(now) > 29 ||
        rate.rate(now + rules.longest_pause) < 29) {
        std::abort();
    }
    return 0;
}
