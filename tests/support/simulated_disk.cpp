#include "support/simulated_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace linkrunner::test {

namespace {
constexpr std::uint64_t sector_bytes = 512;
}

class simulated_disk::open_file final : public disk_file {
  public:
    open_file(simulated_disk& owner, std::string path, inode_ptr file, bool writable,
              std::shared_ptr<int> held = {})
        : owner_(owner), path_(std::move(path)), file_(std::move(file)), power_(owner.power_),
          held_(std::move(held)), writable_(writable) {}

    result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
        if (const int number = fails("read")) {
            return system_failure(number, "read " + path_);
        }
        if (offset >= file_->content.size()) {
            return std::size_t{0};
        }
        return file_->content.copy(into.data(), into.size(), offset);
    }

    result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
        owner_.change();
        int number = fails("write");
        std::uint64_t part = number != 0 ? owner_.random_.next() % (bytes.size() + 1) : bytes.size();
        const std::uint64_t end = offset + bytes.size();
        const std::uint64_t growth = end > file_->content.size() ? end - file_->content.size() : 0;
        const std::uint64_t used = owner_.used();
        if (number == 0 && growth > 0 && used + growth > owner_.capacity) {
            number = ENOSPC;
            const std::uint64_t fits = owner_.capacity > used ? owner_.capacity - used : 0;
            part = bytes.size() - growth + fits;
        }
        if (number == 0 && !writable_) {
            number = EBADF;
            part = 0;
        }
        if (part > 0) {
            owner_.write(*file_, offset, bytes.substr(0, part));
        }
        if (number != 0) {
            return system_failure(number, "write " + path_);
        }
        return {};
    }

    result<void> sync() override {
        owner_.change();
        if (const int number = fails("sync")) {
            // As Linux does: the dirty pages are clean now, whether they were written or not.
            std::string seen = file_->content;
            owner_.lose(*file_, loss::any);
            file_->content = std::move(seen);
            return system_failure(number, "fdatasync " + path_);
        }
        file_->durable = file_->content;
        file_->unsynced.clear();
        return {};
    }

    result<void> truncate(std::uint64_t size_bytes) override {
        owner_.change();
        if (const int number = fails("truncate")) {
            return system_failure(number, "truncate " + path_);
        }
        file_->content.resize(size_bytes);
        file_->unsynced.emplace_back(truncate_done{size_bytes});
        return {};
    }

    result<std::uint64_t> size() override { return file_->content.size(); }

  private:
    int fails(std::string_view call) {
        if (power_ != owner_.power_) {
            return EIO;
        }
        return owner_.fails(call);
    }

    simulated_disk& owner_;
    std::string path_;
    inode_ptr file_;
    std::shared_ptr<int> power_;
    std::shared_ptr<int> held_;
    bool writable_;
};

simulated_disk::simulated_disk(const simulated_disk& other)
    : capacity(other.capacity), random_(other.random_), changes_(other.changes_) {
    std::map<const inode*, inode_ptr> copies;
    const auto copy_of = [&copies](const inode_ptr& one) -> inode_ptr {
        if (!one) {
            return {};
        }
        inode_ptr& copy = copies[one.get()];
        if (!copy) {
            copy = std::make_shared<inode>(*one);
        }
        return copy;
    };
    for (const auto& [path, one] : other.entries_) {
        entries_.emplace(path, copy_of(one));
    }
    for (const auto& [path, one] : other.durable_entries_) {
        durable_entries_.emplace(path, copy_of(one));
    }
    for (const entry_change& change : other.unsynced_entries_) {
        entry_change copy;
        for (const auto& [path, one] : change) {
            copy.emplace_back(path, copy_of(one));
        }
        unsynced_entries_.push_back(std::move(copy));
    }
}

int simulated_disk::fails(std::string_view call) {
    return failing ? failing(call) : 0;
}

void simulated_disk::change() {
    ++changes_;
    if (before_change) {
        before_change();
    }
}

std::uint64_t simulated_disk::used() const {
    std::uint64_t sum = 0;
    for (const auto& [path, one] : entries_) {
        sum += one->content.size();
    }
    return sum;
}

