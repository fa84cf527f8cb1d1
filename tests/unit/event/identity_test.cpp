#include "unit/event/parsing.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace linkrunner::event {
namespace {

std::string text_of(const std::string& name, const std::string& user, const std::string& id) {
    return R"({"event_name":")" + name + R"(","user_id":")" + user + R"(","event_id":")" + id + "\"}";
}

TEST(identity, is_made_of_name_user_and_id) {
    const event base = accepted(text_of("a", "u", "i"));
    EXPECT_EQ(accepted(text_of("a", "u", "i")).identity, base.identity);
    EXPECT_NE(accepted(text_of("b", "u", "i")).identity, base.identity);
    EXPECT_NE(accepted(text_of("a", "v", "i")).identity, base.identity);
    EXPECT_NE(accepted(text_of("a", "u", "j")).identity, base.identity);
}

TEST(identity, does_not_confuse_neighbouring_fields) {
    EXPECT_NE(accepted(text_of("ab", "c", "d")).identity, accepted(text_of("a", "bc", "d")).identity);
    EXPECT_NE(accepted(text_of("a", "b", "cd")).identity, accepted(text_of("a", "bc", "d")).identity);
}

TEST(identity, is_hash128_of_the_path_and_the_unescaped_texts) {
    parse_options options;
    options.hash_seed = 77;
    const event taken = accepted(text_of("\\u0061", "u", "i"), options);
    EXPECT_EQ(taken.identity, hash128(77, {"/capture-event", "a", "user_id", "u", "i"}));
    EXPECT_EQ(taken.user_key, hash64(77, "u"));
}

TEST(identity, of_a_user_is_not_that_of_an_installation_of_the_same_name) {
    const event user = accepted(R"({"event_name":"a","user_id":"u","event_id":"i"})");
    const event installation = accepted(R"({"event_name":"a","install_instance_id":"u","event_id":"i"})");
    EXPECT_NE(user.identity, installation.identity);
    EXPECT_NE(user.user_key, installation.user_key);
}

TEST(identity, depends_on_the_seed) {
    parse_options options;
    options.hash_seed = 1;
    const event one = accepted(text_of("a", "u", "i"), options);
    options.hash_seed = 2;
    const event two = accepted(text_of("a", "u", "i"), options);
    EXPECT_NE(one.identity, two.identity);
    EXPECT_NE(one.user_key, two.user_key);
    EXPECT_NE(one.body_hash, two.body_hash);
}

TEST(identity, user_id_counts_before_install_instance_id) {
    const event both = accepted(event_with(R"("install_instance_id":"i",)"));
    const event user = accepted(event_with(""));
    const event install = accepted(R"({"event_name":"a","install_instance_id":"i"})");
    EXPECT_EQ(both.user_key, user.user_key);
    EXPECT_NE(both.user_key, install.user_key);
}

TEST(body_hash, is_of_the_text_as_it_was_sent_without_surrounding_space) {
    const event first = accepted(event_with(""), {}, "k");
    EXPECT_EQ(first.body_hash, hash64(0, event_with("")));
    EXPECT_EQ(accepted("\n" + event_with("") + " ", {}, "k").body_hash, first.body_hash);
    EXPECT_EQ(accepted(event_with(""), {}, "other").body_hash, first.body_hash);
    EXPECT_NE(accepted(event_with("\"x\":1,"), {}, "k").body_hash, first.body_hash);
    EXPECT_NE(accepted(event_with(" "), {}, "k").body_hash, first.body_hash);
}

// From Python: uuid.uuid5(uuid.UUID("5dd5adbf-421c-4151-9602-56d2493f2f19"), "order-7:0")
TEST(derived_id, is_the_version_5_uuid_of_key_and_index) {
    EXPECT_EQ(derived_id("order-7", 0), "0440fe1e-ebf6-5bf1-80c4-f48f0afb684e");
    EXPECT_EQ(derived_id("order-7", 12), "17f0c0de-b0e8-5810-9b05-0f72cdd89546");
    EXPECT_EQ(derived_id("", 0), "7c1d8eb7-d57d-5034-8537-5ae79252d0d7");
}

TEST(derived_id, differs_by_key_and_index) {
    std::set<std::string> ids;
    for (const char* const key : {"a", "b", "a:1", "a:", ":", ""}) {
        for (const std::size_t index : {0U, 1U, 2U, 10U, 11U, 110U}) {
            ids.insert(derived_id(key, index));
        }
    }
    EXPECT_EQ(ids.size(), 36u);
}

} // namespace
} // namespace linkrunner::event
