// A disk that tells another thread how long its current call has taken: a stuck call cannot say so itself.
#pragma once

#include "env/clock.hpp"
#include "env/disk.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

namespace linkrunner::spool {

class watched_disk final : public disk {
  public:
    watched_disk(disk& files, const clock& time) : disk_(files), clock_(time) {}

    // Any thread. Zero while no call runs.
    steady_time::duration busy_for() const noexcept {
        const auto since = since_.load(std::memory_order_relaxed);
        return since == idle ? steady_time::duration{}
                             : clock_.steady() - steady_time(steady_time::duration(since));
    }

    result<std::unique_ptr<disk_file>> open(const std::string& path, mode how) override {
        return wrap(watch([&] { return disk_.open(path, how); }));
    }
    result<void> rename(const std::string& from, const std::string& to) override {
        return watch([&] { return disk_.rename(from, to); });
    }
    result<void> remove(const std::string& path) override {
        return watch([&] { return disk_.remove(path); });
    }
    result<std::vector<std::string>> list(const std::string& directory) override {
        return watch([&] { return disk_.list(directory); });
    }
    result<void> make_directory(const std::string& path) override {
        return watch([&] { return disk_.make_directory(path); });
    }
    result<void> sync_directory(const std::string& path) override {
        return watch([&] { return disk_.sync_directory(path); });
    }
    result<std::uint64_t> free_bytes(const std::string& path) override {
        return watch([&] { return disk_.free_bytes(path); });
    }
    result<std::unique_ptr<disk_file>> lock(const std::string& path) override {
        return watch([&] { return disk_.lock(path); });
    }

  private:
    static constexpr steady_time::rep idle = -1;

    class file final : public disk_file {
      public:
        file(watched_disk& owner, std::unique_ptr<disk_file> inner)
            : owner_(owner), inner_(std::move(inner)) {}

        result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
            return owner_.watch([&] { return inner_->read_at(offset, into); });
        }
        result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
            return owner_.watch([&] { return inner_->write_at(offset, bytes); });
        }
        result<void> sync() override {
            return owner_.watch([&] { return inner_->sync(); });
        }
        result<void> truncate(std::uint64_t size_bytes) override {
            return owner_.watch([&] { return inner_->truncate(size_bytes); });
        }
        result<std::uint64_t> size() override {
            return owner_.watch([&] { return inner_->size(); });
        }

      private:
        watched_disk& owner_;
        std::unique_ptr<disk_file> inner_;
    };

    template <class Call>
    auto watch(Call call) -> decltype(call()) {
        since_.store(clock_.steady().time_since_epoch().count(), std::memory_order_relaxed);
        auto outcome = call();
        since_.store(idle, std::memory_order_relaxed);
        return outcome;
    }

    result<std::unique_ptr<disk_file>> wrap(result<std::unique_ptr<disk_file>> opened) {
        if (opened) {
            *opened = std::make_unique<file>(*this, std::move(*opened));
        }
        return opened;
    }

    disk& disk_;
    const clock& clock_;
    std::atomic<steady_time::rep> since_{idle};
};

} // namespace linkrunner::spool
