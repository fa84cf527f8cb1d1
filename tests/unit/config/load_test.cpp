#include "config/load.hpp"

#include "support.hpp"

#include <gmock/gmock.h>

namespace linkrunner::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Load : public test::Configuration {};

TEST_F(Load, NothingAtAllIsAGoodConfiguration) {
    settings expected;
    expected.server_key = "the-server-key";
    EXPECT_EQ(good("").values, expected);
    EXPECT_EQ(good("# only a comment\n").values, expected);
    EXPECT_EQ(good("intake:\nupstream:\n").values, expected);
    EXPECT_THAT(good("").notes, IsEmpty());
    files.write("empty.yaml", "");
    EXPECT_TRUE(std::holds_alternative<loaded>(try_load(files.path("empty.yaml"))));
}

TEST_F(Load, ReadsAWholeFile) {
    const loaded got = good(R"(
intake:
  listen: ["127.0.0.1:7417", "unix:/tmp/in.sock"]
  unix_mode: "0600"
  allow_uids: [0, 1000]
  max_body: 8MiB
upstream: {url: "http://127.0.0.1:8080/api/v1/", request_timeout: 1.5s}
delivery:
  rate: 1200/m
  max_age: 3d
  backoff:
    initial: 250ms
  lanes:
    - {name: money, weight: 4, names: ["purchase_*", refund], with_amount: true}
    - name: rest
      names: ["*"]
observe: {listen: "127.0.0.1:0"}
)");
    EXPECT_THAT(got.values.intake.listen, ElementsAre("127.0.0.1:7417", "unix:/tmp/in.sock"));
    EXPECT_EQ(got.values.intake.unix_mode, 0600U);
    EXPECT_THAT(got.values.intake.allow_uids, ElementsAre(0, 1000));
    EXPECT_EQ(got.values.intake.max_body, 8U << 20U);
    EXPECT_EQ(got.values.upstream.url, "http://127.0.0.1:8080/api/v1") << "no slash at the end";
    EXPECT_EQ(got.values.upstream.request_timeout, 1500ms);
    EXPECT_EQ(got.values.delivery.rate_per_second, 20);
    EXPECT_EQ(got.values.delivery.max_age, 72h);
    EXPECT_EQ(got.values.delivery.backoff_initial, 250ms);
    EXPECT_EQ(got.values.delivery.backoff_max, 5min);
    const std::vector<lane_section> lanes = {{"money", 4, {"purchase_*", "refund"}, true},
                                             {"rest", 1, {"*"}, false}};
    EXPECT_EQ(got.values.delivery.lanes, lanes);
    EXPECT_THAT(got.values.observe_listen, ElementsAre("127.0.0.1:0"));
}

struct mistake {
    const char* yaml;
    const char* said; // the one problem: "where: message"
};

class OneMistake : public test::Configuration, public testing::WithParamInterface<mistake> {};

TEST_P(OneMistake, IsSaidWithItsPlaceAndWhatWouldBeRight) {
    EXPECT_THAT(bad(GetParam().yaml), ElementsAre(GetParam().said)) << GetParam().yaml;
}

INSTANTIATE_TEST_SUITE_P(
    Names, OneMistake,
    testing::Values(
        mistake{"upstream:\n  ulr: x\n",
                "c.yaml:2:3: unknown key 'upstream.ulr'; did you mean 'upstream.url'?"},
        mistake{"upsteam: {url: x, more: y}\n",
                "c.yaml:1:1: unknown key 'upsteam'; did you mean 'upstream'?"},
        mistake{"rate: 3/s\n", "c.yaml:1:1: unknown key 'rate'; did you mean 'delivery.rate'?"},
        mistake{"zzzzzzzz: 1\n", "c.yaml:1:1: unknown key 'zzzzzzzz'"},
        mistake{"\"a\\e[1m\": 1\n", "c.yaml:1:1: unknown key 'a\\x1b[1m'"},
        mistake{"log.level: info\n",
                "c.yaml:1:1: unknown key \"log.level\"; in a file the parts of a name are "
                "nested: \"log:\" and the rest indented below it"},
        mistake{"log: {level: info, level: debug}\n",
                "c.yaml:1:20: duplicate key 'log.level'; it is on line 1 already"},
        mistake{"log: {level: info}\nlog: {format: json}\n",
                "c.yaml:2:1: duplicate key 'log'; it is on line 1 already"},
        mistake{"log: info\n", "c.yaml:1:1: log: a map of keys is expected"},
        mistake{"log: {level: {a: b}}\n", "c.yaml:1:14: log.level: one value is expected, not a map"},
        mistake{"log: {level: [info]}\n", "c.yaml:1:14: log.level: one value is expected, not a list"},
        mistake{"log:\n  level:\n  format: text\n",
                "c.yaml:2:3: log.level: no value; leave the line out for the default"},
        mistake{"- a\n", "c.yaml:1:1: a map of sections is expected"},
        mistake{"text\n", "c.yaml:1:1: a map of sections is expected"}));

