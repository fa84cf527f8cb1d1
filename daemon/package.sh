#!/bin/bash
# Builds the Debian package and prints where it lies: docs/install-host.md. Needs `daemon/packages.sh build package`.
#
#   daemon/package.sh                  build/package/linkrunnerd_<version>-1_<architecture>.deb
#   daemon/package.sh --revision 2     the same version packed anew: -2 in the place of -1
set -euo pipefail
cd "$(dirname "$0")/.."
revision=1
if [ "${1-}" = --revision ] && [ $# -eq 2 ]; then
    revision=$2
elif [ $# -gt 0 ]; then
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
tree=build/package
mkdir -p $tree
umask 022

# Debian's own hardening; the build type says how far to optimize. Debug information would be stripped off anyway.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH DEB_BUILD_MAINT_OPTIONS=hardening=+all DEB_CXXFLAGS_STRIP="-g -O2"
cmake -S . -B $tree -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DLINKRUNNER_TESTS=OFF \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
    -DCMAKE_CXX_FLAGS="$(dpkg-buildflags --get CXXFLAGS) $(dpkg-buildflags --get CPPFLAGS)" \
    -DCMAKE_EXE_LINKER_FLAGS="$(dpkg-buildflags --get LDFLAGS)" \
    -DLINKRUNNER_DEBIAN_REVISION="$revision" >$tree/configure.log || { cat $tree/configure.log >&2; exit 1; }
ninja -C $tree --quiet ${JOBS:+-j "$JOBS"} >&2
cpack --config $tree/CPackConfig.cmake -B $tree >$tree/cpack.log 2>&1 || { cat $tree/cpack.log >&2; exit 1; }
sed -n 's/^CPack: - package: \(.*\) generated\.$/\1/p' $tree/cpack.log
