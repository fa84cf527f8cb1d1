#include "support.hpp"

#include <gmock/gmock.h>

namespace linkrunner::config {
namespace {

using testing::HasSubstr;
using testing::Not;

class Print : public test::Configuration {};

TEST_F(Print, SaysWhereEachValueIsFrom) {
    environment["LINKRUNNERD_INTAKE__MAX_BATCH"] = "5";
    overrides = {"log.level=debug"};
    const std::string text = print(good("delivery:\n  backoff: {max: 2m}\n"));
    EXPECT_THAT(text, testing::StartsWith("intake:\n  listen: [\"127.0.0.1:7417\", "
                                          "\"unix:/run/linkrunnerd/intake.sock\"] # default\n"));
    EXPECT_THAT(text, HasSubstr("\n  max_batch: 5 # environment LINKRUNNERD_INTAKE__MAX_BATCH\n"));
    EXPECT_THAT(text, HasSubstr("\n  backoff:\n    initial: 1s # default\n    max: 2m # " +
                                files.path("c.yaml") + ":2\n"));
    EXPECT_THAT(text, HasSubstr("\nlog:\n  level: debug # --set\n"));
    EXPECT_THAT(text, HasSubstr("\n  # the server key: ******** (environment LINKRUNNER_SERVER_KEY)\n"));
}

TEST_F(Print, ShowsNoSecret) {
    files.write("token", "s3cret-token");
    environment["LINKRUNNER_SERVER_KEY"] = "s3cret-key";
    overrides = {"upstream.proxy=http://me:s3cret-password@p:3128",
                 "intake.token_file=" + files.path("token")};
    const std::string text = print(good(""));
    EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    EXPECT_THAT(text, HasSubstr("proxy: \"http://me:********@p:3128\" # --set"));
    overrides = {"upstream.proxy=http://s3cret-user@p:3128"};
    EXPECT_THAT(print(good("")), HasSubstr("proxy: \"http://********@p:3128\""));
}

TEST_F(Print, WhatIsPrintedLoadsToTheSameSettings) {
    const loaded first = good(R"(
intake:
  listen: ["[::1]:7417", "unix:@abstract", "unix:/tmp/with space.sock"]
  unix_mode: "0777"
  allow_uids: [0, 4294967294]
  hosts: ["a.example", "true", "null", "1.5", "#x", "a: b", "x\"y", "back\\slash", "$${HOME}", "$$$$", "ग्राहक"]
  max_event: 999kB
  max_body: 1000001B
  request_timeout: 1001ms
delivery:
  rate: 1000/m
  burst: 2.5
  max_age: 36h
  adaptive: false
  lanes:
    - {name: null_, weight: 1000, names: ["a[b-c]*", "off", "$${x}"]}
    - {name: rest, names: ["*"], with_amount: true}
spool: {directory: "/var/lib/$$x y"}
observe: {listen: []}
)");
    const loaded again = good(print(first));
    EXPECT_EQ(again.values, first.values);
    EXPECT_EQ(again.values.intake.hosts[8], "${HOME}");
    EXPECT_EQ(again.values.intake.hosts[9], "$$");
}

} // namespace
} // namespace linkrunner::config
