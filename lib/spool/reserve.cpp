#include "spool/reserve.hpp"

#include "spool/bytes.hpp"
#include "spool/file_names.hpp"

#include <algorithm>
#include <utility>

namespace linkrunner::spool {

namespace {
constexpr std::size_t zeros_at_once = 64 * 1024;
}

reserve::reserve(disk& files, std::string directory, std::uint64_t found_bytes, std::uint64_t step_bytes)
    : disk_(files), path_(std::move(directory) + "/" + reserve_name()), step_bytes_(step_bytes),
      bytes_(found_bytes) {}

std::uint64_t reserve::size_for(std::uint64_t wanted) const noexcept {
    return round_up(wanted, step_bytes_) + step_bytes_;
}

result<void> reserve::ensure(std::uint64_t wanted) {
    if (bytes_ >= wanted) {
        return {};
    }
    if (auto opened = open(); !opened) {
        return opened;
    }
    static const std::string zeros(zeros_at_once, '\0');
    const auto most = std::min<std::uint64_t>(step_bytes_, zeros.size());
    const std::uint64_t to = size_for(wanted);
    while (bytes_ < to) {
        const auto step = std::min(to - bytes_, most);
        if (auto written = file_->write_at(bytes_, std::string_view(zeros).substr(0, step)); !written) {
            if (const auto size = file_->size(); size && !cut(bytes_)) {
                bytes_ = *size;
            }
            return written;
        }
        bytes_ += step;
    }
    return {};
}

void reserve::trim(std::uint64_t wanted) {
    if (bytes_ > size_for(wanted)) {
        (void)cut(size_for(wanted));
    }
}

bool reserve::give(std::uint64_t bytes) {
    return bytes_ > 0 && cut(bytes_ - std::min(bytes, bytes_));
}

bool reserve::cut(std::uint64_t to) {
    if (!open() || !file_->truncate(to)) {
        return false;
    }
    bytes_ = to;
    return true;
}

result<void> reserve::open() {
    if (file_) {
        return {};
    }
    auto opened = disk_.open(path_, disk::mode::read_write);
    if (!opened && opened.error().code == std::errc::no_such_file_or_directory) {
        opened = disk_.open(path_, disk::mode::create_new);
        bytes_ = 0;
    }
    if (!opened) {
        return opened.error();
    }
    file_ = std::move(*opened);
    return {};
}

} // namespace linkrunner::spool