INSTANTIATE_TEST_SUITE_P(
    Values, OneMistake,
    testing::Values(
        mistake{
            "upstream: {connect_timeout: 10}\n",
            "c.yaml:1:29: upstream.connect_timeout: \"10\" is not a duration; give a number with a unit, for "
            "example 10s (units: ms, s, m, h, d)"},
        mistake{"upstream: {connect_timeout: 1ms}\n",
                "c.yaml:1:29: upstream.connect_timeout: too small; at least 10ms"},
        mistake{"upstream: {connect_timeout: 1h}\n",
                "c.yaml:1:29: upstream.connect_timeout: too large; at most 5m"},
        mistake{
            "intake: {max_body: 4}\n",
            "c.yaml:1:20: intake.max_body: \"4\" is not a size; give a number with a unit, for example 4MiB "
            "(units: B, kB, MB, GB, TB; KiB, MiB, GiB, TiB)"},
        mistake{"intake: {max_body: 1GiB}\n", "c.yaml:1:20: intake.max_body: too large; at most 256MiB"},
        mistake{"intake: {max_batch: 1e4}\n", "c.yaml:1:21: intake.max_batch: \"1e4\" is not a whole number"},
        mistake{"intake: {max_batch: \"\"}\n", "c.yaml:1:21: intake.max_batch: \"\" is not a whole number"},
        mistake{"intake: {max_batch: 0}\n", "c.yaml:1:21: intake.max_batch: too small; at least 1"},
        mistake{
            "intake: {drop_in_status: 204}\n",
            "c.yaml:1:26: intake.drop_in_status: \"204\" is not one of 200, 201 or 202; did you mean '200'?"},
        mistake{"intake: {client_key: Warn}\n",
                "c.yaml:1:22: intake.client_key: \"Warn\" is not one of ignore, warn or reject; did you mean "
                "'warn'?"},
        mistake{"intake: {unix_mode: rw}\n",
                "c.yaml:1:21: intake.unix_mode: \"rw\" is not a file mode; give octal digits, for example "
                "\"0660\""},
        mistake{"intake: {allow_uids: [0, root]}\n",
                "c.yaml:1:26: intake.allow_uids: \"root\" is not a whole number"},
        mistake{"intake: {allow_uids: [4294967295]}\n",
                "c.yaml:1:23: intake.allow_uids: too large; at most 4294967294"},
        mistake{"intake: {hosts: [a, \"\"]}\n", "c.yaml:1:21: intake.hosts: an empty item"},
        mistake{"intake: {hosts: {a: b}}\n", "c.yaml:1:17: intake.hosts: a list is expected"},
        mistake{"intake: {hosts: \"[a, \"}\n",
                "c.yaml:1:17: intake.hosts: not YAML: end of sequence flow not "
                "found"},
        mistake{"spool: {directory: \"/a\\tb\"}\n",
                "c.yaml:1:20: spool.directory: \"/a\\x09b\" holds a control character"},
        mistake{"spool: {directory: spool}\n",
                "c.yaml:1:20: spool.directory: \"spool\" is not an absolute path"},
        mistake{"delivery: {rate: 29}\n",
                "c.yaml:1:18: delivery.rate: \"29\" is not a rate; give a number per second or minute, for "
                "example 29/s (units: /s, /m)"},
        mistake{"delivery: {rate: 0/s}\n", "c.yaml:1:18: delivery.rate: too small; at least 1/m"},
        mistake{"delivery: {adaptive: yes}\n",
                "c.yaml:1:22: delivery.adaptive: \"yes\" is neither true nor false"},
        mistake{"delivery: {max_age: never}\n",
                "c.yaml:1:21: delivery.max_age: \"never\" is not a duration; give a number with a unit, for "
                "example 30s (units: ms, s, m, h, d)"},
        mistake{"delivery: {burst: 0.5}\n", "c.yaml:1:19: delivery.burst: too small; at least 1"},
        mistake{"spool: {directory: \"${NOPE}\"}\n",
                "c.yaml:1:20: spool.directory: environment variable NOPE is not set; set it, or write "
                "${NOPE:-otherwise}"}));

