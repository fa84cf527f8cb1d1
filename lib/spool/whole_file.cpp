#include "spool/whole_file.hpp"

namespace linkrunner::spool {

result<std::string> read_whole(disk& files, const std::string& path) {
    auto file = files.open(path, disk::mode::read);
    if (!file) {
        return file.error();
    }
    const auto size = (*file)->size();
    if (!size) {
        return size.error();
    }
    std::string content(*size, '\0');
    const auto got = (*file)->read_at(0, content);
    if (!got) {
        return got.error();
    }
    content.resize(*got);
    return content;
}

namespace {

result<void> write_new(disk& files, const std::string& path, std::string_view content) {
    auto file = files.open(path, disk::mode::create_new);
    if (!file) {
        return file.error();
    }
    if (auto written = (*file)->write_at(0, content); !written) {
        return written;
    }
    return (*file)->sync();
}

} // namespace

result<void> write_whole(disk& files, const std::string& directory, const std::string& name,
                         std::string_view content) {
    const std::string path = directory + "/" + name;
    const std::string unfinished = path + ".tmp";
    (void)files.remove(unfinished); // left by an earlier attempt
    auto done = write_new(files, unfinished, content);
    if (done) {
        done = files.rename(unfinished, path);
    }
    if (!done) {
        (void)files.remove(unfinished);
        return done;
    }
    return files.sync_directory(directory);
}

} // namespace linkrunner::spool
