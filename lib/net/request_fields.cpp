#include "net/request_fields.hpp"

#include <algorithm>
#include <optional>

namespace linkrunner::net {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

// uri-host [ ":" port ] (RFC 3986 section 3.2.2): its characters, not its grammar.
bool is_host_character(char c) noexcept {
    return is_alphanumeric(c) || std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
}

std::optional<std::size_t> scheme_length(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
            return scheme.size();
        }
    }
    return std::nullopt;
}

} // namespace

bool is_token_character(char c) noexcept {
    return is_alphanumeric(c) ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(),
                                                     [](char a, char b) { return lower(a) == lower(b); });
}

void request_fields::clear() {
    text_.clear();
    fields_.clear();
    method_ = target_ = authority_ = {};
    version_ = 11;
}

request_fields::span request_fields::keep(std::string_view bytes) {
    const span where{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(bytes.size())};
    text_.append(bytes);
    return where;
}

bool request_fields::set_request_line(std::string_view method, std::string_view target, int version) {
    method_ = keep(method);
    version_ = version;
    if (const auto scheme = scheme_length(target)) {
        const auto rest = target.substr(*scheme);
        const auto authority = rest.substr(0, rest.find_first_of("/?"));
        if (authority.empty()) {
            return false;
        }
        authority_ = keep(authority);
        const auto path = rest.substr(authority.size());
        target_ = keep(path.starts_with('/') ? path : "/" + std::string(path));
        return true;
    }
    target_ = keep(target);
    return target.starts_with('/') || (target == "*" && method == "OPTIONS");
}

void request_fields::add(std::string_view name, std::string_view value) {
    const auto kept = keep(name);
    fields_.push_back({kept, keep(value)});
}

std::string_view request_fields::find(std::string_view name) const {
    if (authority_.length > 0 && equal_ignoring_case(name, "host")) {
        return text(authority_);
    }
    for (const auto& each : fields_) {
        if (equal_ignoring_case(text(each.name), name)) {
            return text(each.value);
        }
    }
    return {};
}

std::size_t request_fields::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields_, [&](const field& each) { return equal_ignoring_case(text(each.name), name); }));
}

const char* request_fields::what_is_wrong() const {
    std::size_t hosts = 0, lengths = 0, encodings = 0;
    std::string_view encoding;
    for (const auto& each : fields_) {
        const auto name = text(each.name);
        if (equal_ignoring_case(name, "host")) {
            ++hosts;
        } else if (equal_ignoring_case(name, "content-length")) {
            lengths += text(each.value).find(',') == std::string_view::npos ? 1 : 2;
        } else if (equal_ignoring_case(name, "transfer-encoding")) {
            ++encodings;
            encoding = text(each.value);
        }
    }
    if (hosts > 1 || (hosts == 0 && version_ >= 11)) {
        return hosts > 1 ? "there are several Host headers" : "the Host header is missing";
    }
    if (!std::ranges::all_of(find("host"), is_host_character)) {
        return "the Host header is malformed";
    }
    if (encodings > 0 && lengths > 0) {
        return "Transfer-Encoding and Content-Length exclude each other";
    }
    if (encodings > 0 && version_ < 11) {
        return "HTTP/1.0 has no Transfer-Encoding";
    }
    if (encodings > 1 || (encodings == 1 && !equal_ignoring_case(encoding, "chunked"))) {
        return "the only Transfer-Encoding understood is chunked";
    }
    if (lengths > 1) {
        return "there are several Content-Length headers";
    }
    return nullptr;
}

} // namespace linkrunner::net