INSTANTIATE_TEST_SUITE_P(
    Together, OneMistake,
    testing::Values(
        mistake{"intake: {max_event: 2MB, max_body: 1MB}\n",
                "c.yaml:1:21: intake.max_event: is larger than intake.max_body (1MB), which holds it"},
        mistake{"delivery: {rate: auto, adaptive: false}\n",
                "c.yaml:1:34: delivery.adaptive: must be true where delivery.rate is auto"},
        mistake{"delivery: {backoff: {initial: 10m}}\n",
                "c.yaml:1:31: delivery.backoff.initial: is longer than delivery.backoff.max (5m)"},
        mistake{"delivery: {backoff: {max: 10ms}}\n",
                "configuration: delivery.backoff.initial: is longer than delivery.backoff.max (10ms)"},
        mistake{"intake: {tls: {cert_file: /dev/null}}\n",
                "c.yaml:1:27: intake.tls.cert_file: needs intake.tls.key_file, too"},
        mistake{"intake: {tls: {client_ca_file: /dev/null}}\n",
                "c.yaml:1:32: intake.tls.client_ca_file: needs intake.tls.cert_file and intake.tls.key_file, "
                "too"},
        mistake{"upstream: {client_key_file: /dev/null}\n",
                "c.yaml:1:29: upstream.client_key_file: needs upstream.client_cert_file, too"},
        mistake{
            "upstream: {ca_file: /nowhere/ca.pem}\n",
            "c.yaml:1:21: upstream.ca_file: \"/nowhere/ca.pem\" cannot be read: No such file or directory"},
        mistake{"upstream: {ca_file: /}\n",
                "c.yaml:1:21: upstream.ca_file: \"/\" is a directory, not a file"},
        mistake{"intake: {unix_group: no-such-group}\n",
                "c.yaml:1:22: intake.unix_group: no group \"no-such-group\" on this system"}));

INSTANTIATE_TEST_SUITE_P(
    Listeners, OneMistake,
    testing::Values(
        mistake{"intake: {listen: []}\n", "c.yaml:1:18: intake.listen: at least one address is needed"},
        mistake{
            "intake: {listen: [\"127.0.0.1\"]}\n",
            "c.yaml:1:18: intake.listen: \"127.0.0.1\" is not an address; write host:port (127.0.0.1:7417), "
            "[::1]:7417 or unix:/path"},
        mistake{"intake: {listen: [\"unix:/a\", \"unix:/a\"]}\n",
                "c.yaml:1:18: intake.listen: \"unix:/a\" is given twice"},
        mistake{"intake: {listen: \"0.0.0.0:7417\"}\n",
                "c.yaml:1:18: intake.listen: \"0.0.0.0:7417\" can be reached from other machines: set "
                "intake.token_file, or intake.allow_unauthenticated: true where the network is guarded "
                "otherwise"},
        mistake{"observe: {listen: \"127.0.0.1:7417\"}\n",
                "c.yaml:1:19: observe.listen: \"127.0.0.1:7417\" is in intake.listen already"},
        mistake{
            "control: {listen: \"127.0.0.1:7419\"}\n",
            "c.yaml:1:19: control.listen: \"127.0.0.1:7419\" is not a path; write unix:/path, or \"\" for "
            "none. It has no other protection than the file's mode"},
        mistake{"control: {listen: \"unix:@control\"}\n",
                "c.yaml:1:19: control.listen: \"unix:@control\" is not a path; write unix:/path, or \"\" for "
                "none. It has no other protection than the file's mode"},
        mistake{"control: {listen: \"unix:/run/linkrunnerd/intake.sock\"}\n",
                "c.yaml:1:19: control.listen: \"unix:/run/linkrunnerd/intake.sock\" is in intake.listen "
                "already"}));

