# Sourced by the scripts of this folder: a tree of Debian, waiting on conditions, checks that name themselves.
# shellcheck shell=bash
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
places=$top/build/places # kept between runs: trees and images are made once
mkdir -p "$places"

if [ "$(id -u)" -ne 0 ]; then
    echo "this test needs root" >&2
    exit 1
fi
"$top/daemon/packages.sh" places

poll_seconds=0.05
step() { printf -- '-- %s\n' "$*"; }
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
expect() { # what, wanted, got
    [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
    printf '   ok  %s: %s\n' "$1" "$3"
}
# Asks again until the command succeeds, for at most so many seconds.
until_true() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "not in time: $*"
        sleep "$poll_seconds"
    done
}
field() { jq -r "$1" <<<"$2"; }

event() { # name, user, id
    printf '{"event_name":"%s","user_id":"%s","event_id":"%s","event_data":{"amount":199.5,"currency":"INR"}}' "$@"
}
