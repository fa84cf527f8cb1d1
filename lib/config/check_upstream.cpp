#include "config/address.hpp"
#include "config/check.hpp"
#include "config/units.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <cstdint>
#include <string>

namespace linkrunner::config {
namespace {

constexpr std::string_view linkrunner_host = "api.linkrunner.io";
constexpr double linkrunner_rate = 30; // requests per second and source address, contract section 2

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

// What is wrong with the base URL. The text is not repeated: a key or password may stand in it.
std::string base_url_problem(const boost::urls::url_view& url) {
    if (!has_scheme(url, "https") && !has_scheme(url, "http")) {
        return "must begin with https:// (or http:// for a local sandbox)";
    }
    if (!url.has_authority() || url.host().empty()) {
        return "names no host, for example https://api.linkrunner.io/api/v1";
    }
    if (url.has_userinfo()) {
        return "must not hold a user or password; the server key goes into upstream.server_key_file";
    }
    if (url.has_query() || url.has_fragment()) {
        return "must end with its path, without ? or #";
    }
    if (!has_good_port(url)) {
        return "has no port between 1 and 65535 after its host";
    }
    if (std::string(url.encoded_path()).ends_with("/capture-event")) {
        return "must end before /capture-event, which the daemon adds";
    }
    return "";
}

void check_base_url(assembly& all) {
    std::string& text = all.values.upstream.url;
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed) {
        all.complain("upstream.url", "is not an URL; for example https://api.linkrunner.io/api/v1");
        return;
    }
    const boost::urls::url_view& url = *parsed;
    if (const std::string wrong = base_url_problem(url); !wrong.empty()) {
        all.complain("upstream.url", wrong);
        return;
    }
    if (has_scheme(url, "http") && !is_loopback(bare_host(url))) {
        all.notes.push_back("upstream.url: without https the server key and all events travel unencrypted");
    }
    if (bare_host(url) == linkrunner_host && all.values.delivery.rate_per_second > linkrunner_rate) {
        all.notes.push_back("delivery.rate: the Linkrunner API is said to allow 30 requests per second from "
                            "one address");
    }
    while (text.ends_with('/')) { // the daemon adds paths that begin with one
        text.pop_back();
    }
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
    check_base_url(all);
    check_proxy(all);
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
