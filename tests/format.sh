#!/bin/bash
# Every source is as clang-format writes it. `tests/format.sh --fix` rewrites those that are not.
set -euo pipefail
cd "$(dirname "$0")/.."
how=(--dry-run -Werror)
[ "${1-}" != --fix ] || how=(-i)
find lib daemon tests -name '*.hpp' -o -name '*.cpp' | sort | xargs -r clang-format-19 "${how[@]}"
