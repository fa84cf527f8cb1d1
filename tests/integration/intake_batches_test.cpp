// Batches: arrays, NDJSON, gzip; what is accepted, what is rejected and how it is said.
#include "support/daemon_test.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

namespace linkrunner::tests {
namespace {

using testing::ElementsAre;

class intake_batches : public daemon_test {
  protected:
    http_answer post_lines(const std::string& lines, header_list headers = {}) {
        headers.emplace_back("Content-Type", "application/x-ndjson");
        return daemon->post(lines, "/v1/events", headers);
    }

    std::vector<std::string> ids_received() {
        std::vector<std::string> out;
        for (const auto& event : api->events()) {
            out.push_back(event.event_id);
        }
        return out;
    }
};

std::string gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST_F(intake_batches, of_good_events_are_accepted_whole) {
    start();
    const auto answer =
        daemon->post("[" + event_text("a", "u", "1") + ", " + event_text("b", "u", "2") + "\n]");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 2);
    EXPECT_EQ(number_at(answer, "/data/duplicates"), 0);
    EXPECT_EQ(text_at(answer, "/data/event_ids/0"), "1");
    EXPECT_EQ(text_at(answer, "/data/event_ids/1"), "2");
    EXPECT_TRUE(parsed(answer).at("data").at("rejected").as_array().empty());
    ASSERT_TRUE(api->wait_for_unique(2, patience));
    EXPECT_THAT(ids_received(), ElementsAre("1", "2"));
}

TEST_F(intake_batches, of_lines_may_have_blank_lines_and_no_end) {
    start();
    const auto answer = post_lines("\n" + event_text("a", "u", "1") + "\r\n\r\n" + event_text("b", "u", "2"));
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 2);
}

TEST_F(intake_batches, with_bad_events_say_which_and_why) {
    start();
    const auto answer = post_lines(event_text("a", "u", "1") + "\n{\"event_name\":\"b\"}\nnot json\n" +
                                   event_text("c", "u", "3") + "\n");
    EXPECT_EQ(answer.status, 207);
    EXPECT_EQ(number_at(answer, "/status"), 207);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 2);
    EXPECT_EQ(number_at(answer, "/data/rejected/0/index"), 1);
    EXPECT_EQ(text_at(answer, "/data/rejected/0/code"), "missing_field");
    EXPECT_EQ(text_at(answer, "/data/rejected/0/pointer"), "/user_id");
    EXPECT_NE(text_at(answer, "/data/rejected/0/msg"), "");
    EXPECT_EQ(number_at(answer, "/data/rejected/1/index"), 2);
    EXPECT_EQ(text_at(answer, "/data/rejected/1/code"), "malformed_json");
    EXPECT_TRUE(parsed(answer).at("data").at("event_ids").at(1).is_null());
    EXPECT_EQ(text_at(answer, "/data/event_ids/3"), "3");
    EXPECT_TRUE(api->wait_for_unique(2, patience));
}

TEST_F(intake_batches, of_bad_events_only_are_a_bad_request) {
    start();
    const auto answer = daemon->post("[{}, 7]");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(number_at(answer, "/data/accepted"), 0);
    EXPECT_EQ(text_at(answer, "/data/rejected/1/code"), "not_an_object");
}

TEST_F(intake_batches, that_are_not_json_are_refused_whole) {
    start();
    const auto answer = daemon->post("[" + event_text("a", "u") + ",\n {oops}]");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(code_of(answer), "malformed_json");
    EXPECT_EQ(number_at(answer, "/data/line"), 2);
    EXPECT_EQ(daemon->ledger("accepted"), 0U);
}

TEST_F(intake_batches, over_the_limit_are_refused_whole) {
    start({{"intake.max_batch", "3"}});
    const std::string one = event_text("a", "u") + "\n";
    EXPECT_EQ(post_lines(one + one + one).status, 202);
    const auto answer = post_lines(one + one + one + one);
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(code_of(answer), "batch_too_large");
    EXPECT_EQ(daemon->ledger("accepted"), 3U);
}

TEST_F(intake_batches, may_be_compressed) {
    start();
    std::string lines;
    for (int i = 0; i < 500; ++i) {
        lines += event_text("a", "u", "id-" + std::to_string(i)) + "\n";
    }
    const auto answer = post_lines(gzip(lines), {{"Content-Encoding", "gzip"}});
    EXPECT_EQ(answer.status, 202) << answer.body;
    EXPECT_EQ(number_at(answer, "/data/accepted"), 500);
    EXPECT_TRUE(api->wait_for_unique(500, patience));
}

TEST_F(intake_batches, that_inflate_too_far_are_refused) {
    start({{"intake.max_body", "100kB"}, {"intake.max_event", "50kB"}});
    const auto answer = post_lines(gzip(std::string(10'000'000, '\n')), {{"Content-Encoding", "gzip"}});
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(code_of(answer), "body_too_large");
    std::string cut = gzip(event_text("a", "u"));
    cut.resize(cut.size() - 4);
    EXPECT_EQ(code_of(post_lines(cut, {{"Content-Encoding", "gzip"}})), "bad_gzip");
}

TEST_F(intake_batches, keep_the_order_of_a_users_events) {
    start();
    std::string lines;
    for (int i = 0; i < 200; ++i) {
        lines += event_text("step", "u", std::to_string(i)) + "\n";
    }
    EXPECT_EQ(post_lines(lines).status, 202);
    ASSERT_TRUE(api->wait_for_unique(200, patience));
    const auto ids = ids_received();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        ASSERT_EQ(ids[i], std::to_string(i));
    }
}

} // namespace
} // namespace linkrunner::tests
