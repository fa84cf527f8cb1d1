// CRC-32C (Castagnoli, RFC 3720 section 12.1), by the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace linkrunner {

// Checksum of bytes that follow those with the checksum `before` (0 for none).
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

} // namespace linkrunner
