// A disk in memory that loses power. What was not synced may be lost at a crash: whole writes, single sectors
// of a write, its end from any byte on, truncations, and the entries of files made, renamed or removed since
// their directory was synced, all independently of each other. It can be told to fail calls with any error,
// to be of any size, and to cut the power at a call. Copyable: a copy is the same disk at the same moment.
#pragma once

#include "env/disk.hpp"
#include "env/random.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linkrunner::test {

// Thrown by the call at which the power goes; the disk takes no calls until restart().
struct power_cut {};

class simulated_disk final : public disk {
  public:
    explicit simulated_disk(std::uint64_t seed) : random_(seed) {}
    simulated_disk(const simulated_disk& other);
    simulated_disk& operator=(const simulated_disk&) = delete;

    // Called before each call that changes the disk or syncs it; may throw power_cut.
    std::function<void()> before_change;
    // Asked before each call ("write", "sync", "open", "rename", ...): an errno fails it.
    std::function<int(std::string_view call)> failing;
    std::uint64_t capacity = ~std::uint64_t{0}; // of all files together

    // Takes the power away: the files are what a disk may hold after that. Files that are open are dead.
    enum class loss { everything_unsynced, nothing, any };
    void crash(loss what);

    // Flips one bit of a file.
    void flip(const std::string& path, std::uint64_t bit);
    std::map<std::string, std::uint64_t> sizes() const; // of all files
    std::uint64_t changes() const noexcept { return changes_; }
    void reseed(std::uint64_t seed) { random_ = seeded_random(seed); }

    result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) override;
    result<void> rename(const std::string& from, const std::string& to) override;
    result<void> remove(const std::string& path) override;
    result<std::vector<std::string>> list(const std::string& directory) override;
    result<void> make_directory(const std::string& path) override;
    result<void> sync_directory(const std::string& path) override;
    result<std::uint64_t> free_bytes(const std::string& path) override;
    result<std::unique_ptr<disk_file>> lock(const std::string& path) override;

  private:
    struct write_done {
        std::uint64_t offset = 0;
        std::string bytes;
    };
    struct truncate_done {
        std::uint64_t size = 0;
    };
    struct inode {
        std::string content; // what reads see
        std::string durable; // what is on the platter for sure
        std::vector<std::variant<write_done, truncate_done>> unsynced;
    };
    using inode_ptr = std::shared_ptr<inode>;
    // An entry set to a file, or removed (null). A rename is one change: both or none.
    using entry_change = std::vector<std::pair<std::string, inode_ptr>>;

    class open_file;

    int fails(std::string_view call);
    void change();
    std::uint64_t used() const;
    bool chance(std::uint64_t one_in) { return random_.next() % one_in == 0; }
    void write(inode& to, std::uint64_t offset, std::string_view bytes);
    void lose(inode& one, loss what);
    void lose_part(std::string& durable, const write_done& done);
    void apply(const entry_change& change);
    static void put(std::string& content, std::uint64_t offset, std::string_view bytes);

    seeded_random random_;
    std::map<std::string, inode_ptr> entries_; // by path
    std::map<std::string, inode_ptr> durable_entries_;
    std::vector<entry_change> unsynced_entries_;
    std::uint64_t changes_ = 0;
    std::shared_ptr<int> power_ = std::make_shared<int>(0); // files opened before a crash hold an older one
    std::weak_ptr<int> locked_;
};

} // namespace linkrunner::test
