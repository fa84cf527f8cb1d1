#include "delivery/outcome.hpp"

#include <gtest/gtest.h>

#include <map>

namespace linkrunner::delivery {
namespace {

attempt_end status(int number, bool sent_whole = true) {
    attempt_end out;
    out.status = number;
    out.sent_whole = sent_whole;
    return out;
}

TEST(outcome, classifies_every_status_as_the_table_says) {
    const std::map<int, outcome> special = {
        {401, outcome::unauthorized},  {403, outcome::unauthorized},  {402, outcome::suspended},
        {404, outcome::misconfigured}, {405, outcome::misconfigured}, {407, outcome::misconfigured},
        {415, outcome::misconfigured}, {421, outcome::misconfigured}, {501, outcome::misconfigured},
        {511, outcome::misconfigured}, {408, outcome::transient},     {425, outcome::transient},
        {429, outcome::throttled}};
    for (int number = 0; number < 1000; ++number) {
        outcome expected = outcome::transient; // no answer, 1xx, 5xx, and what is no status
        if (special.contains(number)) {
            expected = special.at(number);
        } else if (number >= 200 && number < 300) {
            expected = outcome::delivered;
        } else if (number >= 300 && number < 400) {
            expected = outcome::misconfigured;
        } else if (number >= 400 && number < 500) {
            expected = outcome::rejected;
        }
        EXPECT_EQ(classify(status(number)), expected) << number;
        EXPECT_EQ(classify(status(number, false)), expected) << number;
    }
}

TEST(outcome, is_ambiguous_when_sent_whole_and_unanswered_or_500_502_504) {
    for (const int number : {0, 500, 502, 504}) {
        EXPECT_TRUE(is_ambiguous(status(number))) << number;
        EXPECT_FALSE(is_ambiguous(status(number, false))) << number;
    }
    for (const int number :
         {200, 201, 204, 301, 400, 401, 402, 404, 408, 413, 425, 429, 501, 503, 507, 511}) {
        EXPECT_FALSE(is_ambiguous(status(number))) << number;
    }
}

TEST(outcome, has_a_word_for_each) {
    const std::map<outcome, std::string> words = {
        {outcome::delivered, "delivered"},         {outcome::rejected, "rejected"},
        {outcome::unauthorized, "unauthorized"},   {outcome::suspended, "suspended"},
        {outcome::misconfigured, "misconfigured"}, {outcome::throttled, "throttled"},
        {outcome::transient, "transient"}};
    for (const auto& [what, word] : words) {
        EXPECT_EQ(word_for(what), word);
    }
}

} // namespace
} // namespace linkrunner::delivery
