// Another linkrunnerd as the upstream, or as who takes over at the end.
#include "support.hpp"

#include <gmock/gmock.h>

using namespace linkrunner::config;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

class Handoff : public test::Configuration {
  protected:
    static std::string relay(const std::string& more = "") {
        return "upstream: {kind: forwarder, url: \"http://127.0.0.1:7417/\"" + more + "}\n";
    }
};

TEST_F(Handoff, AForwarderNeedsNoServerKeyAndHasAPaceOfItsOwn) {
    environment = {};
    const loaded got = good(relay());
    EXPECT_TRUE(got.values.upstream.is_forwarder());
    EXPECT_EQ(got.values.upstream.url, "http://127.0.0.1:7417");
    EXPECT_EQ(got.values.server_key, "");
    EXPECT_EQ(got.values.delivery.rate_per_second, 1'000);
    EXPECT_EQ(origin(got, "delivery.rate"), "default with upstream.kind: forwarder");
    EXPECT_EQ(good(relay() + "delivery: {rate: 29/s}\n").values.delivery.rate_per_second, 29);
}

TEST_F(Handoff, TheTokensAreReadFromTheirFiles) {
    const std::string token = files.write("token", "t0ken\n");
    const loaded got =
        good(relay(", token_file: \"" + token + "\"") +
             "shutdown: {handoff: \"http://127.0.0.1:1\", handoff_token_file: \"" + token + "\"}\n");
    EXPECT_EQ(got.values.upstream_token, "t0ken");
    EXPECT_EQ(got.values.upstream_secret(), "t0ken");
    EXPECT_EQ(got.values.upstream_secret_path(), token);
    EXPECT_EQ(got.values.handoff_token, "t0ken");
}

TEST_F(Handoff, WhatIsMissingOrOfNoUseIsNamed) {
    EXPECT_THAT(bad("upstream: {kind: forwarder}\n"),
                ElementsAre(HasSubstr("upstream.url: must be given with upstream.kind: forwarder")));
    EXPECT_THAT(bad("upstream: {kind: forwarder, url: \"http://127.0.0.1:1/v1/events\"}\n"),
                ElementsAre(HasSubstr("upstream.url: must end before /v1/events")));
    EXPECT_THAT(
        bad("upstream: {token_file: /x}\n"),
        testing::Contains(HasSubstr("upstream.token_file: is used with upstream.kind: forwarder only")));
    EXPECT_THAT(bad("shutdown: {handoff: gateway}\n"),
                ElementsAre(HasSubstr("shutdown.handoff: is not an URL")));
    EXPECT_THAT(bad("shutdown: {handoff: \"http://u:p@h:1\"}\n"),
                ElementsAre(HasSubstr("the token goes into shutdown.handoff_token_file")));
    EXPECT_THAT(bad("shutdown: {handoff_ca_file: /nowhere/ca.crt}\n"),
                testing::Contains(HasSubstr("shutdown.handoff_ca_file: needs shutdown.handoff, too")));
}

TEST_F(Handoff, WhatTravelsUnencryptedIsNoted) {
    const loaded got = good("shutdown: {handoff: \"http://gateway:7417\"}\n");
    EXPECT_THAT(got.notes, ElementsAre("shutdown.handoff: without https the token and all events travel "
                                       "unencrypted"));
    EXPECT_THAT(good("shutdown: {handoff: \"http://127.0.0.1:7417\"}\n").notes, IsEmpty());
    EXPECT_THAT(good(relay() + "intake: {client_key: reject}\n").notes,
                ElementsAre(HasSubstr("intake.client_key: reject has no effect")));
}

} // namespace
