// Files open for reading: few at a time, however many segments there are. Disk thread.
#pragma once

#include "env/disk.hpp"

#include <list>
#include <memory>
#include <string>

namespace linkrunner::spool {

class file_cache {
  public:
    file_cache(disk& files, std::size_t limit) : disk_(files), limit_(limit) {}

    // The file, opened if it is not open; it stays open at least until the next call.
    result<disk_file*> get(const std::string& path) {
        for (auto each = open_.begin(); each != open_.end(); ++each) {
            if (each->path == path) {
                open_.splice(open_.begin(), open_, each);
                return open_.front().file.get();
            }
        }
        if (open_.size() >= limit_) {
            open_.pop_back();
        }
        auto file = disk_.open(path, disk::mode::read);
        if (!file) {
            return file.error();
        }
        open_.push_front({path, std::move(*file)});
        return open_.front().file.get();
    }

    // To be called when the file of that name becomes another one.
    void forget(const std::string& path) {
        open_.remove_if([&](const entry& each) { return each.path == path; });
    }

  private:
    struct entry {
        std::string path;
        std::unique_ptr<disk_file> file;
    };

    disk& disk_;
    std::size_t limit_;
    std::list<entry> open_; // the last used first
};

} // namespace linkrunner::spool
