#!/bin/bash
# The house rules that a compiler does not check (docs/architecture.md, "Rooms"):
#   - a room includes only the rooms that tests/room_rules.txt allows it;
#   - a library is seen only in the rooms that wrap it;
#   - files stay short, no unfinished work is left behind, and tests wait on conditions instead of sleeping.
# Prints each offence as file:line: what, and exits 1 when there is any.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

offences=$(mktemp)
trap 'rm -f "$offences"' EXIT

# Greps C++ includes of the sources given; prints file:line:included.
includes_of() { # pattern, files...
    local pattern=$1
    shift
    [ $# -gt 0 ] && grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*$pattern" "$@"
}

mapfile -t sources < <(find lib daemon tests -name '*.hpp' -o -name '*.cpp' -o -name '*.h' | sort)
mapfile -t scripts < <(find daemon tests .ci -name '*.sh' -o -path .ci/run | grep -v '^tests/room_rules.sh$' | sort)

# Rooms.
known=" "
declare -A allowed
while IFS=: read -r room others; do
    [[ $room =~ ^[[:space:]]*(#|$) ]] && continue
    allowed[$room]=" $room $others "
    known+="$room "
done <tests/room_rules.txt
for folder in lib/*/; do
    room=$(basename "$folder")
    if [ -z "${allowed[$room]-}" ]; then
        echo "$folder: no line in tests/room_rules.txt"
        continue
    fi
    mapfile -t files < <(find "$folder" -name '*.hpp' -o -name '*.cpp' | sort)
    while IFS=: read -r file line text; do
        other=$(sed -E 's/.*"([^"]*)".*/\1/; s#/.*##' <<<"$text")
        if [[ $text != *'"'*/* ]]; then
            echo "$file:$line: include another file of the project as \"room/file.hpp\": $text"
        elif [[ $known != *" $other "* ]]; then
            echo "$file:$line: '$other' is no room"
        elif [[ ${allowed[$room]} != *" $other "* ]]; then
            echo "$file:$line: $room may not include $other (tests/room_rules.txt)"
        fi
    done < <(includes_of '"' "${files[@]}")
done >>"$offences"

# Libraries: the pattern, where it may stand (a regular expression on the path), why.
only_in() { # pattern, where, message
    includes_of "$1" "${sources[@]}" | grep -vE "^($2)" | sed -E "s#^([^:]*:[0-9]+):.*#\1: $3#"
}
# The fake API misbehaves on the level of bytes, which lib/net exists to prevent: it has its own sockets.
fake='lib/sandbox/|daemon/linkrunner-sandbox/'
{
    only_in '<boost/beast' 'lib/net/[^/]*\.cpp:|tests/' 'Boost.Beast stays in lib/net/*.cpp'
    only_in '<(openssl/|boost/asio/ssl)' "lib/net/[^/]*\.cpp:|$fake|tests/" 'OpenSSL stays in lib/net/*.cpp'
    only_in '<boost/asio' "lib/net/|$fake|tests/" 'Asio stays in lib/net: others take the loop of env/loop.hpp'
    only_in '<yaml-cpp' 'lib/config/[^/]*\.cpp:|tests/' 'yaml-cpp stays in lib/config/*.cpp'
    only_in '<prometheus/' 'lib/telemetry/|tests/' 'prometheus-cpp stays in lib/telemetry'
    only_in '<(spdlog|fmt)/' 'lib/telemetry/[^/]*\.cpp:|tests/' 'spdlog stays in lib/telemetry/*.cpp'
    only_in '<zlib' 'lib/(intake|ctl)/[^/]*\.cpp:|tests/' 'zlib stays in lib/intake/*.cpp and lib/ctl/*.cpp'
    only_in '<xxhash' 'lib/base/[^/]*\.cpp:|tests/' 'xxhash stays in lib/base/*.cpp'
} >>"$offences"

# Pure rooms read no clock and no random device themselves.
grep -nE '(steady_clock|system_clock)::now|std::random_device|std::rand\b|[^_a-z]time\(nullptr\)' \
    lib/delivery/*.?pp lib/event/*.?pp lib/spool/*.?pp lib/intake/*.?pp lib/forward/*.?pp 2>/dev/null |
    sed -E 's#^([^:]*:[0-9]+):.*#\1: time and chance are handed in (env/clock.hpp, env/random.hpp)#' >>"$offences"

# Length.
for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    case $file in
    lib/*.hpp | daemon/*.hpp) most=200 ;;
    lib/*.cpp | daemon/*.cpp) most=480 ;;
    *) most=700 ;;
    esac
    [ "$lines" -le $most ] || echo "$file:1: $lines lines, $most at most: split by noun"
done >>"$offences"

# Words of unfinished work; sleeping tests.
grep -nE '\b(TODO|FIXME|XXX|HACK)\b|\b(for now|placeholder|not implemented)\b' "${sources[@]}" "${scripts[@]}" \
    CMakeLists.txt tests/CMakeLists.txt Dockerfile 2>/dev/null |
    sed -E 's#^([^:]*:[0-9]+):#\1: unfinished:#' >>"$offences"
mapfile -t tests < <(find tests -name '*.hpp' -o -name '*.cpp' | sort)
[ ${#tests[@]} -eq 0 ] || grep -nE '\b(sleep_for|sleep_until|usleep|nanosleep)\b|[^_a-z]sleep\([0-9]' "${tests[@]}" |
    sed -E 's#^([^:]*:[0-9]+):#\1: wait on a condition instead of sleeping:#' >>"$offences"

# A header is included once and says what it is.
for file in "${sources[@]}"; do
    case $file in
    *.hpp)
        head -n 1 "$file" | grep -q '^// ' || echo "$file:1: a header opens with what the thing does"
        grep -q '^#pragma once' "$file" || echo "$file:1: #pragma once is missing"
        ;;
    esac
done >>"$offences"

# Links between pages lead somewhere.
while IFS=: read -r page line target; do
    target=${target#*](}
    target=${target%)}
    target=${target%%#*}
    [ -z "$target" ] || [ -e "$(dirname "$page")/$target" ] || echo "$page:$line: no such file: $target"
done < <(grep -noE '\]\([^)]+\)' README.md docs/*.md lib/*/*.md 2>/dev/null | grep -v '](http') >>"$offences"

if [ -s "$offences" ]; then
    sort -u "$offences"
    echo "$(sort -u "$offences" | wc -l) offences against the house rules" >&2
    exit 1
fi
echo "house rules kept: ${#sources[@]} sources, $(wc -w <<<"$known") rooms"
