// Random numbers as a port: real ones in the daemon, seeded ones in tests. Not thread-safe: one owner each.
#pragma once

#include <cstdint>
#include <random>

namespace linkrunner {

class random_source {
  public:
    virtual ~random_source() = default;
    virtual std::uint64_t next() = 0;

    // Uniform in [0, 1).
    double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// Seeded: the same seed gives the same numbers on every machine.
class seeded_random final : public random_source {
  public:
    explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() override { return engine_(); }

  private:
    std::mt19937_64 engine_;
};

// From the kernel (getrandom through std::random_device).
class system_random final : public random_source {
  public:
    std::uint64_t next() override { return (static_cast<std::uint64_t>(device_()) << 32) | device_(); }

  private:
    std::random_device device_;
};

} // namespace linkrunner
