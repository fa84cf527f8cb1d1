// Any text as a configuration file: it loads or is refused, and what loads is printed as a text that loads to
// the same settings.
#include "config/load.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace config = linkrunner::config;

namespace {

std::variant<config::loaded, std::vector<config::problem>> load_text(const std::string& text) {
    static const std::string file = [] {
        std::string name = "/tmp/config_fuzz_XXXXXX";
        ::close(::mkstemp(name.data()));
        return name;
    }();
    std::FILE* out = std::fopen(file.c_str(), "wb");
    if (out == nullptr) {
        std::abort();
    }
    std::fwrite(text.data(), 1, text.size(), out);
    std::fclose(out);
    config::sources from;
    from.file = file;
    from.environment = [](const std::string& name) -> std::optional<std::string> {
        return name == "LINKRUNNER_SERVER_KEY" ? std::optional<std::string>("key") : std::nullopt;
    };
    return config::load(from);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto first = load_text({reinterpret_cast<const char*>(data), size});
    const auto* loaded = std::get_if<config::loaded>(&first);
    if (loaded == nullptr) {
        return 0;
    }
    if (loaded->values.upstream.proxy.find('@') != std::string::npos) {
        return 0; // its password is masked
    }
    const auto again = load_text(config::print(*loaded));
    if (!std::holds_alternative<config::loaded>(again) ||
        !(std::get<config::loaded>(again).values == loaded->values)) {
        std::fputs(config::print(*loaded).c_str(), stderr);
        std::abort();
    }
    return 0;
}