INSTANTIATE_TEST_SUITE_P(
    Upstream, OneMistake,
    testing::Values(
        mistake{"upstream: {url: api.linkrunner.io}\n",
                "c.yaml:1:17: upstream.url: is not an URL; for example https://api.linkrunner.io/api/v1"},
        mistake{"upstream: {url: \"ftp://a/\"}\n",
                "c.yaml:1:17: upstream.url: must begin with https:// or http://"},
        mistake{"upstream: {url: \"https:///api\"}\n",
                "c.yaml:1:17: upstream.url: names no host, for example https://api.linkrunner.io/api/v1"},
        mistake{"upstream: {url: \"https://user:pw@a/\"}\n",
                "c.yaml:1:17: upstream.url: must not hold a user or password; the server key goes into "
                "upstream.server_key_file"},
        mistake{"upstream: {url: \"https://a/?key=x\"}\n",
                "c.yaml:1:17: upstream.url: must end with its path, without ? or #"},
        mistake{"upstream: {url: \"https://a:99999/\"}\n",
                "c.yaml:1:17: upstream.url: has no port between 1 and 65535 after its host"},
        mistake{"upstream: {url: \"https://a/api/v1/capture-event\"}\n",
                "c.yaml:1:17: upstream.url: must end before /capture-event, which the daemon adds"},
        mistake{
            "upstream: {proxy: \"https://u:pw@p:1\"}\n",
            "c.yaml:1:19: upstream.proxy: must look like http://host:3128 or http://user:password@host:3128"},
        mistake{"upstream: {proxy: \"http://p\"}\n", "c.yaml:1:19: upstream.proxy: must look like "
                                                     "http://host:3128 or http://user:password@host:3128"}));

INSTANTIATE_TEST_SUITE_P(
    Lanes, OneMistake,
    testing::Values(
        mistake{"delivery: {lanes: []}\n",
                "c.yaml:1:19: delivery.lanes: between 1 and 16 lanes are needed, not 0"},
        mistake{"delivery: {lanes: [all]}\n", "c.yaml:1:20: delivery.lanes[0]: a map is expected, for "
                                              "example {name: revenue, weight: 8, names: "
                                              "[\"purchase_*\"]}"},
        mistake{"delivery: {lanes: [{name: a, wieght: 3, names: [\"*\"]}]}\n",
                "c.yaml:1:30: unknown key \"wieght\" in delivery.lanes[0]; did you mean 'weight'?"},
        mistake{"delivery: {lanes: [{name: a, name: b, names: [\"*\"]}]}\n",
                "c.yaml:1:30: duplicate key 'name' in delivery.lanes[0]"},
        mistake{"delivery: {lanes: [{name: a, weight: 0, names: [\"*\"]}]}\n",
                "c.yaml:1:38: delivery.lanes[0].weight: too small; at least 1"},
        mistake{
            "delivery: {lanes: [{name: A-b, names: [\"*\"]}]}\n",
            "c.yaml:1:19: delivery.lanes: the name \"A-b\" is not made of a-z, 0-9 and _ (1 to 32 of them)"},
        mistake{"delivery: {lanes: [{names: [\"*\"]}]}\n",
                "c.yaml:1:19: delivery.lanes: the name \"\" is not made of a-z, 0-9 and _ (1 to 32 of them)"},
        mistake{"delivery: {lanes: [{name: a, with_amount: true}, {name: a, names: [\"*\"]}]}\n",
                "c.yaml:1:19: delivery.lanes: two lanes are named \"a\""},
        mistake{"delivery: {lanes: [{name: a}, {name: b, names: [\"*\"]}]}\n",
                "c.yaml:1:19: delivery.lanes: lane \"a\" takes nothing; give names, or with_amount: true"},
        mistake{
            "delivery: {lanes: [{name: a, names: [x]}]}\n",
            "c.yaml:1:19: delivery.lanes: the last lane must take all that is left; give it names: [\"*\"]"},
        mistake{
            "delivery: {lanes: [{name: a, names: [\"*\"]}, {name: b, names: [\"*\"]}]}\n",
            "c.yaml:1:19: delivery.lanes: lane \"a\" takes all events, so that none reach the lanes after "
            "it"}));

