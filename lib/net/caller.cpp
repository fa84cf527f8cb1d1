#include "net/caller.hpp"

#include "net/host_port.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace linkrunner::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t most_answer_bytes = 256 << 20;
constexpr std::size_t piece_bytes = 16 << 10;

struct place {
    std::string unix_path; // "@name": abstract
    std::string host, port;
    std::string base; // of the path
    std::string name; // for Host
};

result<place> read_address(const std::string& address) {
    place out;
    if (address.starts_with("unix:")) {
        out.unix_path = address.substr(5);
        out.name = "localhost";
        return out;
    }
    std::string rest = address;
    if (rest.starts_with("https://")) {
        return make_error(std::errc::invalid_argument, address + ": only http:// and unix: are spoken here");
    }
    const bool is_url = rest.starts_with("http://");
    if (is_url) {
        rest.erase(0, 7);
        const auto slash = rest.find('/');
        out.base = slash == std::string::npos ? "" : rest.substr(slash);
        rest.resize(std::min(slash, rest.size()));
        while (out.base.ends_with('/')) {
            out.base.pop_back();
        }
        if (rest.find(':', rest.rfind(']') == std::string::npos ? 0 : rest.rfind(']')) == std::string::npos) {
            rest += ":80";
        }
    }
    const auto where = split_host_port(rest);
    if (!where || where->host.empty()) {
        return make_error(std::errc::invalid_argument,
                          address + ": expected unix:/path, host:port or http://host:port");
    }
    out.host = where->host;
    out.port = std::to_string(where->port);
    out.name = rest;
    return out;
}

