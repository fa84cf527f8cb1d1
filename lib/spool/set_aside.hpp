// Reads segments that were set aside as *.bad: both copies of the header are gone, and with them the seed
// that the checksums of the frames start from. The seed's salt is worked out from the frames themselves: a
// CRC can be run backwards, and a salt that fits both checksums of a frame is the right one.
#pragma once

#include "env/disk.hpp"
#include "spool/record.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace linkrunner::spool {

// The salt that leads from these bytes to this checksum.
std::uint32_t salt_before(std::string_view bytes, std::uint32_t checksum) noexcept;

// The salt of the first event frame of this segment file that can be read; its number is `first` or a little
// more. Nothing when there is none.
std::optional<std::uint32_t> find_salt(disk_file& file, sequence first);

} // namespace linkrunner::spool
