// A disk in memory that keeps everything, counts its calls, and fails those it is told to.
#pragma once

#include "env/disk.hpp"

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace linkrunner::test {

class memory_disk final : public disk {
  public:
    // Asked before each call ("write", "sync", "open", ...) with the path: an errno fails it.
    std::function<int(std::string_view call, const std::string& path)> failing;
    std::map<std::string, std::shared_ptr<std::string>> files;
    std::map<std::string, int> calls;
    std::uint64_t capacity = ~std::uint64_t{0}; // of all files together

    result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) override {
        if (const int number = fails("open", path)) {
            return system_failure(number, "open " + path);
        }
        auto found = files.find(path);
        if (how == mode::create_new && found != files.end()) {
            return system_failure(EEXIST, "open " + path);
        }
        if (how == mode::create_new) {
            found = files.emplace(path, std::make_shared<std::string>()).first;
        }
        if (found == files.end()) {
            return system_failure(ENOENT, "open " + path);
        }
        return std::unique_ptr<disk_file>(std::make_unique<file>(*this, path, found->second));
    }
    result<void> rename(const std::string& from, const std::string& to) override {
        if (const int number = fails("rename", from)) {
            return system_failure(number, "rename " + from);
        }
        const auto found = files.find(from);
        if (found == files.end()) {
            return system_failure(ENOENT, "rename " + from);
        }
        auto content = found->second;
        files.erase(found);
        files[to] = std::move(content);
        return {};
    }
    result<void> remove(const std::string& path) override {
        if (const int number = fails("remove", path)) {
            return system_failure(number, "remove " + path);
        }
        if (files.erase(path) == 0) {
            return system_failure(ENOENT, "remove " + path);
        }
        return {};
    }
    result<std::vector<std::string>> list(const std::string& directory) override {
        std::vector<std::string> names;
        for (const auto& [path, content] : files) {
            if (path.starts_with(directory + "/")) {
                names.push_back(path.substr(directory.size() + 1));
            }
        }
        return names;
    }
    result<void> make_directory(const std::string&) override { return {}; }
    result<void> sync_directory(const std::string& path) override {
        if (const int number = fails("sync_directory", path)) {
            return system_failure(number, "sync " + path);
        }
        return {};
    }
    result<std::uint64_t> free_bytes(const std::string&) override { return capacity - used(); }
    result<std::unique_ptr<disk_file>> lock(const std::string& path) override {
        if (locked_.lock()) {
            return make_error(std::errc::device_or_resource_busy, path + ": in use");
        }
        auto held = std::make_shared<std::string>();
        locked_ = held;
        return std::unique_ptr<disk_file>(std::make_unique<file>(*this, path, held));
    }

    std::uint64_t used() const {
        std::uint64_t sum = 0;
        for (const auto& [path, content] : files) {
            sum += content->size();
        }
        return sum;
    }
    // The only file whose name ends so.
    std::string& content(std::string_view suffix) {
        for (auto& [path, bytes] : files) {
            if (path.ends_with(suffix)) {
                return *bytes;
            }
        }
        throw std::out_of_range(std::string(suffix));
    }
    std::size_t count(std::string_view suffix) const {
        std::size_t found = 0;
        for (const auto& [path, bytes] : files) {
            found += path.ends_with(suffix) ? 1 : 0;
        }
        return found;
    }

  private:
    class file final : public disk_file {
      public:
        file(memory_disk& owner, std::string path, std::shared_ptr<std::string> content)
            : owner_(owner), path_(std::move(path)), content_(std::move(content)) {}

        result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
            if (const int number = owner_.fails("read", path_)) {
                return system_failure(number, "read " + path_);
            }
            if (offset >= content_->size()) {
                return std::size_t{0};
            }
            return content_->copy(into.data(), into.size(), offset);
        }
        result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
            if (const int number = owner_.fails("write", path_)) {
                put(offset, bytes.substr(0, bytes.size() / 2));
                return system_failure(number, "write " + path_);
            }
            const std::uint64_t end = offset + bytes.size();
            const std::uint64_t growth = end > content_->size() ? end - content_->size() : 0;
            if (owner_.used() + growth > owner_.capacity) {
                const std::uint64_t fits = owner_.capacity - std::min(owner_.capacity, owner_.used());
                put(offset, bytes.substr(0, bytes.size() - growth + fits));
                return system_failure(ENOSPC, "write " + path_);
            }
            put(offset, bytes);
            return {};
        }
        result<void> sync() override {
            if (const int number = owner_.fails("sync", path_)) {
                return system_failure(number, "fdatasync " + path_);
            }
            return {};
        }
        result<void> truncate(std::uint64_t size_bytes) override {
            if (const int number = owner_.fails("truncate", path_)) {
                return system_failure(number, "truncate " + path_);
            }
            content_->resize(size_bytes);
            return {};
        }
        result<std::uint64_t> size() override { return content_->size(); }

      private:
        void put(std::uint64_t offset, std::string_view bytes) {
            if (content_->size() < offset + bytes.size()) {
                content_->resize(offset + bytes.size());
            }
            content_->replace(offset, bytes.size(), bytes);
        }

        memory_disk& owner_;
        std::string path_;
        std::shared_ptr<std::string> content_;
    };

    int fails(std::string_view call, const std::string& path) {
        ++calls[std::string(call)];
        return failing ? failing(call, path) : 0;
    }

    std::weak_ptr<std::string> locked_;
};

} // namespace linkrunner::test
