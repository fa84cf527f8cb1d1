#include "telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <vector>

using linkrunner::telemetry::metrics;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace {

void use_everything(metrics& m) {
    m.accepted(3);
    m.duplicate(1);
    m.rejected_at_intake("malformed_json", 2);
    m.filtered(1);
    m.quality("name_style", false);
    m.quality("amount_as_string", true);
    m.delivered(40ms);
    m.dead("rejected");
    m.dropped("queue_full", 5);
    m.attempt("delivered", 20ms, false);
    m.attempt("transient", 15s, true);
    m.commit(0.0002);
    m.intake_duration(900us);
    m.loop_lag(50us);
    m.set_pending("revenue", 7);
    m.set_ledger("delivered", 12);
    m.set_lost(2);
    m.set_rate(29);
    m.set_upstream_state("throttled");
    m.set_last_success(1795435200.5);
    m.set_spool_bytes(4096, 1 << 30);
    m.set_oldest_pending_age(12.5);
    m.set_drain_forecast(std::nan(""));
    m.handed_off(100ms);
    m.handed_off(4s);
    m.set_config_reload_success(false);
}

TEST(Metrics, EachCallIsSeenUnderItsName) {
    metrics m;
    use_everything(m);
    const std::string text = m.exposition();
    for (const char* line : {"linkrunnerd_events_accepted_total 3\n",
                             "linkrunnerd_events_duplicate_total 1\n",
                             "linkrunnerd_events_rejected_at_intake_total{code=\"malformed_json\"} 2\n",
                             "linkrunnerd_events_delivered_total 1\n",
                             "linkrunnerd_delivery_age_seconds_bucket{le=\"0.025\"} 0\n",
                             "linkrunnerd_delivery_age_seconds_bucket{le=\"0.05\"} 1\n",
                             "linkrunnerd_events_dead_total{reason=\"rejected\"} 1\n",
                             "linkrunnerd_events_dead_total{reason=\"age\"} 0\n",
                             "linkrunnerd_events_dropped_total{reason=\"queue_full\"} 5\n",
                             "linkrunnerd_attempts_total{outcome=\"delivered\"} 1\n",
                             "linkrunnerd_attempts_total{outcome=\"transient\"} 1\n",
                             "linkrunnerd_attempts_total{outcome=\"throttled\"} 0\n",
                             "linkrunnerd_attempts_ambiguous_total 1\n",
                             "linkrunnerd_attempt_duration_seconds_count 2\n",
                             "linkrunnerd_commit_duration_seconds_count 1\n",
                             "linkrunnerd_intake_duration_seconds_count 1\n",
                             "linkrunnerd_loop_lag_seconds_count 1\n",
                             "linkrunnerd_events_pending{lane=\"revenue\"} 7\n",
                             "linkrunnerd_ledger_events{state=\"delivered\"} 12\n",
                             "linkrunnerd_events_handed_off_total 2\n",
                             "linkrunnerd_config_reload_success 0\n",
                             "linkrunnerd_ledger_events{state=\"handed_off\"} 0\n",
                             "linkrunnerd_spool_lost_total 2\n",
                             "linkrunnerd_rate_limit_current 29\n",
                             "linkrunnerd_upstream_last_success_timestamp_seconds 1795435200.5\n",
                             "linkrunnerd_spool_bytes 4096\n",
                             "linkrunnerd_spool_limit_bytes 1073741824\n",
                             "linkrunnerd_oldest_pending_age_seconds 12.5\n",
                             "linkrunnerd_drain_forecast_seconds Nan\n",
                             "linkrunnerd_build_info{version=\"" LINKRUNNER_VERSION "\"} 1\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(Metrics, CountersStayWholeNumbers) {
    metrics m;
    m.accepted(123'456'789'012);
    m.accepted(1);
    EXPECT_THAT(m.exposition(), HasSubstr("linkrunnerd_events_accepted_total 123456789013\n"));
}

TEST(Metrics, OneUpstreamStateHoldsAtATime) {
    metrics m;
    for (const char* state : {"healthy", "outage", "draining"}) {
        m.set_upstream_state(state);
        const std::string text = m.exposition();
        EXPECT_THAT(text, HasSubstr("linkrunnerd_upstream_state{state=\"" + std::string(state) + "\"} 1\n"));
        std::size_t ones = 0;
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            ones += line.starts_with("linkrunnerd_upstream_state{") && line.ends_with(" 1") ? 1 : 0;
        }
        EXPECT_EQ(ones, 1U) << state;
    }
}

TEST(Metrics, LostEventsNeverCountBackwards) {
    metrics m;
    m.set_lost(5);
    m.set_lost(5);
    m.set_lost(3);
    m.set_lost(6);
    EXPECT_THAT(m.exposition(), HasSubstr("linkrunnerd_spool_lost_total 6\n"));
}

TEST(Metrics, SumsAddUpOverTheLabels) {
    metrics m;
    use_everything(m);
    m.rejected_at_intake("too_large");
    const auto sums = m.sums();
    EXPECT_EQ(sums.accepted, 3U);
    EXPECT_EQ(sums.duplicates, 1U);
    EXPECT_EQ(sums.rejected, 3U);
    EXPECT_EQ(sums.delivered, 3U) << "and handed off";
    EXPECT_EQ(sums.dead, 1U);
    EXPECT_EQ(sums.attempts, 2U);
}

TEST(Metrics, ManyThreadsMayCountAndScrapeAtOnce) {
    metrics m;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&m, t] {
            for (int i = 0; i < 500; ++i) {
                m.accepted(1);
                m.rejected_at_intake("code_" + std::to_string(i % 3));
                m.attempt("delivered", 1ms, false);
                m.set_upstream_state(t % 2 == 0 ? "healthy" : "outage");
                if (i % 100 == 0) {
                    EXPECT_THAT(m.exposition(), Not(testing::IsEmpty()));
                }
            }
        });
    }
    for (auto& each : threads) {
        each.join();
    }
    EXPECT_EQ(m.sums().accepted, 2000U);
    EXPECT_EQ(m.sums().rejected, 2000U);
    EXPECT_EQ(m.sums().attempts, 2000U);
}

