// The small pure parts: references, suggestions, addresses, proxies.
#include "config/address.hpp"
#include "config/expand.hpp"
#include "config/proxy.hpp"
#include "config/suggest.hpp"

#include <gtest/gtest.h>

#include <map>

using namespace linkrunner::config;

namespace {

lookup these(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
}

TEST(Expand, ReferencesTakeTheEnvironment) {
    const auto environment = these({{"A", "1"}, {"EMPTY", ""}, {"SLY", "${A}$$"}});
    const std::pair<const char*, const char*> table[] = {
        {"plain", "plain"},   {"${A}", "1"},     {"x${A}y${A}", "x1y1"}, {"${B:-two}", "two"},
        {"${A:-two}", "1"},   {"${EMPTY}", ""},  {"${EMPTY:-x}", "x"},   {"${B:-}", ""},
        {"$$", "$"},          {"$${A}", "${A}"}, {"$A", "$A"},           {"a$", "a$"},
        {"${SLY}", "${A}$$"}, {"$$$$", "$$"},    {"${B:-a:-b}", "a:-b"}, {"$$$", "$$"}};
    for (const auto& [text, expected] : table) {
        const auto expanded = expand(text, environment);
        ASSERT_TRUE(expanded.has_value()) << text << ": " << expanded.error().message;
        EXPECT_EQ(*expanded, expected) << text;
    }
}

TEST(Expand, WhatCannotBeResolvedIsNamed) {
    const auto environment = these({});
    const std::pair<const char*, const char*> table[] = {
        {"${NOPE}", "environment variable NOPE is not set; set it, or write ${NOPE:-otherwise}"},
        {"a${A", "\"${\" without \"}\"; write $$ for a $"},
        {"${}",
         "\"${}\" is not a reference to an environment variable; write ${NAME}, ${NAME:-otherwise}, or "
         "$$ for a $"},
        {"${A-b}", "\"${A-b}\" is not a reference to an environment variable; write ${NAME}, "
                   "${NAME:-otherwise}, or $$ for a $"},
        {"${1}", "\"${1}\" is not a reference to an environment variable; write ${NAME}, ${NAME:-otherwise}, "
                 "or $$ for a $"}};
    for (const auto& [text, expected] : table) {
        const auto expanded = expand(text, environment);
        ASSERT_TRUE(expanded.has_error()) << text;
        EXPECT_EQ(expanded.error().message, expected);
    }
}

TEST(Suggest, DistanceCountsInsertsDeletesChangesAndSwaps) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("ulr", "url"), 1U);
    EXPECT_EQ(edit_distance("rate", "rates"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, NearNamesAreFoundAndFarOnesAreNot) {
    EXPECT_EQ(meant_key("upstream.ulr"), "upstream.url");
    EXPECT_EQ(meant_key("upsteam"), "upstream");
    EXPECT_EQ(meant_key("upsteam.url"), "upstream.url");
    EXPECT_EQ(meant_key("log.lvl"), "log.level");
    EXPECT_EQ(meant_key("rate"), "delivery.rate");
    EXPECT_EQ(meant_key("spool.max_age"), "spool.dead.max_age");
    EXPECT_EQ(meant_key("delivery.maxattempts"), "delivery.max_attempts");
    EXPECT_EQ(meant_key("xylophone"), std::nullopt);
    EXPECT_EQ(meant_key(""), std::nullopt);
    EXPECT_EQ(meant_key(std::string(100000, 'x')), std::nullopt);
}

TEST(Address, EveryFormIsUnderstood) {
    const auto tcp = parse_listen("127.0.0.1:7417");
    EXPECT_FALSE(tcp->is_unix);
    EXPECT_EQ(tcp->host, "127.0.0.1");
    EXPECT_EQ(tcp->port, 7417);
    EXPECT_EQ(parse_listen("[::1]:80")->host, "::1");
    EXPECT_EQ(parse_listen("[fe80::1%eth0]:80")->host, "fe80::1%eth0");
    EXPECT_EQ(parse_listen("localhost:0")->port, 0);
    EXPECT_TRUE(parse_listen("unix:/run/x.sock")->is_unix);
    EXPECT_EQ(parse_listen("unix:@abstract")->host, "@abstract");
}

TEST(Address, WhatIsNoAddressIsSaidWithTheRightForm) {
    const std::pair<std::string, const char*> table[] = {
        {"7417", "is not an address"},
        {"localhost", "is not an address"},
        {":7417", "has no host"},
        {"*:7417", "has no host"},
        {"127.0.0.1:", "has no port"},
        {"127.0.0.1:65536", "has no port"},
        {"127.0.0.1:http", "has no port"},
        {"::1:80", "without brackets"},
        {"[127.0.0.1]:80", "no IPv6 address between its brackets"},
        {"http://127.0.0.1:80", "without brackets"},
        {"a b:80", "characters that no host name has"},
        {"unix:relative.sock", "needs an absolute path"},
        {"unix:", "needs an absolute path"},
        {"unix:/" + std::string(107, 'x'), "too long"}};
    for (const auto& [text, expected] : table) {
        const auto parsed = parse_listen(text);
        ASSERT_TRUE(parsed.has_error()) << text;
        EXPECT_NE(parsed.error().message.find(expected), std::string::npos) << parsed.error().message;
    }
    EXPECT_TRUE(parse_listen("unix:/" + std::string(106, 'x')).has_value());
}

TEST(Address, LoopbackIsKnownInEveryForm) {
    for (const char* host : {"localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "127.example.com", "localhost.example.com", ""}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

TEST(Proxy, ComesFromTheEnvironmentForHttpsOnly) {
    const auto environment = these({{"HTTPS_PROXY", "http://p:3128"}});
    const auto found = proxy_from_environment("https://api.linkrunner.io/api/v1", environment);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->url, "http://p:3128");
    EXPECT_EQ(found->variable, "HTTPS_PROXY");
    EXPECT_FALSE(proxy_from_environment("http://api.linkrunner.io", environment));
    EXPECT_FALSE(proxy_from_environment("https://127.0.0.1:8443/", environment));
    EXPECT_FALSE(proxy_from_environment("https://[::1]:8443/", environment));
    EXPECT_FALSE(proxy_from_environment("no url", environment));
    EXPECT_FALSE(proxy_from_environment("https://a", these({{"HTTPS_PROXY", ""}})));
    const auto lower = proxy_from_environment("https://a", these({{"https_proxy", "p:3128"}}));
    ASSERT_TRUE(lower);
    EXPECT_EQ(lower->url, "http://p:3128");
    EXPECT_EQ(lower->variable, "https_proxy");
}

TEST(Proxy, NoProxyNamesHostsDomainsAddressesAndNetworks) {
    struct {
        const char* list;
        const char* host;
        bool exempt;
    } const table[] = {{"*", "a.b", true},
                       {"example.com", "example.com", true},
                       {"example.com", "api.example.com", true},
                       {"example.com", "badexample.com", false},
                       {".example.com", "api.example.com", true},
                       {"*.example.com", "api.example.com", true},
                       {"EXAMPLE.com", "api.Example.COM", true},
                       {"a, b,c", "b", true},
                       {"a b", "b", true},
                       {"", "a", false},
                       {",,", "a", false},
                       {"example.com:443", "example.com", true},
                       {"example.com:8443", "example.com", false},
                       {"10.0.0.0/8", "10.1.2.3", true},
                       {"10.0.0.0/8", "11.1.2.3", false},
                       {"10.0.0.0/99", "10.1.2.3", false},
                       {"10.0.0.0/x", "10.0.0.0", false},
                       {"0.0.0.0/0", "8.8.8.8", true},
                       {"fd00::/8", "fd12::1", true},
                       {"fd00::/8", "fe80::1", false},
                       {"10.0.0.1", "10.0.0.1", true},
                       {"0.0.1", "10.0.0.1", false},
                       {"10.0.0.0/8", "ten.example", false}};
    for (const auto& each : table) {
        EXPECT_EQ(is_exempt(each.list, each.host, "443"), each.exempt) << each.list << " " << each.host;
    }
}

} // namespace
