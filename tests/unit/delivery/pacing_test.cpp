// Daemons that share a limit without knowing of it or of each other. The whole table, up to a thousand
// daemons, is made by tests/bench/pacing_bench.cpp and published in docs/pacing.md.
#include "support/shared_limit.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace linkrunner::delivery::testing {
namespace {

using namespace std::chrono_literals;
using test::limit_kind;
using test::shares;
using test::sharing;

constexpr limit_kind kinds[] = {limit_kind::token_bucket, limit_kind::fixed_window, limit_kind::sliding_log};

struct share {
    std::size_t daemons;
    limit_kind kind;
    std::optional<double> rate;
};

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
constexpr auto settling = 1200s; // some thirty times slower
const std::vector<share> cases = {{2, limit_kind::token_bucket, std::nullopt}};
#else
constexpr auto settling = 7200s;
const std::vector<share> cases = {{2, limit_kind::token_bucket, std::nullopt},
                                  {2, limit_kind::fixed_window, std::nullopt},
                                  {2, limit_kind::sliding_log, 29},
                                  {10, limit_kind::token_bucket, 29},
                                  {10, limit_kind::fixed_window, std::nullopt},
                                  {10, limit_kind::sliding_log, std::nullopt}};
#endif

sharing short_of(std::size_t daemons, limit_kind kind, std::optional<double> rate) {
    sharing out;
    out.daemons = daemons;
    out.kind = kind;
    out.rate = rate;
    out.joining = 60s;
    out.settling = settling;
    out.measured = settling / 3;
    out.window = settling / 6;
    out.seed = 11;
    return out;
}

TEST(pacing, finds_a_limit_that_nobody_told_and_uses_it) {
    for (const limit_kind kind : kinds) {
        sharing what = short_of(1, kind, std::nullopt);
        what.joining = 1s;
        what.settling = 300s;
        what.measured = 600s;
        const shares got = test::shared_limit(what).run();
        EXPECT_GE(got.used, 0.92);
        EXPECT_LE(got.throttled, 0.003);
    }
}

TEST(pacing, shares_a_limit_among_two_and_among_ten) {
    for (const share& one : cases) {
        const shares got = test::shared_limit(short_of(one.daemons, one.kind, one.rate)).run();
        SCOPED_TRACE(std::to_string(one.daemons) + " daemons, limit " +
                     std::to_string(static_cast<int>(one.kind)) + (one.rate ? ", 29/s" : ", auto"));
        EXPECT_GE(got.used, 0.9);
        EXPECT_LE(got.throttled, 0.01);
        EXPECT_GE(got.least_fair, 0.9);
    }
}

TEST(pacing, finds_limits_of_other_sizes) {
    for (const int limit : {1, 100}) {
        sharing what = short_of(1, limit_kind::token_bucket, std::nullopt);
        what.limit = limit;
        what.joining = 1s;
        what.settling = 600s;
        what.measured = 300s;
        const shares got = test::shared_limit(what).run();
        EXPECT_GE(got.used, 0.8) << limit;
        EXPECT_LE(got.throttled, 0.03) << limit;
    }
}

} // namespace
} // namespace linkrunner::delivery::testing
