// The files for monitoring in config/: alert rules and dashboard, held against a running daemon by a real
// Prometheus, and the runbook that they point to.
#include "control/advice.hpp"
#include "support/daemon_test.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace linkrunner::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string top = SOURCE_DIR "/";
const std::string alerts = top + "config/prometheus/alerts.yml";
const std::string dashboard = top + "config/grafana/linkrunnerd.json";

std::string content_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
    const std::regex wanted(pattern);
    std::set<std::string> out;
    for (std::sregex_iterator each(text.begin(), text.end(), wanted), end; each != end; ++each) {
        out.insert(each->str(each->size() > 1 ? 1 : 0));
    }
    return out;
}

bool installed(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

class monitoring : public daemon_test {
  protected:
    // A Prometheus on a free port that scrapes the daemon ten times a second; alerts wait for nothing.
    void start_prometheus() {
        home.write("alerts.yml",
                   std::regex_replace(content_of(alerts), std::regex("for: [0-9]+[mh]"), "for: 0s"));
        home.write("prometheus.yml",
                   "global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}\n"
                   "rule_files: [alerts.yml]\n"
                   "scrape_configs:\n"
                   "  - job_name: linkrunnerd\n"
                   "    static_configs: [{targets: [\"" +
                       daemon->observe_address() + "\"]}]\n");
        command what;
        what.words = {"prometheus", "--config.file=" + (home / "prometheus.yml"),
                      "--storage.tsdb.path=" + (home / "data"), "--web.listen-address=127.0.0.1:0"};
        prometheus = std::make_unique<process>(what);
        const auto line = prometheus->wait_line(
            [](const std::string& each) { return each.find("\"Listening on\"") != std::string::npos; });
        ASSERT_TRUE(line) << prometheus->output();
        address = "http://" + line->substr(line->find("address=") + 8);
        command ready; // it listens before it answers
        ready.words = {"curl", "-fsS", address + "/-/ready"};
        ASSERT_TRUE(daemon->wait_until([&](running_daemon&) { return run(ready).first == 0; }));
    }

    json::value ask(const std::string& path, const std::string& query = {}) const {
        command what;
        what.words = {"curl", "-sS", "-G", address + path};
        if (!query.empty()) {
            what.words.insert(what.words.end(), {"--data-urlencode", "query=" + query});
        }
        return json::parse(run(what).second);
    }

    std::size_t results(const std::string& query) const {
        return ask("/api/v1/query", query).at("data").at("result").as_array().size();
    }

    std::unique_ptr<process> prometheus;
    std::string address;
};

// "$job" and the like are filled in by Grafana.
std::string filled(std::string query) {
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"$__rate_interval", "5s"},
                                      {"$instance", ".+"},
                                      {"$job", ".+"}}) {
        for (std::size_t at = 0; (at = query.find(name, at)) != std::string::npos;) {
            query.replace(at, name.size(), value);
        }
    }
    return query;
}

std::vector<std::string> dashboard_queries() {
    std::vector<std::string> out;
    const json::value all = json::parse(content_of(dashboard));
    for (const json::value& panel : all.at("panels").as_array()) {
        if (const json::value* targets = panel.as_object().if_contains("targets")) {
            for (const json::value& target : targets->as_array()) {
                out.emplace_back(target.at("expr").as_string());
            }
        }
    }
    return out;
}

TEST_F(monitoring, asks_for_metrics_that_there_are) {
    start();
    // Findings of data quality are shown from the first one on.
    EXPECT_EQ(daemon->post(event_text("Odd Name", "u", "", R"("event_data":{"amount":"12"})")).status, 202);
    const std::string known = "\n" + daemon->observe("/metrics").body;
    for (const std::string& file : {alerts, dashboard, top + "docs/metrics.md"}) {
        for (const std::string& name : all_matches(content_of(file), "linkrunnerd_[a-z_]+[a-z]")) {
            const std::string family = std::regex_replace(name, std::regex("_(bucket|count|sum)$"), "");
            EXPECT_THAT(known, HasSubstr("\n# TYPE " + family + " ")) << file;
        }
    }
}

TEST_F(monitoring, has_alerts_that_fire_when_they_should) {
    if (!installed("promtool")) {
        GTEST_SKIP() << "promtool (package prometheus) is not installed";
    }
    for (const auto& [how, file] : {std::pair<std::string, std::string>{"check", alerts},
                                    {"test", top + "tests/prometheus/alerts_test.yml"}}) {
        command what;
        what.words = {"promtool", how, "rules", file};
        const auto [code, output] = run(what);
        EXPECT_EQ(code, 0) << output;
    }
}

