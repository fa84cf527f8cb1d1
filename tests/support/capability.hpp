// What a test needs of the machine and not every machine has: root, a kernel that lets it make namespaces. At
// a desk such a test is left out, said aloud; in CI that is a failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace linkrunner::tests {

// In SetUp(): `if (!machine_can(small_disk::possible(), "...")) { return; }`
inline bool machine_can(bool possible, const std::string& what_it_needs) {
    if (possible) {
        return true;
    }
    if (const char* ci = std::getenv("CI"); ci != nullptr && *ci != '\0') {
        [&] { FAIL() << "this machine cannot run the test: " << what_it_needs; }();
    } else {
        [&] { GTEST_SKIP() << "NOT TESTED: " << what_it_needs; }();
    }
    return false;
}

} // namespace linkrunner::tests
