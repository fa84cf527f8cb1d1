#!/bin/bash
# clang-tidy on one source, as the .clang-tidy of the project says. A source that passed is not checked again
# until it, a header of the project that it includes, .clang-tidy or clang-tidy itself changes: build/tidy keeps
# the fingerprints. Needs build/asan/compile_commands.json.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$1

# The source and, transitively, the project's headers: they are included as "room/file.hpp".
declare -A seen
queue=("$source")
while [ ${#queue[@]} -gt 0 ]; do
    file=${queue[0]}
    queue=("${queue[@]:1}")
    [ -z "${seen[$file]-}" ] || continue
    seen[$file]=1
    while read -r name; do
        for folder in lib "$(dirname "$file")" tests; do
            if [ -f "$folder/$name" ]; then
                queue+=("$folder/$name")
                break
            fi
        done
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)".*/\1/p' "$file")
done
mkdir -p build/tidy
mark=build/tidy/$({
    clang-tidy-19 --version
    sha256sum .clang-tidy CMakeLists.txt
    printf '%s\n' "${!seen[@]}" | sort | xargs sha256sum
} | sha256sum | cut -c1-32)
if [ -e "$mark" ]; then
    echo "unchanged since it passed: $source"
    exit 0
fi
clang-tidy-19 -p build/asan --quiet --warnings-as-errors='*' "$source"
: >"$mark"
