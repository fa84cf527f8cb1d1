// What the service manager hears, on virtual time.
#include "linkrunnerd/service_reports.hpp"

#include "support/datagram_inbox.hpp"
#include "support/virtual_loop.hpp"

#include <unistd.h>

namespace linkrunner::daemon {
namespace {

using namespace std::chrono_literals;

class service_reports_test : public testing::Test {
  protected:
    int heard() const {
        int count = 0;
        while (!inbox.next().empty()) {
            ++count;
        }
        return count;
    }

    const std::string address = "@linkrunner-reports-" + std::to_string(::getpid());
    tests::datagram_inbox inbox{address};
    net::notifier manager{address};
    test::virtual_clock time;
    test::virtual_loop loop{time};
};

TEST_F(service_reports_test, feed_the_watchdog_at_half_of_its_interval) {
    service_reports reports(manager, loop, time, 1s);
    reports.start();
    EXPECT_EQ(inbox.next(), "WATCHDOG=1\n");
    loop.run_for(499ms);
    EXPECT_EQ(inbox.next(), "");
    loop.run_for(2ms);
    EXPECT_EQ(inbox.next(), "WATCHDOG=1\n");
    for (int second = 0; second < 10; ++second) {
        loop.run_for(1s);
        EXPECT_EQ(heard(), 2);
    }
}

TEST_F(service_reports_test, feed_no_watchdog_that_is_not_there) {
    service_reports reports(manager, loop, time, std::nullopt);
    reports.start();
    loop.run_for(1min);
    EXPECT_EQ(heard(), 0);
}

TEST_F(service_reports_test, tell_the_status_when_it_has_changed) {
    service_reports reports(manager, loop, time, std::nullopt);
    reports.status("healthy: 1 waiting");
    reports.status("healthy: 1 waiting");
    EXPECT_EQ(inbox.next(), "STATUS=healthy: 1 waiting\n");
    EXPECT_EQ(inbox.next(), "");
    reports.status("healthy: 2 waiting");
    EXPECT_EQ(inbox.next(), "STATUS=healthy: 2 waiting\n");
}

} // namespace
} // namespace linkrunner::daemon
