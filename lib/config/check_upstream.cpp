#include "config/address.hpp"
#include "config/check.hpp"
#include "config/units.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

namespace linkrunner::config {
namespace {

constexpr std::string_view linkrunner_host = "api.linkrunner.io";
constexpr double linkrunner_rate = 30; // requests per second and source address, contract section 2
constexpr double forwarder_rate = 1'000;

std::string bare_host(const boost::urls::url_view& url) {
    std::string host = url.host();
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    return host;
}

bool has_scheme(const boost::urls::url_view& url, std::string_view scheme) {
    return std::string_view(url.scheme().data(), url.scheme().size()) == scheme;
}

bool has_good_port(const boost::urls::url_view& url) {
    const std::string port(url.port());
    std::uint16_t number = 0; // port_number() of the library wraps around
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    return !url.has_port() || (failure == std::errc{} && end == port.data() + port.size() && number != 0);
}

// The other side of an URL.
struct other_side {
    std::string_view key;     // of the configuration
    std::string_view example; // of an URL
    std::string_view secret;  // that opens it
    std::string_view secret_key;
    std::string_view path; // that the daemon adds
};

constexpr other_side linkrunner_api = {"upstream.url", "https://api.linkrunner.io/api/v1", "server key",
                                       "upstream.server_key_file", "/capture-event"};
constexpr other_side forwarder = {"upstream.url", "http://gateway:7417", "token", "upstream.token_file",
                                  "/v1/events"};
constexpr other_side handoff_peer = {"shutdown.handoff", "http://gateway:7417", "token",
                                     "shutdown.handoff_token_file", "/v1/events"};

// What is wrong with an URL. The text is not repeated: a key or password may stand in it.
std::string url_problem(const boost::urls::url_view& url, const other_side& what) {
    if (!has_scheme(url, "https") && !has_scheme(url, "http")) {
        return "must begin with https:// or http://";
    }
    if (!url.has_authority() || url.host().empty()) {
        return "names no host, for example " + std::string(what.example);
    }
    if (url.has_userinfo()) {
        return "must not hold a user or password; the " + std::string(what.secret) + " goes into " +
               std::string(what.secret_key);
    }
    if (url.has_query() || url.has_fragment()) {
        return "must end with its path, without ? or #";
    }
    if (!has_good_port(url)) {
        return "has no port between 1 and 65535 after its host";
    }
    if (std::string(url.encoded_path()).ends_with(what.path)) {
        return "must end before " + std::string(what.path) + ", which the daemon adds";
    }
    return "";
}

void check_url(assembly& all, std::string& text, const other_side& what) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) {
        all.complain(what.key, "is not an URL; for example " + std::string(what.example));
        return;
    }
    const boost::urls::url_view& url = *parsed;
    if (const std::string wrong = url_problem(url, what); !wrong.empty()) {
        all.complain(what.key, wrong);
        return;
    }
    if (has_scheme(url, "http") && !is_loopback(bare_host(url))) {
        all.notes.push_back(std::string(what.key) + ": without https the " + std::string(what.secret) +
                            " and all events travel unencrypted");
    }
    if (bare_host(url) == linkrunner_host && all.values.delivery.rate_per_second > linkrunner_rate) {
        all.notes.push_back("delivery.rate: the Linkrunner API is said to allow 30 requests per second from "
                            "one address");
    }
    while (text.ends_with('/')) { // the daemon adds paths that begin with one
        text.pop_back();
    }
}

// What differs where the upstream is another linkrunnerd.
void check_kind(assembly& all) {
    if (!all.values.upstream.is_forwarder()) {
        if (!all.values.upstream.token_file.empty()) {
            all.complain(
                "upstream.token_file",
                "is used with upstream.kind: forwarder only; the Linkrunner API takes the server key");
        }
        return;
    }
    if (!all.is_set("upstream.url")) {
        all.complain("upstream.url", "must be given with upstream.kind: forwarder: the address of the other "
                                     "linkrunnerd, for example http://gateway:7417");
    }
    if (!all.is_set("delivery.rate")) { // of the API, and no business of another linkrunnerd
        all.values.delivery.rate_per_second = forwarder_rate;
        all.places["delivery.rate"] = {"configuration", "default with upstream.kind: forwarder"};
    }
    if (all.is_set("intake.client_key") && all.values.intake.client_key != "ignore") {
        all.notes.push_back("intake.client_key: " + all.values.intake.client_key +
                            " has no effect with upstream.kind: forwarder: there is no server key to compare "
                            "with");
    }
}

void check_handoff(assembly& all) {
    shutdown_section& shutdown = all.values.shutdown;
    if (!shutdown.handoff.empty()) {
        check_url(all, shutdown.handoff, handoff_peer);
    }
    for (const auto& [key, file] : {std::pair("shutdown.handoff_token_file", shutdown.handoff_token_file),
                                    std::pair("shutdown.handoff_ca_file", shutdown.handoff_ca_file)}) {
        if (!file.empty() && shutdown.handoff.empty()) {
            all.complain(key, "needs shutdown.handoff, too");
        }
    }
    check_readable(all, "shutdown.handoff_ca_file", shutdown.handoff_ca_file);
}

void check_proxy(assembly& all) {
    const std::string& text = all.values.upstream.proxy;
    if (text.empty()) {
        return;
    }
    const auto parsed = boost::urls::parse_uri(text);
    const bool good = parsed && has_scheme(*parsed, "http") && !parsed->host().empty() &&
                      parsed->has_port() && has_good_port(*parsed) &&
                      (parsed->encoded_path().empty() || parsed->encoded_path() == "/") &&
                      !parsed->has_query() && !parsed->has_fragment();
    if (!good) { // its password must not be repeated
        all.complain("upstream.proxy", "must look like http://host:3128 or http://user:password@host:3128");
    }
}

} // namespace

void check_upstream(assembly& all) {
    check_kind(all);
    check_url(all, all.values.upstream.url, all.values.upstream.is_forwarder() ? forwarder : linkrunner_api);
    check_proxy(all);
    check_handoff(all);
    const upstream_section& upstream = all.values.upstream;
    check_readable(all, "upstream.ca_file", upstream.ca_file);
    check_readable(all, "upstream.client_cert_file", upstream.client_cert_file);
    check_readable(all, "upstream.client_key_file", upstream.client_key_file);
    if (upstream.client_cert_file.empty() != upstream.client_key_file.empty()) {
        const bool has_key = upstream.client_cert_file.empty();
        all.complain(has_key ? "upstream.client_key_file" : "upstream.client_cert_file",
                     has_key ? "needs upstream.client_cert_file, too"
                             : "needs upstream.client_key_file, too");
    }
}

} // namespace linkrunner::config