bool same_name(std::string_view left, std::string_view right) {
    return std::ranges::equal(
        left, right, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

class socket_caller final : public caller {
  public:
    explicit socket_caller(place to) : to_(std::move(to)) {}

    result<void> open(std::chrono::milliseconds timeout) {
        buffer_.clear();
        const error_code failure = to_.unix_path.empty() ? open_tcp(timeout) : open_unix(timeout);
        if (failure) {
            close();
            return failed("connect", failure);
        }
        return {};
    }

    result<called> exchange(const call& request, std::chrono::milliseconds timeout) override {
        if (auto sent = send(request, timeout); !sent) {
            return sent.error();
        }
        http::response_parser<http::string_body> parser;
        parser.body_limit(most_answer_bytes);
        const auto read =
            run(timeout, [&](auto done) { http::async_read(*socket_, buffer_, parser, std::move(done)); });
        if (read) {
            close();
            return failed("read the answer", read);
        }
        called out = head_of(parser.get());
        out.body = std::move(parser.get().body());
        if (!parser.keep_alive()) {
            close();
        }
        return out;
    }

    result<called> begin(const call& request, std::chrono::milliseconds timeout) override {
        if (auto sent = send(request, timeout); !sent) {
            return sent.error();
        }
        stream_.emplace();
        stream_->body_limit(boost::none);
        line_.clear();
        const auto read = run(timeout, [&](auto done) {
            http::async_read_header(*socket_, buffer_, *stream_, std::move(done));
        });
        if (read) {
            close();
            return failed("read the answer", read);
        }
        called out = head_of(stream_->get());
        while (out.status != 200) {
            auto line = next_line();
            if (!line || !*line) {
                break;
            }
            out.body += **line + "\n";
        }
        return out;
    }

    result<std::optional<std::string>> next_line() override {
        for (;;) {
            const auto end = line_.find('\n');
            if (end != std::string::npos) {
                std::string line = line_.substr(0, end);
                line_.erase(0, end + 1);
                return std::optional(std::move(line));
            }
            if (stream_->is_done()) {
                close();
                return line_.empty() ? std::nullopt : std::optional(std::exchange(line_, {}));
            }
            std::array<char, piece_bytes> piece{};
            stream_->get().body().data = piece.data();
            stream_->get().body().size = piece.size();
            auto read = run(std::chrono::milliseconds::max(), [&](auto done) {
                http::async_read_some(*socket_, buffer_, *stream_, std::move(done));
            });
            if (read == http::error::need_buffer) {
                read = {};
            }
            line_.append(piece.data(), piece.size() - stream_->get().body().size);
            if (read) {
                close();
                return failed("read on", read);
            }
        }
    }

  private:
    using socket_type = asio::generic::stream_protocol::socket;

    // Runs one asynchronous operation to its end, or closes the connection when the time is up.
    template <class Start>
    error_code run(std::chrono::milliseconds timeout, Start start) {
        error_code outcome = asio::error::would_block;
        start([&outcome](const error_code& how, auto&&...) { outcome = how; });
        context_.restart();
        if (timeout == std::chrono::milliseconds::max()) {
            context_.run();
        } else {
            context_.run_for(timeout);
        }
        if (outcome == asio::error::would_block) {
            close();
            context_.run();
            return asio::error::timed_out;
        }
        return outcome;
    }

    error_code connect_to(const socket_type::endpoint_type& end, std::chrono::milliseconds timeout) {
        socket_.emplace(context_);
        return run(timeout, [&](auto done) { socket_->async_connect(end, std::move(done)); });
    }

    error_code open_unix(std::chrono::milliseconds timeout) {
        std::string path = to_.unix_path;
        if (path.starts_with('@')) {
            path[0] = '\0';
        }
        if (path.empty() || path.size() >= 108) { // sun_path, unix(7)
            return boost::system::errc::make_error_code(boost::system::errc::filename_too_long);
        }
        return connect_to(asio::local::stream_protocol::endpoint(path), timeout);
    }

    error_code open_tcp(std::chrono::milliseconds timeout) {
        error_code failure;
        asio::ip::tcp::resolver resolver(context_);
        const auto found = resolver.resolve(to_.host, to_.port, failure);
        if (failure) {
            return failure;
        }
        for (const auto& each : found) {
            failure = connect_to(each.endpoint(), timeout);
            if (!failure) {
                break;
            }
        }
        return failure;
    }

    result<void> send(const call& request, std::chrono::milliseconds timeout) {
        if (!socket_ || !socket_->is_open()) {
            if (auto opened = open(timeout); !opened) {
                return opened;
            }
        }
        http::request<http::string_body> out;
        out.version(11);
        out.method_string(request.method);
        out.target(to_.base + request.target);
        out.set(http::field::host, to_.name);
        out.set(http::field::user_agent, "linkrunnerctl/" LINKRUNNER_VERSION);
        for (const auto& [name, value] : request.headers) {
            out.set(name, value);
        }
        if (!request.body.empty()) {
            out.set(http::field::content_type, request.content_type);
        }
        out.body() = request.body;
        out.prepare_payload();
        if (const auto wrote =
                run(timeout, [&](auto done) { http::async_write(*socket_, out, std::move(done)); })) {
            close();
            return failed("send the request", wrote);
        }
        return {};
    }

    template <class Message>
    static called head_of(const Message& from) {
        called out;
        out.status = static_cast<int>(from.result_int());
        for (const auto& each : from) {
            out.headers.emplace_back(std::string(each.name_string()), std::string(each.value()));
        }
        return out;
    }

    error failed(const char* what, const error_code& why) const {
        const std::string where = to_.unix_path.empty() ? to_.name : to_.unix_path;
        const bool gone = why == http::error::end_of_stream || why == http::error::partial_message ||
                          why == asio::error::eof || why == asio::error::broken_pipe;
        std::error_code code = std::make_error_code(std::errc::protocol_error);
        if (gone) {
            code = std::make_error_code(std::errc::connection_reset);
        } else if (why.category() == boost::system::system_category() ||
                   why.category() == boost::system::generic_category()) {
            code = std::error_code(why.value(), std::generic_category());
        }
        return {code, where + ": cannot " + what + ": " +
                          (gone ? std::string("the connection was closed") : why.message())};
    }

    void close() {
        if (socket_) {
            error_code ignored;
            socket_->close(ignored);
        }
        buffer_.clear();
    }

    place to_;
    asio::io_context context_{1};
    std::optional<socket_type> socket_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::response_parser<http::buffer_body>> stream_;
    std::string line_;
};

} // namespace

std::string called::header(std::string_view name) const {
    const auto found =
        std::ranges::find_if(headers, [name](const auto& each) { return same_name(each.first, name); });
    return found == headers.end() ? std::string() : found->second;
}

result<std::unique_ptr<caller>> caller::connect(const std::string& address,
                                                std::chrono::milliseconds timeout) {
    auto to = read_address(address);
    if (!to) {
        return to.error();
    }
    auto made = std::make_unique<socket_caller>(std::move(*to));
    if (auto opened = made->open(timeout); !opened) {
        return opened.error();
    }
    return std::unique_ptr<caller>(std::move(made));
}

} // namespace linkrunner::net