void simulated_disk::put(std::string& content, std::uint64_t offset, std::string_view bytes) {
    if (content.size() < offset + bytes.size()) {
        content.resize(offset + bytes.size());
    }
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

void simulated_disk::write(inode& to, std::uint64_t offset, std::string_view bytes) {
    put(to.content, offset, bytes);
    to.unsynced.emplace_back(write_done{offset, std::string(bytes)});
}

void simulated_disk::crash(loss what) {
    power_ = std::make_shared<int>(0);
    for (const entry_change& change : unsynced_entries_) {
        if (what == loss::nothing || (what == loss::any && chance(2))) {
            apply(change);
        }
    }
    unsynced_entries_.clear();
    entries_ = durable_entries_;
    for (const auto& [path, one] : entries_) {
        lose(*one, what);
    }
}

void simulated_disk::apply(const entry_change& change) {
    for (const auto& [path, one] : change) {
        if (one) {
            durable_entries_[path] = one;
        } else {
            durable_entries_.erase(path);
        }
    }
}

void simulated_disk::lose(inode& one, loss what) {
    for (const auto& each : one.unsynced) {
        if (what == loss::everything_unsynced || (what == loss::any && chance(3))) {
            continue;
        }
        if (const auto* cut = std::get_if<truncate_done>(&each)) {
            one.durable.resize(cut->size);
            continue;
        }
        const auto& done = std::get<write_done>(each);
        if (what == loss::any && chance(2)) {
            lose_part(one.durable, done);
        } else {
            put(one.durable, done.offset, done.bytes);
        }
    }
    one.unsynced.clear();
    one.content = one.durable;
}

// A write of which not all came to the platter: its end is missing, or any of its sectors.
void simulated_disk::lose_part(std::string& durable, const write_done& done) {
    if (chance(2)) {
        put(durable, done.offset,
            std::string_view(done.bytes).substr(0, random_.next() % (done.bytes.size() + 1)));
        return;
    }
    for (std::uint64_t at = 0; at < done.bytes.size();) {
        const std::uint64_t step =
            std::min(sector_bytes - (done.offset + at) % sector_bytes, done.bytes.size() - at);
        if (chance(2)) {
            put(durable, done.offset + at, std::string_view(done.bytes).substr(at, step));
        }
        at += step;
    }
}

void simulated_disk::flip(const std::string& path, std::uint64_t bit) {
    inode& one = *entries_.at(path);
    for (std::string* content : {&one.content, &one.durable}) {
        if (bit / 8 < content->size()) {
            (*content)[bit / 8] = static_cast<char>((*content)[bit / 8] ^ (1 << (bit % 8)));
        }
    }
}

std::map<std::string, std::uint64_t> simulated_disk::sizes() const {
    std::map<std::string, std::uint64_t> out;
    for (const auto& [path, one] : entries_) {
        out.emplace(path, one->content.size());
    }
    return out;
}

result<std::unique_ptr<disk_file>> simulated_disk::open(const std::string& path, mode how) {
    if (how == mode::create_new) {
        change();
    }
    if (const int number = fails("open")) {
        return system_failure(number, "open " + path);
    }
    auto found = entries_.find(path);
    if (how == mode::create_new) {
        if (found != entries_.end()) {
            return system_failure(EEXIST, "open " + path);
        }
        found = entries_.emplace(path, std::make_shared<inode>()).first;
        unsynced_entries_.push_back({{path, found->second}});
    }
    if (found == entries_.end()) {
        return system_failure(ENOENT, "open " + path);
    }
    return std::unique_ptr<disk_file>(
        std::make_unique<open_file>(*this, path, found->second, how != mode::read));
}

result<void> simulated_disk::rename(const std::string& from, const std::string& to) {
    change();
    if (const int number = fails("rename")) {
        return system_failure(number, "rename " + from);
    }
    const auto found = entries_.find(from);
    if (found == entries_.end()) {
        return system_failure(ENOENT, "rename " + from);
    }
    const inode_ptr one = found->second;
    entries_.erase(found);
    entries_[to] = one;
    unsynced_entries_.push_back({{from, nullptr}, {to, one}});
    return {};
}

result<void> simulated_disk::remove(const std::string& path) {
    const auto found = entries_.find(path);
    if (found == entries_.end()) {
        return system_failure(ENOENT, "remove " + path);
    }
    change();
    if (const int number = fails("remove")) {
        return system_failure(number, "remove " + path);
    }
    entries_.erase(path);
    unsynced_entries_.push_back({{path, nullptr}});
    return {};
}

result<std::vector<std::string>> simulated_disk::list(const std::string& directory) {
    if (const int number = fails("list")) {
        return system_failure(number, "list " + directory);
    }
    std::vector<std::string> names;
    for (const auto& [path, one] : entries_) {
        if (path.starts_with(directory + "/")) {
            names.push_back(path.substr(directory.size() + 1));
        }
    }
    return names;
}

result<void> simulated_disk::make_directory(const std::string&) {
    return {};
}

result<void> simulated_disk::sync_directory(const std::string& path) {
    change();
    if (const int number = fails("sync_directory")) {
        return system_failure(number, "fsync directory " + path);
    }
    durable_entries_ = entries_;
    unsynced_entries_.clear();
    return {};
}

result<std::uint64_t> simulated_disk::free_bytes(const std::string&) {
    return capacity - std::min(capacity, used());
}

result<std::unique_ptr<disk_file>> simulated_disk::lock(const std::string& path) {
    if (locked_.lock()) {
        return make_error(std::errc::device_or_resource_busy, path + ": in use");
    }
    auto held = std::make_shared<int>(0);
    locked_ = held;
    return std::unique_ptr<disk_file>(
        std::make_unique<open_file>(*this, path, std::make_shared<inode>(), true, std::move(held)));
}

} // namespace linkrunner::test
