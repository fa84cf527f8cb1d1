#include "sandbox/background.hpp"
#include "sandbox/certificates.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <gmock/gmock.h>

#include <filesystem>

namespace linkrunner::sandbox {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

template <class Change>
std::unique_ptr<background> start_tls(Change change) {
    server_settings options = background::any_port();
    options.tls = true;
    change(options.security);
    return background::start({}, options).value();
}

// Shakes hands as a careful client would; the reason where it fails, "" where it does not.
std::string shake_hands(background& box, const std::string& ca_pem, const std::string& name = "127.0.0.1",
                        int most = TLS1_3_VERSION) {
    asio::io_context context;
    asio::ssl::context tls(asio::ssl::context::tls_client);
    SSL_CTX_set_max_proto_version(tls.native_handle(), most);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.add_certificate_authority(asio::buffer(ca_pem));
    asio::ssl::stream<tcp::socket> stream(context, tls);
    stream.set_verify_callback(asio::ssl::host_name_verification(name));
    stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), box.port()});
    boost::system::error_code failure;
    stream.handshake(asio::ssl::stream_base::client, failure);
    return failure ? failure.message() : "";
}

TEST(sandbox_tls, is_trusted_by_who_trusts_its_authority) {
    const auto box = start_tls([](auto&) {});
    EXPECT_EQ(shake_hands(*box, box->ca_pem()), "");
    EXPECT_EQ(shake_hands(*box, box->ca_pem(), "localhost"), "");
    EXPECT_EQ(shake_hands(*box, box->ca_pem(), "localhost", TLS1_2_VERSION), "");
}

TEST(sandbox_tls, is_not_trusted_by_others) {
    const auto box = start_tls([](auto&) {});
    const std::string other = authority::make()->cert_pem();
    EXPECT_THAT(shake_hands(*box, other), HasSubstr("certificate verify failed"));
    EXPECT_THAT(shake_hands(*box, box->ca_pem(), "api.linkrunner.io"),
                HasSubstr("certificate verify failed"));
}

TEST(sandbox_tls, shows_an_expired_certificate_by_choice) {
    const auto box = start_tls([](auto& s) { s.expired = true; });
    EXPECT_THAT(shake_hands(*box, box->ca_pem()), HasSubstr("certificate verify failed"));
}

TEST(sandbox_tls, shows_the_names_that_it_is_told) {
    const auto box = start_tls([](auto& s) { s.names = {"api.example.test"}; });
    EXPECT_EQ(shake_hands(*box, box->ca_pem(), "api.example.test"), "");
    EXPECT_THAT(shake_hands(*box, box->ca_pem()), HasSubstr("certificate verify failed"));
}

TEST(sandbox_tls, speaks_only_old_versions_by_choice) {
    const auto box = start_tls([](auto& s) { s.min_version = s.max_version = "1.1"; });
    EXPECT_NE(shake_hands(*box, box->ca_pem()), "");
    EXPECT_TRUE(
        box->wait_until([](api& core) { return core.sums().tls_failed == 1; }, std::chrono::seconds(20)));
}

TEST(sandbox_tls, refuses_versions_out_of_order) {
    server_settings options = background::any_port();
    options.tls = true;
    options.security.min_version = "1.3";
    options.security.max_version = "1.2";
    EXPECT_FALSE(background::start({}, options));
}

TEST(sandbox_tls, keeps_its_authority_for_the_next_start) {
    const tests::temp_directory here;
    const std::string first = start_tls([&](auto& s) { s.directory = here.path(); })->ca_pem();
    const auto again = start_tls([&](auto& s) { s.directory = here.path(); });
    EXPECT_EQ(again->ca_pem(), first);
    EXPECT_EQ(shake_hands(*again, first), "");
    const auto keys = std::filesystem::status(here / "ca.key").permissions();
    EXPECT_EQ(keys, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

} // namespace
} // namespace linkrunner::sandbox
