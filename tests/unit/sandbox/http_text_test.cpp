#include "sandbox/http_text.hpp"

#include <gtest/gtest.h>

namespace linkrunner::sandbox {
namespace {

constexpr std::string_view whole = "POST /x?y=1 HTTP/1.1\r\nHost: h\r\nLINKRUNNER-KEY:  secret \r\n"
                                   "Content-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";

TEST(request_head, is_read_with_its_headers_in_any_case) {
    request_head head;
    ASSERT_EQ(read_head(whole, head), framing::complete);
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/x?y=1");
    EXPECT_EQ(head.key, "secret");
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.content_length, 5U);
    EXPECT_EQ(head.size, whole.size() - 5);
    EXPECT_FALSE(head.close);
}

TEST(request_head, is_incomplete_at_every_shorter_length) {
    request_head head;
    for (std::size_t size = 0; size < whole.size() - 5; ++size) {
        EXPECT_EQ(read_head(whole.substr(0, size), head), framing::incomplete) << size;
    }
}

TEST(request_head, that_is_malformed_is_said_to_be) {
    request_head head;
    for (const char* text :
         {"GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nnocolon\r\n\r\n",
          "GET / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n", "\r\n\r\n",
          "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
        EXPECT_EQ(read_head(text, head), framing::malformed) << text;
    }
}

TEST(request_head, says_whether_the_connection_is_to_be_closed) {
    request_head head;
    read_head("GET / HTTP/1.0\r\n\r\n", head);
    EXPECT_TRUE(head.close);
    read_head("GET / HTTP/1.1\r\nConnection: Close\r\nExpect: 100-Continue\r\n\r\n", head);
    EXPECT_TRUE(head.close);
    EXPECT_TRUE(head.expects_continue);
}

TEST(chunked_body, is_decoded_with_extensions_and_trailers) {
    constexpr std::string_view text = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\nrest";
    std::string body;
    std::size_t used = 0;
    ASSERT_EQ(read_chunked(text, body, used), framing::complete);
    EXPECT_EQ(body, "hello world");
    EXPECT_EQ(text.substr(used), "rest");
    for (std::size_t size = 0; size < used; ++size) {
        EXPECT_EQ(read_chunked(text.substr(0, size), body, used), framing::incomplete) << size;
    }
    EXPECT_EQ(read_chunked("0\r\n\r\n", body, used), framing::complete);
    EXPECT_EQ(used, 5U);
}

TEST(chunked_body, that_is_malformed_is_said_to_be) {
    std::string body;
    std::size_t used = 0;
    EXPECT_EQ(read_chunked("x\r\n", body, used), framing::malformed);
    EXPECT_EQ(read_chunked("5\r\nhelloXX", body, used), framing::malformed);
    EXPECT_EQ(read_chunked("ffffffffff\r\n", body, used), framing::malformed);
}

TEST(http_date, has_the_fixed_form) {
    EXPECT_EQ(http_date(wall_time(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(iso_time(wall_time(std::chrono::milliseconds(784111777012))), "1994-11-06T08:49:37.012Z");
}

TEST(query_value, decodes_what_it_finds) {
    EXPECT_EQ(query_value("a=1&b=x%2Ay+z&c", "b"), "x*y z");
    EXPECT_EQ(query_value("a=1", "b"), "");
    EXPECT_EQ(query_value("b=%zz", "b"), "%zz");
}

} // namespace
} // namespace linkrunner::sandbox
