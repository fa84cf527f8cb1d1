#include "repair.hpp"

#include "env/disk.hpp"
#include "exit_codes.hpp"
#include "spool/salvage.hpp"
#include "spool_report.hpp"
#include "translate.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace linkrunner::daemon {

namespace {

int failed(int code, const std::string& why) {
    std::fprintf(stderr, "linkrunnerd: repair: %s\n", why.c_str());
    return code;
}

// Whether `inner` is `outer` or lies in it, as far as both can be resolved.
bool lies_in(const std::string& inner, const std::string& outer) {
    namespace fs = std::filesystem;
    std::error_code failure;
    const fs::path in = fs::weakly_canonical(fs::absolute(inner), failure);
    const fs::path out = fs::weakly_canonical(fs::absolute(outer), failure);
    const auto [rest, ignored] = std::mismatch(out.begin(), out.end(), in.begin(), in.end());
    return rest == out.end();
}

void print(const spool::salvage_report& report, const config::settings& settings, const std::string& into) {
    std::printf("read from %s:\n%s", settings.spool.directory.c_str(),
                describe(report.source, settings).c_str());
    for (const spool::damage& each : report.source.damaged) {
        std::printf("  not saved: %s\n", describe(each).c_str());
    }
    for (const std::string& each : report.notes) {
        std::printf("  %s\n", each.c_str());
    }
    std::printf("written to %s, and read again:\n%s", into.c_str(), describe(report.copy, settings).c_str());
    std::printf(
        "the copy is clean. To use it, make it spool.directory, or move it there with the daemon stopped; it "
        "must belong to the daemon's user\n");
}

} // namespace

int repair(const config::loaded& configuration, const std::string& into) {
    const config::settings& settings = configuration.values;
    const std::string& directory = settings.spool.directory;
    if (lies_in(into, directory)) {
        return failed(exit_spool, into + " is in the spool directory, which is not to be changed");
    }
    // Held until the copy is made: no daemon starts on what is being read.
    const auto lock = share_lock(directory + "/lock");
    if (!lock && lock.error().code != std::errc::no_such_file_or_directory) {
        const bool in_use = lock.error().code == std::errc::device_or_resource_busy;
        return failed(in_use ? exit_spool_in_use : exit_spool, lock.error().message);
    }
    const auto files = make_posix_disk();
    const system_clock time;
    system_random random;
    const auto report = spool::salvage(spool_settings(settings), into, *files, time, random);
    if (!report) {
        return failed(exit_spool, report.error().message);
    }
    print(*report, settings, into);
    return exit_clean;
}

} // namespace linkrunner::daemon
