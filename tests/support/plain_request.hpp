// A request without a socket, for tests of handlers.
#pragma once

#include "net/message.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::test {

class plain_request final : public net::request {
  public:
    plain_request(std::string method, std::string target, std::string body = {})
        : method_(std::move(method)), target_(std::move(target)), body_(std::move(body)) {
        where.name = "127.0.0.1:7417";
        where.loopback = true;
        headers.emplace_back("Host", "localhost:7417");
    }

    plain_request& with(std::string name, std::string value) {
        headers.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    std::string_view method() const override { return method_; }
    std::string_view target() const override { return target_; }
    std::string_view header(std::string_view name) const override {
        const auto found =
            std::ranges::find_if(headers, [&](const auto& each) { return same(each.first, name); });
        return found == headers.end() ? std::string_view{} : std::string_view(found->second);
    }
    std::size_t header_count(std::string_view name) const override {
        return static_cast<std::size_t>(
            std::ranges::count_if(headers, [&](const auto& each) { return same(each.first, name); }));
    }
    std::string& body() override { return body_; }
    const net::listener_info& listener() const override { return where; }

    net::listener_info where;
    std::vector<std::pair<std::string, std::string>> headers;

  private:
    static bool same(std::string_view left, std::string_view right) {
        return std::ranges::equal(
            left, right, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    }

    std::string method_;
    std::string target_;
    std::string body_;
};

} // namespace linkrunner::test
