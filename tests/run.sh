#!/bin/bash
# Builds and tests everything, or the parts named:
#
#   format       clang-format on every source
#   rooms        the house rules (tests/room_rules.sh)
#   tidy         clang-tidy on lib/ and daemon/ (a file that has not changed is not checked again)
#   unit sim integration fault    the suites of tests/ under AddressSanitizer and UBSan
#   fuzz         each libFuzzer target for a while, same build
#   release      all suites once more in a Release build
#   thread       the suites where threads meet, under ThreadSanitizer
#   demo         daemon/demo.sh
#   places       the package and the service in a booted systemd, the image in a container engine, the manifests and
#                their pods (tests/places; needs root)
#   page         the live page in headless Chromium (tests/page)
#
#   tests/run.sh                 everything but tidy, places and page, which are asked for by name
#   tests/run.sh unit            one part
#   tests/run.sh unit -R spool   further arguments, from the first that begins with '-', go to ctest
#
# Builds lie in build/. The last line is ctest's summary; the exit status is 0 only when all passed.
# FUZZ_SECONDS (20) is the time of each fuzz target, FUZZ_SEED (1; 0: another each time) what it begins with, so that a
# failure can be repeated; JOBS (the number of cores) how much runs at once.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
build=$top/build
jobs=${JOBS:-$(nproc)}

all=(format rooms unit sim integration fault fuzz release thread demo)
by_name=(tidy places page)
parts=()
while [ $# -gt 0 ] && [[ $1 != -* ]]; do
    if [[ " ${all[*]} ${by_name[*]} " != *" $1 "* ]]; then
        echo "tests/run.sh: no part '$1'; parts: ${all[*]} ${by_name[*]}" >&2
        exit 2
    fi
    parts+=("$1")
    shift
done
[ ${#parts[@]} -gt 0 ] || parts=("${all[@]}")
has() { [[ " ${parts[*]} " == *" $1 "* ]]; }

if [ ! -t 1 ]; then
    export NO_COLOR=1 CLICOLOR=0 GTEST_COLOR=no
fi
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
symbolizer=$(command -v llvm-symbolizer-19 || true)
export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_SYMBOLIZER_PATH=$symbolizer

began=$SECONDS
say() { printf '== %4d s  %s\n' $((SECONDS - began)) "$*"; }

# What this machine cannot do is left out at a desk, said aloud; in CI it is a failure.
leave_out() { # part, why
    if [ -n "${CI-}" ]; then
        echo "tests/run.sh: $1 cannot run: $2" >&2
        exit 1
    fi
    echo "LEFT OUT: $1 ($2)"
    local kept=()
    for part in "${parts[@]}"; do
        [ "$part" = "$1" ] || kept+=("$part")
    done
    parts=(${kept[@]+"${kept[@]}"})
}

say "packages"
daemon/packages.sh build test
if has demo; then
    daemon/packages.sh demo
fi
if has page && ! daemon/packages.sh page; then
    leave_out page "its packages cannot be installed"
fi
if has places; then
    if [ "$(id -u)" -ne 0 ]; then
        leave_out places "needs root"
    elif ! daemon/packages.sh places; then
        leave_out places "its packages cannot be installed"
    fi
fi

configure() { # tree, further arguments of cmake
    local tree=$1
    shift
    cmake -S "$top" -B "$build/$tree" -G Ninja -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 \
        -DLINKRUNNER_TEST_PREFIX="$tree." "$@" >"$build/$tree.configure.log" 2>&1 || {
        cat "$build/$tree.configure.log"
        exit 1
    }
}
compile() { # tree, targets (all)...
    local tree=$1
    shift
    say "build/$tree"
    ninja -C "$build/$tree" -j "$jobs" --quiet "$@"
}

mkdir -p "$build"
trees=()
names=()
if has tidy || has unit || has sim || has integration || has fault || has fuzz || has page; then
    configure asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -gline-tables-only" \
        -DLINKRUNNER_SANITIZE=address -DLINKRUNNER_FUZZ=ON -DLINKRUNNER_FUZZ_SECONDS="${FUZZ_SECONDS:-20}" -DLINKRUNNER_FUZZ_SEED="${FUZZ_SEED:-1}"
fi
for part in unit sim integration fault fuzz; do
    if has $part; then
        names+=("asan[.]${part}[_.]")
        trees=(asan)
    fi
done
if [ ${#trees[@]} -gt 0 ]; then
    compile asan
elif has page; then
    compile asan linkrunnerd linkrunner-sandbox
fi
if has release; then
    configure release -DCMAKE_BUILD_TYPE=Release
    compile release
    trees+=(release)
    names+=("release[.]")
fi
if has thread; then
    configure tsan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -gline-tables-only" \
        -DLINKRUNNER_SANITIZE=thread \
        "-DLINKRUNNER_SUITES=unit_env;unit_spool;unit_net;unit_forward;unit_telemetry;integration"
    compile tsan
    trees+=(tsan)
    names+=("tsan[.]")
fi

# One ctest over all trees and scripts, so that one summary speaks for everything.
run=$build/run
mkdir -p "$run"
{
    for tree in ${trees[@]+"${trees[@]}"}; do
        echo "subdirs(\"../$tree\")"
    done
    script() { # name, seconds, serial, command...
        local name=$1 seconds=$2 serial=$3
        shift 3
        printf 'add_test("%s"' "$name"
        printf ' [==[%s]==]' "$@"
        printf ')\nset_tests_properties("%s" PROPERTIES TIMEOUT %s RUN_SERIAL %s WORKING_DIRECTORY [==[%s]==])\n' \
            "$name" "$seconds" "$serial" "$top"
    }
    if has format; then
        script format 120 OFF bash tests/format.sh
        names+=(format)
    fi
    if has rooms; then
        script rooms 60 OFF bash tests/room_rules.sh
        names+=(rooms)
    fi
    if has places; then
        script places.image 1800 ON bash tests/places/image.sh
        script places.container 1800 ON bash tests/places/container.sh
        script places.package 1500 ON bash tests/places/package.sh
        script places.systemd 600 ON bash tests/places/systemd.sh
        script places.kubernetes 600 ON bash tests/places/kubernetes.sh
        script places.pod 1500 ON bash tests/places/pod.sh
        names+=("places[.]")
    fi
    if has page; then
        script page 300 ON bash tests/page/page.sh
        names+=(page)
    fi
    if has demo; then
        script demo 900 ON bash daemon/demo.sh
        names+=(demo)
    fi
    if has tidy; then
        while read -r source; do
            script "tidy.$source" 600 OFF bash tests/tidy.sh "$source"
        done < <(find lib daemon -name '*.cpp' | sort)
        names+=("tidy[.]")
    fi
} >"$run/CTestTestfile.cmake"

say "tests: ${parts[*]}"
pattern=$(IFS='|' && echo "^(${names[*]})")
log=$run/last.log
status=0
ctest --test-dir "$run" -j "$jobs" --output-on-failure --no-label-summary --no-tests=error --timeout 300 \
    -R "$pattern" "$@" 2>&1 | tee "$log" || status=$?
say "done"
grep 'tests passed' "$log" || echo "no summary from ctest (status $status)"
exit $status
