#include "sandbox/server.hpp"

#include "sandbox/certificates.hpp"
#include "sandbox/connection.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace linkrunner::sandbox {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

error failed(const std::string& what, const error_code& why) {
    return {std::error_code(why), what + ": " + why.message()};
}

result<tcp::endpoint> parse_address(asio::io_context& owner, const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const char* const end = text.data() + text.size();
    std::uint16_t port = 0;
    const bool port_read =
        colon != std::string::npos &&
        std::from_chars(text.data() + colon + 1, end, port) == std::from_chars_result{end, std::errc{}};
    if (!port_read || colon == 0) {
        return make_error(std::errc::invalid_argument, "'" + text + "' is not host:port");
    }
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    error_code failure;
    const auto found =
        tcp::resolver(owner).resolve(host, text.substr(colon + 1), tcp::resolver::passive, failure);
    if (failure) {
        return failed("resolve " + text, failure);
    }
    return found.begin()->endpoint();
}

std::optional<int> version_number(const std::string& text) {
    static constexpr std::array<std::pair<const char*, int>, 4> known = {
        {{"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION}}};
    for (const auto& [name, number] : known) {
        if (text == name) {
            return number;
        }
    }
    return std::nullopt;
}

result<void> set_versions(asio::ssl::context& context, const tls_settings& options) {
    const auto least = version_number(options.min_version);
    const auto most = version_number(options.max_version);
    if (!least || !most || *least > *most) {
        return make_error(std::errc::invalid_argument, "TLS versions '" + options.min_version + "' to '" +
                                                           options.max_version +
                                                           "': from 1.0 to 1.3, in order");
    }
    SSL_CTX_set_min_proto_version(context.native_handle(), *least);
    SSL_CTX_set_max_proto_version(context.native_handle(), *most);
    if (*least < TLS1_2_VERSION) { // SHA-1 signatures of old versions need OpenSSL's lowest level
        SSL_CTX_set_cipher_list(context.native_handle(), "ALL:@SECLEVEL=0");
    }
    return {};
}

class socket_server final : public server {
  public:
    socket_server(asio::io_context& owner, const server_settings& options, api& state, clock& time)
        : owner_(owner), options_(options), acceptor_(owner), reservation_(owner),
          host_(std::make_shared<connection_host>(state, time)) {}

    ~socket_server() override { stop(); }

    result<void> open() {
        const auto wanted = parse_address(owner_, options_.listen);
        if (!wanted) {
            return wanted.error();
        }
        // A second socket that never listens keeps the port while set_listening(false) lasts.
        error_code failure;
        address_ = *wanted;
        bind(reservation_, failure);
        if (failure) {
            return failed("listen on " + options_.listen, failure);
        }
        address_ = reservation_.local_endpoint();
        if (const error_code refused = listen()) {
            return failed("listen on " + options_.listen, refused);
        }
        return options_.tls ? prepare_tls() : result<void>{};
    }

    void start() override { accept(); }

    void on_change(std::function<void()> told) override { host_->changed = std::move(told); }

    void set_listening(bool listening) override {
        error_code ignored;
        if (listening == acceptor_.is_open()) {
            return;
        }
        if (!listening) {
            acceptor_.close(ignored);
        } else if (!listen()) {
            accept();
        }
    }

    void drop_connections() override {
        const std::vector<connection*> open(host_->open.begin(), host_->open.end());
        for (connection* each : open) {
            each->abort();
        }
    }

    void stop() override {
        error_code ignored;
        host_->stopped = true;
        acceptor_.close(ignored);
        reservation_.close(ignored);
        drop_connections();
    }

    std::uint16_t port() const override { return address_.port(); }
    const std::string& ca_pem() const override { return ca_pem_; }

    std::string url() const override {
        const asio::ip::address shown = address_.address().is_unspecified()
                                            ? asio::ip::address(asio::ip::address_v4::loopback())
                                            : address_.address();
        const std::string host = shown.is_v6() ? "[" + shown.to_string() + "]" : shown.to_string();
        return (options_.tls ? "https://" : "http://") + host + ":" + std::to_string(port()) +
               host_->state.settings().prefix;
    }

  private:
    void bind(tcp::acceptor& socket, error_code& failure) {
        error_code ignored;
        socket.open(address_.protocol(), failure);
        if (!failure) {
            socket.set_option(asio::socket_base::reuse_address(true), ignored);
            socket.bind(address_, failure);
        }
    }

    error_code listen() {
        error_code failure;
        bind(acceptor_, failure);
        if (!failure) {
            acceptor_.listen(asio::socket_base::max_listen_connections, failure);
        }
        return failure;
    }

    result<void> prepare_tls() {
        auto issuer = options_.security.directory.empty()
                          ? authority::make()
                          : authority::in_directory(options_.security.directory);
        if (!issuer) {
            return issuer.error();
        }
        ca_pem_ = issuer->cert_pem();
        const auto own = issuer->issue({options_.security.names, options_.security.expired});
        if (!own) {
            return own.error();
        }
        tls_.emplace(asio::ssl::context::tls_server);
        error_code failure;
        tls_->use_certificate_chain(asio::buffer(own->cert_pem), failure);
        if (!failure) {
            tls_->use_private_key(asio::buffer(own->key_pem), asio::ssl::context::pem, failure);
        }
        if (failure) {
            return failed("use the certificate", failure);
        }
        return set_versions(*tls_, options_.security);
    }

    void accept() {
        acceptor_.async_accept([this, host = host_](error_code failure, tcp::socket socket) {
            if (host->stopped || failure == asio::error::operation_aborted) {
                return;
            }
            if (!failure) {
                serve(std::move(socket));
            }
            accept();
        });
    }

    void serve(tcp::socket socket) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const misbehaviour what = host_->state.on_accept(host_->time.steady());
        if (what.ending == fault_ending::reset) {
            reset_socket(socket);
            return;
        }
        if (what.ending == fault_ending::close) {
            return;
        }
        const auto fresh = tls_ ? make_connection(host_, std::move(socket), *tls_)
                                : make_connection(host_, std::move(socket));
        if (what.ending == fault_ending::hang) {
            fresh->hold(what.hang_for);
        } else {
            fresh->start();
        }
    }

    asio::io_context& owner_;
    server_settings options_;
    tcp::acceptor acceptor_;
    tcp::acceptor reservation_;
    tcp::endpoint address_;
    std::optional<asio::ssl::context> tls_;
    std::string ca_pem_;
    std::shared_ptr<connection_host> host_;
};

} // namespace

result<std::unique_ptr<server>> server::open(asio::io_context& owner, const server_settings& options,
                                             api& state, clock& time) {
    auto made = std::make_unique<socket_server>(owner, options, state, time);
    if (auto opened = made->open(); !opened) {
        return opened.error();
    }
    return std::unique_ptr<server>(std::move(made));
}

} // namespace linkrunner::sandbox
