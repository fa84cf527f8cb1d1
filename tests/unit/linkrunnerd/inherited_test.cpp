// Sockets of the service manager, by name.
#include "linkrunnerd/inherited.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace linkrunner::daemon {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

net::inherited_socket passed(int descriptor, std::string name, std::string address = "unix:/run/s") {
    return {descriptor, std::move(name), std::move(address)};
}

auto numbers(const std::vector<net::inherited_socket>& list) {
    std::vector<int> out;
    for (const auto& each : list) {
        out.push_back(each.descriptor);
    }
    return out;
}

TEST(inherited_sockets, are_sorted_by_the_name_that_their_unit_gives_them) {
    const auto sorted =
        sort_by_name({passed(3, "control"), passed(4, "intake", "127.0.0.1:7417"), passed(5, "observe"),
                      passed(6, "intake"), passed(7, "linkrunnerd.socket"), passed(8, "unknown")});
    ASSERT_TRUE(sorted.has_value());
    EXPECT_THAT(numbers(sorted->intake), ElementsAre(4, 6, 7, 8));
    EXPECT_THAT(numbers(sorted->observe), ElementsAre(5));
    EXPECT_THAT(numbers(sorted->control), ElementsAre(3));
}

TEST(inherited_sockets, of_another_name_are_a_mistake_that_says_which_names_there_are) {
    const auto sorted = sort_by_name({passed(3, "intake"), passed(4, "inteak")});
    ASSERT_TRUE(sorted.has_error());
    EXPECT_THAT(sorted.error().message, HasSubstr("'inteak'; FileDescriptorName= of its unit must be intake, "
                                                  "observe or control"));
}

TEST(inherited_sockets, for_control_are_guarded_by_the_file_system) {
    EXPECT_THAT(sort_by_name({passed(3, "control", "127.0.0.1:9")}).error().message,
                HasSubstr("passes 127.0.0.1:9 as the control socket, which must be a Unix socket"));
    EXPECT_TRUE(sort_by_name({passed(3, "control", "")}).has_error());
}

TEST(inherited_sockets, make_addresses_useless_which_is_said_of_those_that_were_given) {
    inherited_sockets sockets;
    sockets.intake.push_back(passed(3, "intake"));
    sockets.control.push_back(passed(4, "control"));
    EXPECT_THAT(unused_addresses(sockets, [](auto) { return true; }),
                ElementsAre("intake.listen is not used: the service manager listens",
                            "control.listen is not used: the service manager listens"));
    EXPECT_THAT(unused_addresses(sockets, [](auto key) { return key == "control.listen"; }),
                ElementsAre("control.listen is not used: the service manager listens"));
    EXPECT_THAT(unused_addresses({}, [](auto) { return true; }), ElementsAre());
}

} // namespace
} // namespace linkrunner::daemon