TEST(Metrics, GiveAwayTheAgesSinceTheLastTime) {
    metrics m;
    m.delivered(2s);
    m.delivered(3s);
    EXPECT_EQ(m.take_ages().count(), 2U);
    EXPECT_EQ(m.take_ages().count(), 0U);
}

TEST(Metrics, SumAttemptsByOutcome) {
    metrics m;
    use_everything(m);
    m.attempt("throttled", 5ms, false);
    EXPECT_EQ(m.sums().attempts, 3U);
    EXPECT_EQ(m.sums().throttled, 1U);
    EXPECT_EQ(m.sums().ambiguous, 1U);
    EXPECT_DOUBLE_EQ(m.sums().last_success, 1795435200.5);
    EXPECT_THAT(m.attempts_by_outcome(),
                testing::Contains(std::pair<std::string, std::uint64_t>("transient", 1)));
}

TEST(Metrics, EachIsDocumentedWithItsTypeAndNoOtherIs) {
    const std::filesystem::path root =
        std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path();
    std::ifstream in(root / "docs" / "metrics.md");
    std::stringstream document;
    document << in.rdbuf();
    const std::string text = document.str();
    metrics m;
    use_everything(m);
    std::istringstream lines(m.exposition());
    std::size_t families = 0;
    for (std::string hash, word, name, type; std::getline(lines, hash);) {
        if (std::istringstream line(hash); line >> hash >> word >> name >> type && word == "TYPE") {
            EXPECT_THAT(text, HasSubstr("\n| `" + name + "` | " + type + " |"));
            ++families;
        }
    }
    std::size_t rows = 0;
    for (auto at = text.find("\n| `linkrunnerd_"); at != std::string::npos;
         at = text.find("\n| `linkrunnerd_", at + 1)) {
        ++rows;
    }
    EXPECT_EQ(rows, families);
}

TEST(Metrics, PromtoolFindsNothingToComplainOf) {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
        GTEST_SKIP() << "promtool (package prometheus) is not installed";
    }
    metrics m;
    use_everything(m);
    FILE* tool = ::popen("promtool check metrics >/dev/null", "w");
    ASSERT_NE(tool, nullptr);
    const std::string text = m.exposition();
    std::fwrite(text.data(), 1, text.size(), tool);
    EXPECT_EQ(::pclose(tool), 0);
}

} // namespace
