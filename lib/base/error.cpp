#include "base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace linkrunner {

void invariant_broken(const char* what, const char* file, int line) noexcept {
    std::fprintf(stderr, "linkrunnerd: broken invariant: %s (%s:%d); this is a bug, please report it\n", what,
                 file, line);
    std::abort();
}

} // namespace linkrunner