INSTANTIATE_TEST_SUITE_P(
    Syntax, OneMistake,
    testing::Values(
        mistake{"log: [1,\nlevel: }\n", "c.yaml:2:8: not YAML: illegal flow end"},
        mistake{"log:\n  level: \"info\n  format: json\n",
                "c.yaml:2:10: the quote that opens here is never closed"},
        mistake{"log:\n  level: 'info''\n", "c.yaml:2:10: the quote that opens here is never closed"},
        mistake{"log:\n\tlevel: info\n", "c.yaml:2:1: a tab in the indentation; YAML wants spaces"},
        mistake{"log: {}\n---\nlog: {}\n",
                "c.yaml:2:1: a second YAML document, or what is not YAML; one is expected"},
        mistake{"? [a]\n: b\n", "c.yaml:1:3: a key must be a name"},
        mistake{"a: *b\n", "c.yaml:1:4: not YAML: the referenced anchor is not defined"}));

TEST_F(Load, ARuleMayHaveAMaxAgeOfItsOwn) {
    const auto rules =
        good("events: {rules: [{names: [a], max_age: 10m}, {names: [b], max_age: off}, {names: "
             "[c], max_age: inherit}, {names: [d]}]}\n")
            .values.events.rules;
    ASSERT_EQ(rules.size(), 4U);
    ASSERT_TRUE(rules[0].max_age);
    EXPECT_EQ(*rules[0].max_age, 10min);
    ASSERT_TRUE(rules[1].max_age);
    EXPECT_FALSE(*rules[1].max_age);
    EXPECT_EQ(rules[2].max_age, std::nullopt);
    EXPECT_EQ(rules[3].max_age, std::nullopt);
    EXPECT_THAT(bad("events: {rules: [{names: [a], max_age: never}]}\n"),
                ElementsAre(HasSubstr("c.yaml:1:40: events.rules[0].max_age: \"never\" is not a duration")));
    EXPECT_THAT(bad("events: {rules: [{names: [a], max_age: 10ms}]}\n"),
                ElementsAre(HasSubstr("c.yaml:1:40: events.rules[0].max_age: too small; at least 1s")));
}

TEST_F(Load, SeventeenLanesAreTooMany) {
    std::string lanes;
    for (int i = 0; i < 16; ++i) {
        lanes += "{name: l" + std::to_string(i) + ", names: [x]}, ";
    }
    EXPECT_THAT(bad("delivery: {lanes: [" + lanes + "{name: rest, names: [\"*\"]}]}\n"),
                ElementsAre("c.yaml:1:19: delivery.lanes: between 1 and 16 lanes are needed, not 17"));
}

TEST_F(Load, EveryProblemIsReportedAndNotOnlyTheFirst) {
    overrides = {"log.level=loud", "nothing"};
    environment["LINKRUNNERD_INTAKE__MAX_BATCH"] = "-1";
    EXPECT_THAT(bad("log: {format: xml}\nspol: 1\nintake: {max_depth: deep}\n"),
                ElementsAre(HasSubstr("c.yaml:1:15: log.format"), HasSubstr("c.yaml:2:1: unknown key 'spol'"),
                            HasSubstr("c.yaml:3:21: intake.max_depth"),
                            HasSubstr("environment LINKRUNNERD_INTAKE__MAX_BATCH: intake.max_batch"),
                            HasSubstr("--set log.level: log.level"), HasSubstr("--set: \"nothing\" is not")));
}

TEST_F(Load, AFileThatCannotBeReadIsAProblem) {
    const auto outcome = try_load("/nowhere/c.yaml");
    const auto& problems = std::get<std::vector<problem>>(outcome);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].where, "/nowhere/c.yaml");
    EXPECT_EQ(problems[0].message, "cannot be read: No such file or directory");
    EXPECT_TRUE(std::holds_alternative<std::vector<problem>>(try_load("/")));
}

