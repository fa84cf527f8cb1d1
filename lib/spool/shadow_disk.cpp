#include "spool/shadow_disk.hpp"

#include "spool/whole_file.hpp"

#include <algorithm>
#include <cerrno>

namespace linkrunner::spool {

class shadow_disk::file final : public disk_file {
  public:
    file(std::shared_ptr<change> made, std::unique_ptr<disk_file> below)
        : made_(std::move(made)), below_(std::move(below)) {}

    result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
        const auto whole = size();
        if (!whole) {
            return whole.error();
        }
        const std::size_t length =
            offset >= *whole ? 0 : std::min<std::uint64_t>(into.size(), *whole - offset);
        std::size_t got = 0;
        if (below_) {
            const auto read = below_->read_at(offset, into.first(length));
            if (!read) {
                return read.error();
            }
            got = *read;
        }
        std::fill(into.begin() + static_cast<std::ptrdiff_t>(got),
                  into.begin() + static_cast<std::ptrdiff_t>(length), '\0');
        for (const auto& [at, bytes] : made_->patches) {
            const std::uint64_t from = std::max(at, offset);
            const std::uint64_t to = std::min<std::uint64_t>(at + bytes.size(), offset + length);
            if (from < to) {
                bytes.copy(into.data() + (from - offset), to - from, from - at);
            }
        }
        return length;
    }

    result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
        const auto whole = size();
        if (!whole) {
            return whole.error();
        }
        made_->patches.emplace_back(offset, bytes);
        made_->size_bytes = std::max<std::uint64_t>(*whole, offset + bytes.size());
        return {};
    }

    result<void> sync() override { return {}; }

    result<void> truncate(std::uint64_t size_bytes) override {
        const auto whole = size();
        if (whole && *whole > size_bytes) { // what stood there must not come back when the file grows again
            made_->patches.emplace_back(size_bytes, std::string(*whole - size_bytes, '\0'));
        }
        made_->size_bytes = size_bytes;
        return {};
    }

    result<std::uint64_t> size() override {
        if (made_->size_bytes) {
            return *made_->size_bytes;
        }
        return below_ ? below_->size() : std::uint64_t{0};
    }

  private:
    std::shared_ptr<change> made_;
    std::unique_ptr<disk_file> below_;
};

std::shared_ptr<shadow_disk::change> shadow_disk::look(const std::string& path) {
    const auto found = changes_.find(path);
    if (found != changes_.end()) {
        return found->second;
    }
    auto fresh = std::make_shared<change>();
    fresh->content_of = path;
    return fresh;
}

result<std::unique_ptr<disk_file>> shadow_disk::open(const std::string& path, mode how) {
    auto known = look(path);
    std::unique_ptr<disk_file> below;
    if (!known->removed && !known->made_here) {
        auto opened = disk_.open(known->content_of, mode::read);
        if (!opened &&
            (how != mode::create_new || opened.error().code != std::errc::no_such_file_or_directory)) {
            return opened.error();
        }
        below = opened ? std::move(*opened) : nullptr;
    }
    const bool there = !known->removed && (known->made_here || below);
    if (how == mode::create_new) {
        if (there) {
            return system_failure(EEXIST, "open " + path);
        }
        known = std::make_shared<change>();
        known->made_here = true;
    } else if (!there) {
        return system_failure(ENOENT, "open " + path);
    }
    if (how != mode::read) {
        changes_[path] = known;
    }
    return std::unique_ptr<disk_file>(std::make_unique<file>(std::move(known), std::move(below)));
}

result<void> shadow_disk::rename(const std::string& from, const std::string& to) {
    changes_[to] = look(from);
    return remove(from);
}

result<void> shadow_disk::remove(const std::string& path) {
    auto gone = std::make_shared<change>();
    gone->removed = true;
    changes_[path] = std::move(gone);
    return {};
}

result<std::vector<std::string>> shadow_disk::list(const std::string& directory) {
    auto names = disk_.list(directory);
    if (!names) {
        return names;
    }
    for (const auto& [path, what] : changes_) {
        if (!path.starts_with(directory + "/")) {
            continue;
        }
        const std::string name = path.substr(directory.size() + 1);
        std::erase(*names, name);
        if (!what->removed) {
            names->push_back(name);
        }
    }
    return names;
}

result<void> shadow_disk::freeze(const std::string& path) {
    auto content = read_whole(disk_, path);
    if (!content) {
        return content.error();
    }
    auto kept = std::make_shared<change>();
    kept->made_here = true;
    kept->size_bytes = content->size();
    kept->patches.emplace_back(0, std::move(*content));
    changes_[path] = std::move(kept);
    return {};
}

result<std::unique_ptr<disk_file>> shadow_disk::lock(const std::string&) {
    auto made = std::make_shared<change>();
    made->made_here = true;
    return std::unique_ptr<disk_file>(std::make_unique<file>(std::move(made), nullptr));
}

} // namespace linkrunner::spool
