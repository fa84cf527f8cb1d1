// What is sent: the caller's bytes, with an event_id put in where there was none.
#include "unit/event/parsing.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

namespace linkrunner::event {
namespace {

using ::testing::HasSubstr;

TEST(body, an_event_with_an_id_goes_out_byte_for_byte) {
    const std::string text = "{ \"event_name\" :\t\"a\",\r\n\"user_id\":\"u\",\"event_id\":\"i\",\"n\":[1.0, "
                             "1.00,9007199254740993]}";
    const event taken = accepted(text);
    EXPECT_EQ(taken.body, text);
    EXPECT_EQ(taken.event_id, "i");
}

TEST(body, whitespace_around_the_object_is_left_out) {
    EXPECT_EQ(accepted(" \r\n\t" + event_with("") + "\n\n", no_id_added()).body, event_with(""));
}

TEST(body, a_missing_id_is_put_in_front_and_the_rest_is_untouched) {
    EXPECT_EQ(accepted(R"({"event_name":"a","user_id":"u"})").body,
              R"({"event_id":"made-1","event_name":"a","user_id":"u"})");
    EXPECT_EQ(accepted("{\n  \"event_name\" : \"a\",\n  \"user_id\" : \"u\"\n}").body,
              "{\"event_id\":\"made-1\",\n  \"event_name\" : \"a\",\n  \"user_id\" : \"u\"\n}");
}

TEST(body, a_null_id_gives_way_to_the_new_one_in_its_place) {
    EXPECT_EQ(accepted(R"({"event_name":"a", "event_id" : null ,"user_id":"u"})").body,
              R"({"event_name":"a", "event_id" : "made-1" ,"user_id":"u"})");
    EXPECT_EQ(accepted(R"({"event_name":"a","user_id":"u","event_i\u0064":null})").body,
              R"({"event_name":"a","user_id":"u","event_i\u0064":"made-1"})");
}

TEST(body, without_add_event_id_the_id_is_made_but_not_sent) {
    const std::string text = event_with(R"("event_id":null,)");
    const event taken = accepted(text, no_id_added());
    EXPECT_EQ(taken.body, text);
    EXPECT_EQ(taken.event_id, "made-1");
}

TEST(body, the_idempotency_key_is_the_id_of_an_event_that_has_none) {
    EXPECT_EQ(accepted(event_with(""), {}, "order-7").event_id, "order-7");
    EXPECT_EQ(accepted(event_with(R"("event_id":"own",)"), {}, "order-7").event_id, "own");
}

TEST(body, no_id_is_made_where_one_is_at_hand) {
    counted_ids ids;
    parse_event(event_with(""), "key", {}, ids);
    parse_event(event_with(R"("event_id":"own",)"), "", {}, ids);
    parse_event("{}", "", {}, ids);
    EXPECT_EQ(ids.made(), 0);
}

TEST(body, an_idempotency_key_is_escaped_as_json) {
    const std::string key = "a\"b\\c\x01/\u20AC";
    const event taken = accepted(event_with(""), {}, key);
    EXPECT_EQ(taken.event_id, key);
    EXPECT_EQ(boost::json::parse(taken.body).at("event_id").as_string(), key);
}

TEST(body, an_unusable_idempotency_key_is_refused_by_name) {
    const auto code_of = [](std::string_view key) {
        const violation why = refused(event_with(""), {}, key);
        EXPECT_EQ(why.pointer, "");
        EXPECT_THAT(why.message, HasSubstr("Idempotency-Key"));
        return why.code;
    };
    EXPECT_EQ(code_of(" \t"), "empty_field");
    EXPECT_EQ(code_of(std::string(1025, 'k')), "field_too_long");
    EXPECT_EQ(code_of("caf\xE9"), "invalid_utf8");
    EXPECT_EQ(code_of("\xF0"), "invalid_utf8");
    EXPECT_EQ(code_of(std::string_view("a\0b", 3)), "forbidden_character");
    accepted(event_with(R"("event_id":"own",)"), {}, "\xE9"); // not needed, not looked at
}

TEST(body, size_is_measured_as_it_would_be_sent) {
    const std::string text = event_with("");
    const std::size_t added = std::string_view(R"("event_id":"made-1",)").size();
    parse_options options;
    options.limits.max_event_bytes = text.size() + added;
    accepted("  " + text + std::string(500, ' '), options);
    options.limits.max_event_bytes -= 1;
    const violation why = refused(text, options);
    EXPECT_EQ(why.code, "event_too_large");
    EXPECT_THAT(why.message, HasSubstr(std::to_string(text.size() + added) + " bytes"));
    options.add_event_id = false;
    accepted(text, options);
    options.limits.max_event_bytes = text.size() - 1;
    EXPECT_EQ(refused(text, options).code, "event_too_large");
}

TEST(body, what_is_too_large_is_refused_unread) {
    parse_options options;
    options.limits.max_event_bytes = 10;
    EXPECT_EQ(refused("this is no JSON at all", options).code, "event_too_large");
}

// Random events: members in any order, any whitespace, escapes, odd numbers, ids there or not.
class random_event {
  public:
    explicit random_event(std::uint64_t seed) : engine_(seed) {}

