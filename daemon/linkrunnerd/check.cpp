#include "check.hpp"

#include "env/disk.hpp"
#include "exit_codes.hpp"
#include "spool/inspection.hpp"
#include "spool_report.hpp"
#include "translate.hpp"

#include <cstdio>
#include <string>

namespace linkrunner::daemon {

namespace {

int failed(int code, const std::string& why) {
    std::fflush(stdout); // in one file, too, it stands after what it is about
    std::fprintf(stderr, "linkrunnerd: spool: %s\n", why.c_str());
    return code;
}

// Who holds the spool; empty when nobody does. The lock is let go at once: a look must keep no daemon from
// starting.
result<std::string> user_of(const std::string& directory) {
    const auto lock = share_lock(directory + "/lock");
    if (lock || lock.error().code == std::errc::no_such_file_or_directory) {
        return std::string();
    }
    if (lock.error().code == std::errc::device_or_resource_busy) {
        return lock.error().message;
    }
    return lock.error();
}

struct seen {
    std::string user; // empty: not in use
    spool::inspection what;
};

result<seen> look_at(const config::settings& settings, disk& files) {
    const std::string& directory = settings.spool.directory;
    const system_clock time;
    for (;;) {
        auto before = user_of(directory);
        if (!before) {
            return before.error();
        }
        auto found = spool::inspect(spool_settings(settings), files, time, !before->empty());
        if (!found) {
            return found.error();
        }
        const auto after = user_of(directory);
        if (before->empty() && after && !after->empty()) {
            continue; // a daemon was started meanwhile: what was seen may be half of its recovery
        }
        return seen{std::move(*before), std::move(*found)};
    }
}

bool missing(const error& why) {
    return why.code == std::errc::no_such_file_or_directory;
}

int check_spool(const config::settings& settings) {
    const auto files = make_posix_disk();
    const auto found = look_at(settings, *files);
    if (!found) {
        if (missing(found.error())) {
            std::printf("spool %s does not exist yet and will be made\n", settings.spool.directory.c_str());
            return exit_clean;
        }
        return failed(exit_spool, found.error().message);
    }
    std::printf("spool %s, %s\n%s", settings.spool.directory.c_str(),
                found->user.empty() ? "not in use" : "as it was at one moment beside the running daemon",
                describe(found->what, settings).c_str());
    for (const spool::damage& each : found->what.damaged) {
        (void)failed(0, describe(each));
    }
    for (const std::string& each : found->what.audit.differences) {
        (void)failed(0, each);
    }
    if (!found->what.well()) {
        return failed(exit_spool,
                      "damaged. A start goes on with all that can be read; a clean copy of it is made by "
                      "linkrunnerd --repair <new directory>");
    }
    if (!found->user.empty()) {
        std::puts("every file reads as it was written");
        return failed(exit_spool_in_use, found->user);
    }
    std::puts("all is well");
    return exit_clean;
}

} // namespace

int check(const config::loaded& configuration) {
    for (const std::string& note : configuration.notes) {
        std::fprintf(stderr, "linkrunnerd: note: %s\n", note.c_str());
    }
    std::puts("configuration is valid");
    return check_spool(configuration.values);
}

int audit(const config::loaded& configuration) {
    const config::settings& settings = configuration.values;
    const auto files = make_posix_disk();
    const auto found = look_at(settings, *files);
    if (!found) {
        return failed(exit_spool, found.error().message);
    }
    if (!found->user.empty()) {
        return failed(exit_spool_in_use,
                      found->user + ". Ask that daemon: GET /v1/audit on its control socket");
    }
    const spool::audit_report& report = found->what.audit;
    std::printf("kept:      %s\nrecounted: %s\n", describe(report.known).c_str(),
                describe(report.recounted).c_str());
    std::printf("from %llu events and %llu marks in %llu segments\n",
                static_cast<unsigned long long>(report.frames), static_cast<unsigned long long>(report.marks),
                static_cast<unsigned long long>(report.segments));
    for (const spool::damage& each : found->what.damaged) {
        std::printf("damaged: %s\n", describe(each).c_str());
    }
    for (const std::string& each : report.differences) {
        (void)failed(0, each);
    }
    if (!report.holds()) {
        return failed(exit_spool, "the ledger does not hold");
    }
    std::puts("the ledger holds");
    return exit_clean;
}

} // namespace linkrunner::daemon