TEST_F(Load, HugeOrRecursiveDocumentsAreRefused) {
    EXPECT_THAT(bad(std::string((1 << 20) + 1, '#')), ElementsAre("c.yaml: larger than 1 MiB"));
    EXPECT_THAT(bad("a: " + std::string(100'000, '[')),
                ElementsAre(HasSubstr("nested deeper than 32 levels")));
    std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        const std::string before(1, static_cast<char>(c - 1));
        laughs += std::string(1, c) + ": &" + c + " [";
        for (int i = 0; i < 10; ++i) {
            laughs += "*" + before + ", ";
        }
        laughs += "x]\n";
    }
    EXPECT_THAT(bad(laughs), ElementsAre(HasSubstr("more than 20000 values")));
    EXPECT_THAT(bad("a: &a [*a]\n"), ElementsAre("c.yaml:1:8: an alias inside of what it stands for"));
    EXPECT_THAT(bad("a: " + std::string(33, '[') + std::string(33, ']')),
                ElementsAre(HasSubstr("nested deeper than 32 levels")));
    EXPECT_THAT(bad(",#"), ElementsAre(HasSubstr("what is not YAML"))) << "LoadAll() of yaml-cpp hangs here";
}

TEST_F(Load, MistypedEnvironmentNamesAreErrorsWithTheRightName) {
    environment["LINKRUNNERD_UPSTREAM_URL"] = "https://a";
    environment["LINKRUNNERD_LOG__LEVL"] = "info";
    EXPECT_THAT(bad(""),
                ElementsAre("environment LINKRUNNERD_LOG__LEVL: no key has this name; did you mean "
                            "'LINKRUNNERD_LOG__LEVEL'?",
                            "environment LINKRUNNERD_UPSTREAM_URL: no key has this name; did you mean "
                            "'LINKRUNNERD_UPSTREAM__URL'?"));
}

TEST_F(Load, VariablesThatKubernetesAddsForAServiceArePassedOver) {
    for (const char* name :
         {"LINKRUNNERD_SERVICE_HOST", "LINKRUNNERD_SERVICE_PORT", "LINKRUNNERD_SERVICE_PORT_INTAKE",
          "LINKRUNNERD_PORT", "LINKRUNNERD_PORT_7417_TCP", "LINKRUNNERD_PORT_7417_TCP_PROTO",
          "LINKRUNNERD_PORT_7417_TCP_PORT", "LINKRUNNERD_PORT_7417_TCP_ADDR",
          "LINKRUNNERD_SANDBOX_SERVICE_HOST"}) {
        environment[name] = "tcp://10.0.0.1:7417";
    }
    EXPECT_THAT(bad(""), IsEmpty());
}

TEST_F(Load, OverridesAreCheckedLikeTheFile) {
    overrides = {"log=info", "log.levle=info", "=x"};
    EXPECT_THAT(bad(""), ElementsAre("--set log: \"log\" is a section; set its keys one by one",
                                     "--set log.levle: unknown key \"log.levle\"; did you mean 'log.level'?",
                                     "--set : unknown key \"\""));
}

TEST_F(Load, ListsInOneTextMayBeYamlOrCommaSeparated) {
    for (const char* text :
         {"127.0.0.1:1,unix:/a", " 127.0.0.1:1 , unix:/a ", "[\"127.0.0.1:1\", unix:/a]"}) {
        overrides = {"intake.listen=" + std::string(text)};
        EXPECT_THAT(good("").values.intake.listen, ElementsAre("127.0.0.1:1", "unix:/a")) << text;
    }
    overrides = {"intake.hosts="};
    EXPECT_THAT(good("intake: {hosts: [a]}\n").values.intake.hosts, IsEmpty());
    overrides = {"intake.hosts=a,,b"};
    EXPECT_THAT(bad(""), ElementsAre("--set intake.hosts: intake.hosts: an empty item"));
    overrides = {"delivery.lanes={name: a}"};
    EXPECT_THAT(bad(""), ElementsAre("--set delivery.lanes: delivery.lanes: a list is expected"));
}

TEST_F(Load, WhatAVariableBringsIsNotExpandedAgain) {
    environment["LIST"] = "${LINKRUNNER_SERVER_KEY},$$";
    EXPECT_THAT(good("intake: {hosts: \"${LIST}\"}\n").values.intake.hosts,
                ElementsAre("${LINKRUNNER_SERVER_KEY}", "$$"));
    overrides = {"intake.hosts=${HOME}"};
    EXPECT_THAT(good("").values.intake.hosts, ElementsAre("${HOME}"));
}

TEST_F(Load, StateDirectoryIsTheDefaultOfTheSpool) {
    environment["STATE_DIRECTORY"] = "/var/lib/one:/var/lib/two";
    EXPECT_EQ(good("").values.spool.directory, "/var/lib/one");
    EXPECT_EQ(origin(good(""), "spool.directory"), "environment STATE_DIRECTORY");
    EXPECT_EQ(good("spool: {directory: /mine}\n").values.spool.directory, "/mine");
}

TEST_F(Load, TheProxyComesFromTheEnvironmentUnlessItIsSet) {
    environment["HTTPS_PROXY"] = "http://p:3128";
    EXPECT_EQ(good("").values.upstream.proxy, "http://p:3128");
    EXPECT_EQ(origin(good(""), "upstream.proxy"), "environment HTTPS_PROXY");
    EXPECT_EQ(good("upstream: {proxy: \"\"}\n").values.upstream.proxy, "");
    EXPECT_EQ(good("upstream: {proxy: \"http://q:1\"}\n").values.upstream.proxy, "http://q:1");
    environment["NO_PROXY"] = "linkrunner.io";
    EXPECT_EQ(good("").values.upstream.proxy, "");
    environment["HTTPS_PROXY"] = "socks5://p:3128";
    environment.erase("NO_PROXY");
    EXPECT_THAT(bad(""), ElementsAre(HasSubstr("environment HTTPS_PROXY: upstream.proxy: must look like")));
}

TEST_F(Load, AnOpenListenerNeedsATokenOrAWord) {
    const std::string listen = "intake: {listen: \"0.0.0.0:7417\", ";
    const std::string token = files.write("token", "t0ken\n");
    const loaded with_token = good(listen + "token_file: \"" + token + "\"}\n");
    EXPECT_EQ(with_token.values.intake_token, "t0ken");
    EXPECT_THAT(with_token.notes, ElementsAre(HasSubstr("the token travels unencrypted to 0.0.0.0:7417")));
    EXPECT_THAT(good(listen + "allow_unauthenticated: true}\n").notes,
                ElementsAre(HasSubstr("whoever reaches 0.0.0.0:7417 may post")));
    EXPECT_THAT(good("intake: {listen: [\"localhost:1\", \"[::1]:2\", \"unix:/a\"]}\n").notes, IsEmpty());
}

TEST_F(Load, WhatIsAllowedButUnwiseIsNoted) {
    EXPECT_THAT(good("upstream: {url: \"http://example.com/\"}\n").notes,
                ElementsAre(HasSubstr("unencrypted")));
    EXPECT_THAT(good("upstream: {url: \"http://127.0.0.1/\"}\n").notes, IsEmpty());
    EXPECT_THAT(good("delivery: {rate: 31/s}\n").notes, ElementsAre(HasSubstr("30 requests per second")));
    EXPECT_THAT(good("delivery: {max_in_flight: 33}\n").notes,
                ElementsAre(HasSubstr("upstream.connections (32)")));
    EXPECT_THAT(good("intake: {max_waiters: 1024}\n").notes, ElementsAre(HasSubstr("max_connections")));
    EXPECT_THAT(good("spool: {sync: never}\n").notes, ElementsAre(HasSubstr("a power cut loses")));
    EXPECT_THAT(good("spool: {dead: {max_bytes: 2GiB}}\n").notes, ElementsAre(HasSubstr("bounds both")));
    EXPECT_THAT(good("spool: {when_full: drop_oldest}\n").notes, ElementsAre(HasSubstr("drops events")));
}

} // namespace
} // namespace linkrunner::config
