#include "check.hpp"

#include "env/disk.hpp"
#include "exit_codes.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace linkrunner::daemon {

namespace {

int failed(int code, const error& why) {
    std::fprintf(stderr, "linkrunnerd: spool: %s\n", why.message.c_str());
    return code;
}

int check_spool(const std::string& directory) {
    const auto files = make_posix_disk();
    const auto names = files->list(directory);
    if (names.has_error()) {
        if (names.error().code == std::errc::no_such_file_or_directory) {
            std::printf("spool %s does not exist yet and will be made\n", directory.c_str());
            return exit_clean;
        }
        return failed(exit_spool, names.error());
    }
    if (std::ranges::find(*names, "lock") != names->end()) {
        if (const auto lock = files->lock(directory + "/lock"); lock.has_error()) {
            const bool in_use = lock.error().code == std::errc::device_or_resource_busy;
            return failed(in_use ? exit_spool_in_use : exit_spool, lock.error());
        }
    }
    for (const std::string& name : *names) {
        if (const auto file = files->open(directory + "/" + name, disk::mode::read); file.has_error()) {
            return failed(exit_spool, file.error());
        }
    }
    const auto segments =
        std::ranges::count_if(*names, [](const std::string& name) { return name.ends_with(".log"); });
    std::printf("spool %s is readable and not in use, segments: %td\n", directory.c_str(), segments);
    return exit_clean;
}

} // namespace

int check(const config::loaded& configuration) {
    for (const std::string& note : configuration.notes) {
        std::fprintf(stderr, "linkrunnerd: note: %s\n", note.c_str());
    }
    std::puts("configuration is valid");
    return check_spool(configuration.values.spool.directory);
}

} // namespace linkrunner::daemon
