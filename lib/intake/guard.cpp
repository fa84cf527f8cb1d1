#include "intake/guard.hpp"

#include "base/constant_time.hpp"
#include "intake/envelope.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>

namespace linkrunner::intake {

namespace {

constexpr std::string_view bearer = "Bearer ";

std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.rfind(':'));
}

bool same_name(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](char a, char b) {
        const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
        return lower(a) == lower(b);
    });
}

bool has_token(const net::request& head, std::string_view token) {
    const std::string_view sent = head.header("Authorization");
    return sent.size() > bearer.size() && same_name(sent.substr(0, bearer.size()), bearer) &&
           constant_time_equal(sent.substr(bearer.size()), token);
}

} // namespace

bool is_loopback_host(std::string_view host) {
    const std::string_view name = without_port(host);
    if (same_name(name, "localhost")) {
        return true;
    }
    const std::string text(name);
    in_addr four{};
    if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
        return (ntohl(four.s_addr) >> 24) == 127;
    }
    in6_addr six{};
    return inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

std::optional<coded_refusal> refuse_caller(const net::request& head, const settings& options) {
    if (head.header_count("Origin") != 0) {
        return coded(403, "forbidden_origin",
                     "requests with an Origin header are refused: browsers must not post here; send events "
                     "from your backend");
    }
    const net::listener_info& where = head.listener();
    if (where.unix_socket) {
        return std::nullopt;
    }
    if (where.loopback) {
        const std::string_view host = head.header("Host");
        const bool allowed =
            is_loopback_host(host) || std::ranges::any_of(options.hosts, [&](const std::string& name) {
                return same_name(name, host) || same_name(name, without_port(host));
            });
        if (!allowed) {
            return coded(
                421, "wrong_host",
                "this Host is not served here; use a loopback name, or add the name to intake.hosts");
        }
        return std::nullopt;
    }
    if (options.token.empty()) {
        if (options.allow_unauthenticated) {
            return std::nullopt;
        }
        return coded(401, "wrong_token",
                     "linkrunnerd listens here without a token: set intake.token_file, or "
                     "intake.allow_unauthenticated");
    }
    if (!has_token(head, options.token)) {
        coded_refusal out =
            coded(401, "wrong_token", "send Authorization: Bearer <token of intake.token_file>");
        out.answer.headers.emplace_back("WWW-Authenticate", "Bearer");
        return out;
    }
    return std::nullopt;
}

bool client_key_matches(const net::request& head, std::string_view server_key) {
    const std::string_view sent = head.header("linkrunner-key");
    return sent.empty() || constant_time_equal(sent, server_key);
}

} // namespace linkrunner::intake
