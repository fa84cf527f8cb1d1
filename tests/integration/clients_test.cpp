// Other people's programs as clients: curl, and nginx as a proxy in front of the Unix socket.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace linkrunner::tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class clients : public daemon_test {
  protected:
    // The body, and the status on a last line of its own.
    std::string curl(std::vector<std::string> arguments) {
        command what;
        what.words = {"curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}"};
        what.words.insert(what.words.end(), arguments.begin(), arguments.end());
        what.environment = {{"http_proxy", ""}, {"HTTP_PROXY", ""}, {"ALL_PROXY", ""}};
        const auto [code, output] = run(what);
        EXPECT_EQ(code, 0) << output;
        return output;
    }

    std::string url(const std::string& path) { return "http://" + daemon->listeners().at(0) + path; }
};

TEST_F(clients, like_curl_post_over_tcp) {
    start();
    const std::string output = curl({url("/v1/events"), "-H", "Content-Type: application/json", "-d",
                                     event_text("level_completed", "user-2", "level-7")});
    EXPECT_EQ(output, "{\"msg\":\"Event accepted\",\"status\":202,\"data\":{\"event_id\":\"level-7\","
                      "\"duplicate\":false}}\n\n202");
    EXPECT_TRUE(api->wait_for_unique(1, patience));
}

TEST_F(clients, like_curl_post_over_the_unix_socket) {
    start();
    EXPECT_THAT(curl({"--unix-socket", home / "intake.sock", "http://localhost/api/v1/capture-event", "-H",
                      "Content-Type: application/json", "-H", std::string("linkrunner-key: ") + server_key,
                      "-d", event_text("e", "u")}),
                HasSubstr("\n201"));
}

TEST_F(clients, like_curl_post_files_that_wait_for_an_invitation) {
    start();
    std::string lines;
    for (int i = 0; i < 2'000; ++i) {
        lines += event_text("bulk", "u" + std::to_string(i), std::to_string(i),
                            "\"x\":\"" + std::string(600, 'x') + "\"") +
                 "\n";
    }
    const std::string file = home.write("events.ndjson", lines);
    const std::string output = curl({url("/v1/events"), "-H", "Content-Type: application/x-ndjson", "-H",
                                     "Expect: 100-continue", "--data-binary", "@" + file});
    EXPECT_THAT(output, HasSubstr("\"accepted\":2000"));
    EXPECT_TRUE(api->wait_for_unique(2'000, patience));
}

TEST_F(clients, like_curl_send_chunks_and_compressed_batches) {
    start();
    const std::string plain = home.write("one.json", event_text("e", "u"));
    EXPECT_THAT(curl({url("/v1/events"), "-H", "Content-Type: application/json", "-H",
                      "Transfer-Encoding: chunked", "--data-binary", "@" + plain}),
                HasSubstr("\n202"));
    home.write("batch.ndjson", event_text("e", "u", "1") + "\n" + event_text("e", "u", "2") + "\n");
    EXPECT_EQ(run({{"gzip", "-k", home / "batch.ndjson"}, {}, ""}).first, 0);
    EXPECT_THAT(curl({url("/v1/events"), "-H", "Content-Type: application/x-ndjson", "-H",
                      "Content-Encoding: gzip", "--data-binary", "@" + (home / "batch.ndjson.gz")}),
                HasSubstr("\"accepted\":2"));
}

TEST_F(clients, like_curl_reuse_their_connection) {
    start();
    command what;
    what.words = {"curl", "-sSv", "--max-time", "20"};
    for (int i = 0; i < 3; ++i) {
        what.words.insert(what.words.end(), {url("/v1/events"), "-H", "Content-Type: application/json", "-d",
                                             event_text("e", "u")});
        if (i < 2) {
            what.words.emplace_back("--next");
        }
    }
    const auto [code, output] = run(what);
    EXPECT_EQ(code, 0);
    EXPECT_THAT(output, HasSubstr("Re-using existing connection"));
}

TEST_F(clients, like_a_proxy_in_front_reach_the_unix_socket) {
    start();
    home.write("nginx.conf", R"(
daemon off;
master_process off;
error_log stderr warn;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream linkrunnerd {
        server unix:)" + (home / "intake.sock") +
                                 R"(;
        keepalive 8;
    }
    server {
        listen unix:)" + (home / "front.sock") +
                                 R"(;
        location / {
            proxy_pass http://linkrunnerd;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            client_max_body_size 8m;
        }
    }
}
)");
    process nginx({{"nginx", "-p", home.path() + "/", "-e", "stderr", "-c", home / "nginx.conf"}, {}, ""});
    const std::string front = "unix:" + (home / "front.sock");
    ASSERT_TRUE(daemon->wait_until([&](running_daemon&) {
        try {
            wire_client probe(front);
            return true;
        } catch (const std::exception&) {
            return false;
        }
    })) << nginx.output();
    wire_client client(front);
    for (int i = 0; i < 100; ++i) {
        const auto answer = client.exchange(
            request_text("POST", "/v1/events", event_text("e", "u" + std::to_string(i)),
                         {{"Content-Type", "application/json"}, {"Host", "events.example.com"}}));
        ASSERT_EQ(answer.status, 202) << answer.body << nginx.output();
    }
    const auto refused = client.exchange(
        request_text("POST", "/api/v1/capture-event", "{}", {{"Content-Type", "application/json"}}));
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(code_of(refused), "missing_field");
    EXPECT_TRUE(api->wait_for_unique(100, patience));
    nginx.signal(SIGQUIT);
    EXPECT_EQ(nginx.wait_exit(), 0) << nginx.output();
}

} // namespace
} // namespace linkrunner::tests
