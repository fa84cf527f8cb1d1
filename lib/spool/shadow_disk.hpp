// A disk that reads another one and keeps every change to itself, in memory: recovery can be tried on a
// directory without touching it, and what it would have written can be read back. For inspection and repair;
// used by one thread.
#pragma once

#include "env/disk.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::spool {

class shadow_disk final : public disk {
  public:
    explicit shadow_disk(disk& files) : disk_(files) {}

    // From now on the file reads as it is now, whatever others write to it. Takes its size in memory.
    result<void> freeze(const std::string& path);

    result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) override;
    result<void> rename(const std::string& from, const std::string& to) override;
    result<void> remove(const std::string& path) override;
    result<std::vector<std::string>> list(const std::string& directory) override;
    result<void> make_directory(const std::string&) override { return {}; }
    result<void> sync_directory(const std::string&) override { return {}; }
    result<std::uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }
    result<std::unique_ptr<disk_file>> lock(const std::string& path) override;

  private:
    // What became of a file here. Later patches cover earlier ones.
    struct change {
        bool removed = false;
        bool made_here = false;
        std::string content_of; // the file of this name below, unless made here
        std::optional<std::uint64_t> size_bytes;
        std::vector<std::pair<std::uint64_t, std::string>> patches;
    };
    class file;

    std::shared_ptr<change> look(const std::string& path);

    disk& disk_;
    std::map<std::string, std::shared_ptr<change>> changes_;
};

} // namespace linkrunner::spool
