// The source itself, for its portable half: this machine would never run it.
#include "base/crc32c.cpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace linkrunner {
namespace {

// RFC 3720 appendix B.4. The RFC prints the bytes of the checksum as they go over the wire, lowest first.
TEST(crc32c, agrees_with_the_examples_of_rfc_3720) {
    std::string ascending;
    std::string descending;
    for (char byte = 0; byte < 32; ++byte) {
        ascending += byte;
        descending += static_cast<char>(31 - byte);
    }
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
    EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
    EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
    EXPECT_EQ(crc32c(descending), 0x113FDB5Cu);
    const unsigned char read_command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0, 0, 0,
                                            0x14, 0,    0, 0, 0, 0, 4, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                            0x28, 0,    0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0,    0, 0, 0, 0};
    EXPECT_EQ(crc32c({reinterpret_cast<const char*>(read_command), sizeof read_command}), 0xD9963A56u);
}

TEST(crc32c, agrees_with_the_usual_check_value) {
    EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
    EXPECT_EQ(crc32c(""), 0u);
}

TEST(crc32c, portable_half_agrees_with_the_instruction_at_every_length_and_alignment) {
    if (!has_hardware()) {
        GTEST_SKIP() << "this processor has no instruction for it";
    }
    std::mt19937 engine(7);
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        bytes += static_cast<char>(engine());
    }
    for (const std::uint32_t before : {0u, 1u, 0xDEADBEEFu, 0xFFFFFFFFu}) {
        for (std::size_t start = 0; start < 9; ++start) {
            for (std::size_t length = 0; length + start <= 80; ++length) {
                const std::string_view part = std::string_view(bytes).substr(start, length);
                ASSERT_EQ(portable(part, before), hardware(part, before)) << start << " " << length;
            }
        }
        EXPECT_EQ(portable(bytes, before), hardware(bytes, before));
    }
}

TEST(crc32c, can_be_taken_in_parts) {
    const std::string text = "the quick brown fox jumps over the lazy dog, twice";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        ASSERT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(text)) << cut;
    }
}

TEST(crc32c, notices_every_single_flipped_bit) {
    std::string frame(64, 'x');
    const std::uint32_t sound = crc32c(frame);
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
        frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_NE(crc32c(frame), sound) << bit;
        frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
    }
}

} // namespace
} // namespace linkrunner