    std::string make() {
        std::vector<std::string> members = {key("event_name") + string(), key("user_id") + string()};
        has_id_ = below(2) == 0;
        if (has_id_) {
            members.push_back(key("event_id") + string());
        } else if (below(3) == 0) {
            members.push_back(key("event_id") + "null");
        }
        if (below(2) == 0) {
            members.push_back(key("event_data") + object(3));
        }
        for (std::uint64_t more = below(4); more > 0; --more) {
            members.push_back(key("x" + std::to_string(below(3))) + value(3));
        }
        std::shuffle(members.begin(), members.end(), engine_);
        return space() + join('{', members, '}') + space();
    }

    bool has_id() const { return has_id_; }

  private:
    std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }

    std::string space() {
        static const std::vector<std::string> spaces = {"", "", "", " ", "\n", "\t ", "\r\n"};
        return spaces[below(spaces.size())];
    }

    std::string key(std::string name) {
        if (below(5) == 0) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(name.front()));
            name.replace(0, 1, escape);
        }
        return "\"" + name + "\"" + space() + ":" + space();
    }

    std::string string() {
        static const std::vector<std::string> parts = {"a",      "{",          "}",       "[",
                                                       "]",      ",",          ":",       "\\\"",
                                                       "\\\\",   "\\n",        "\\u20ac", "\\ud83d\\ude00",
                                                       "\u00E4", "longer text"};
        std::string text = "s";
        for (std::uint64_t more = below(6); more > 0; --more) {
            text += parts[below(parts.size())];
        }
        return "\"" + text + "\"";
    }

    std::string object(int depth) {
        std::vector<std::string> members;
        for (std::uint64_t more = below(4); more > 0; --more) {
            members.push_back(key(below(3) == 0 ? "amount" : "k" + std::to_string(below(9))) +
                              value(depth - 1));
        }
        return join('{', members, '}');
    }

    std::string value(int depth) {
        static const std::vector<std::string> scalars = {
            "null", "true", "false", "0", "-0.0", "1e9", "12.50", "9007199254740993", "1E-30", "\"\""};
        switch (below(depth > 0 ? 4 : 2)) {
        case 0:
            return scalars[below(scalars.size())];
        case 1:
            return string();
        case 2:
            return object(depth);
        default:
            return join('[', {value(depth - 1), value(depth - 1)}, ']');
        }
    }

    std::string join(char open, const std::vector<std::string>& parts, char close) {
        std::string out(1, open);
        for (const std::string& part : parts) {
            out += (out.size() > 1 ? "," : "") + space() + part + space();
        }
        return out + close;
    }

    std::mt19937_64 engine_;
    bool has_id_ = false;
};

std::string trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    return std::string(text.substr(begin, end - begin + 1));
}

TEST(body, of_random_events_keeps_every_byte_and_gains_one_id) {
    for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_event source(seed);
        const std::string text = source.make();
        const event taken = accepted(text);
        const std::string sent = trimmed(text);
        boost::json::value before = boost::json::parse(text);
        const boost::json::value after = boost::json::parse(taken.body);
        if (source.has_id()) {
            ASSERT_EQ(taken.body, sent);
        } else {
            const std::string inserted = "\"event_id\":\"made-1\",";
            if (before.as_object().contains("event_id")) {
                ASSERT_EQ(taken.body.size(), sent.size() + 4);
            } else {
                ASSERT_EQ(taken.body, "{" + inserted + sent.substr(1));
            }
            before.as_object()["event_id"] = "made-1";
        }
        ASSERT_EQ(before, after);
        ASSERT_EQ(after.at("event_name").as_string(), taken.name);

        const event again = accepted(taken.body);
        ASSERT_EQ(again.body, taken.body);
        ASSERT_EQ(again.event_id, taken.event_id);
        ASSERT_EQ(again.identity, taken.identity);
        ASSERT_EQ(again.user_key, taken.user_key);
        ASSERT_EQ(again.has_amount, taken.has_amount);
    }
}

} // namespace
} // namespace linkrunner::event
