// Small files are read in one piece, and written so that they are there whole or not at all.
#pragma once

#include "base/error.hpp"
#include "env/disk.hpp"

#include <string>
#include <string_view>

namespace linkrunner::spool {

result<std::string> read_whole(disk& files, const std::string& path);

// Writes <directory>/<name> by way of <name>.tmp: written, synced, renamed, the directory synced.
result<void> write_whole(disk& files, const std::string& directory, const std::string& name,
                         std::string_view content);

} // namespace linkrunner::spool