TEST_F(monitoring, is_tested_for_each_alert) {
    const auto tested =
        all_matches(content_of(top + "tests/prometheus/alerts_test.yml"), "alertname: ([A-Za-z]+)");
    EXPECT_EQ(all_matches(content_of(alerts), "alert: ([A-Za-z]+)"), tested);
}

// The paragraph of this name in the runbook; empty: there is none.
std::string paragraph(const std::string& name) {
    const std::string page = content_of(top + "docs/operating.md");
    const std::string heading = "\n### " + name + "\n";
    const std::size_t at = page.find(heading);
    return at == std::string::npos ? "" : page.substr(at, page.find("\n##", at + 1) - at);
}

TEST_F(monitoring, has_a_paragraph_of_the_runbook_for_each_state_and_each_alert) {
    std::set<std::string> names = all_matches(content_of(alerts), "alert: ([A-Za-z]+)");
    for (const control::advice& each : control::all_advice()) {
        names.emplace(each.code);
    }
    EXPECT_GT(names.size(), 25U);
    for (const std::string& name : names) {
        EXPECT_THAT(paragraph(name), HasSubstr("**You:**")) << name;
        EXPECT_TRUE(name == "healthy" || paragraph(name).find("**By itself:**") != std::string::npos) << name;
    }
}

TEST_F(monitoring, leads_from_each_alert_to_its_paragraph) {
    const std::string rules = content_of(alerts);
    std::set<std::string> wanted;
    for (std::string name : all_matches(rules, "alert: ([A-Za-z]+)")) {
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        wanted.insert(name == "linkrunnerdheld" ? "{{ $labels.state }}" : name);
    }
    EXPECT_EQ(all_matches(rules, "runbook: \"docs/operating.md#([^\"]+)\""), wanted);
}

TEST_F(monitoring, shows_no_state_without_advice) {
    start();
    const std::string text = daemon->observe("/metrics").body;
    for (const std::string& state : all_matches(text, "upstream_state\\{state=\"([a-z_]+)\"")) {
        EXPECT_NE(control::advice_for(state).words, state);
    }
}

TEST_F(monitoring, by_prometheus_evaluates_every_rule_and_fires_the_right_one) {
    if (!installed("prometheus") || !installed("curl")) {
        GTEST_SKIP() << "prometheus or curl is not installed";
    }
    start_sandbox();
    api->set_key("another-key");
    start();
    EXPECT_EQ(daemon->post(event_text("e", "u")).status, 202);
    ASSERT_TRUE(daemon->wait_state("held_unauthorized"));
    start_prometheus();
    EXPECT_TRUE(daemon->wait_until([this](running_daemon&) {
        return results("ALERTS{alertname=\"LinkrunnerdHeld\",alertstate=\"firing\",state=\"held_"
                       "unauthorized\"}") == 1;
    }));
    std::set<std::string> firing;
    const json::value all = ask("/api/v1/rules");
    for (const json::value& rule : all.at("data").at("groups").at(0).at("rules").as_array()) {
        EXPECT_EQ(rule.at("health"), "ok") << json::serialize(rule);
        if (rule.at("state") != "inactive") {
            firing.insert(std::string(rule.at("name").as_string()));
        }
    }
    EXPECT_THAT(firing, testing::ElementsAre("LinkrunnerdHeld"));
}

TEST_F(monitoring, by_grafana_gets_an_answer_to_each_of_its_queries) {
    if (!installed("prometheus") || !installed("curl")) {
        GTEST_SKIP() << "prometheus or curl is not installed";
    }
    start();
    EXPECT_EQ(daemon->post("[" + event_text("e", "u") + ",{}]").status, 207);
    ASSERT_TRUE(daemon->wait_ledger("delivered", 1));
    start_prometheus();
    ASSERT_TRUE(daemon->wait_until(
        [this](running_daemon&) { return results("rate(linkrunnerd_events_accepted_total[5s])") == 1; }));
    EXPECT_GT(dashboard_queries().size(), 25U);
    for (const std::string& query : dashboard_queries()) {
        const json::value answer = ask("/api/v1/query", filled(query));
        EXPECT_EQ(answer.at("status"), "success") << query << ": " << json::serialize(answer);
        const bool may_be_empty = query.find("quality") != std::string::npos;
        EXPECT_TRUE(may_be_empty || !answer.at("data").at("result").as_array().empty()) << query;
    }
}

} // namespace
} // namespace linkrunner::tests
