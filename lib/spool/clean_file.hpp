// A file being written from its beginning to its end, under a name ending in .tmp until it is finished.
#pragma once

#include "env/disk.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linkrunner::spool {

class clean_file {
  public:
    static result<clean_file> make(disk& files, std::string directory, std::string name);

    // Errors are kept and answered by finish().
    void add(std::string_view bytes);
    std::uint64_t size_bytes() const noexcept { return written_ + waiting_.size(); }

    // Written, synced, and under its name; the directory is the caller's to sync.
    result<void> finish();

  private:
    clean_file(disk& files, std::string path, std::unique_ptr<disk_file> file)
        : disk_(&files), path_(std::move(path)), file_(std::move(file)) {}
    void flush();

    disk* disk_;
    std::string path_;
    std::unique_ptr<disk_file> file_;
    std::string waiting_;
    std::uint64_t written_ = 0;
    result<void> outcome_;
};

} // namespace linkrunner::spool
