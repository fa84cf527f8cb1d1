#!/bin/bash
# Are all tokens used, and none too many? linkrunnerd with a full queue before linkrunner-sandbox, judged by the times at
# which the sandbox received the requests: how many in 60 s, and the fullest window of each length beside what
# the bucket allows.
#
#   tests/bench/tokens.sh                        builds build/release and measures 30/s
#   RATE=29/s SECONDS_EACH=20 tests/bench/tokens.sh --set delivery.burst=2    further arguments go to linkrunnerd
#   BEFORE='chrt -f 5' tests/bench/tokens.sh    beside other work: what comes late is lost, on either side
#   BUILD=build/other tests/bench/tokens.sh     that build, as it is
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD-build/release}
rate=${RATE-30/s}
seconds=${SECONDS_EACH-60}
per_second=${rate%/s}
if [ -z "${BUILD-}" ]; then
    cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >/dev/null
    ninja -C $build --quiet linkrunnerd linkrunner-sandbox
fi

home=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$home"' EXIT
until_there() { # file, seconds
    for _ in $(seq $(($2 * 20))); do
        [ -e "$1" ] && return
        sleep 0.05
    done
    echo "tokens.sh: $1 did not come" >&2
    exit 1
}

${BEFORE-} $build/linkrunner-sandbox --listen 127.0.0.1:0 --port-file "$home/port" --keep 1000000 >/dev/null 2>&1 &
pids+=($!)
until_there "$home/port" 10
api=http://127.0.0.1:$(cat "$home/port")
LINKRUNNER_SERVER_KEY=any ${BEFORE-} $build/linkrunnerd --set intake.listen="unix:$home/intake" --set observe.listen= \
    --set control.listen="unix:$home/control" --set upstream.url="$api/api/v1" --set spool.directory="$home/spool" \
    --set delivery.rate="$rate" "$@" >"$home/log" 2>&1 &
pids+=($!)
until_there "$home/intake" 10
count=$((per_second * (seconds + 15)))
seq "$count" | sed 's/.*/{"event_name":"seen","user_id":"u&","event_id":"&"}/' |
    curl -s --fail -o "$home/answer" --unix-socket "$home/intake" -H 'Content-Type: application/x-ndjson' \
        --data-binary @- http://localhost/v1/events
sleep $((seconds + 5))
curl -s "$api/events?limit=1000000&format=ndjson" >"$home/events"

# Times in milliseconds; the second that they begin with is that of the last in UTC, so no day is needed.
jq -r .at "$home/events" | sed 's/.*T//; s/Z//' | sort |
    awk -F'[:.]' -v rate="$per_second" -v seconds="$seconds" '
    { at[NR] = (($1 * 60 + $2) * 60 + $3) * 1000 + $4 }
    END {
        from = at[1] + 2000
        for (i = 1; i <= NR; ++i) inside += at[i] >= from && at[i] < from + seconds * 1000
        printf "%d requests in %d s at %d/s: %.2f%% of the tokens used\n", inside, seconds, rate,
               100 * inside / (rate * seconds)
        print "window   fullest   rate x window"
        split("100 1000 10000 60000", length_of, " ")
        for (w = 1; w <= 4; ++w) {
            span = length_of[w]; first = 1; most = 0
            for (i = 1; i <= NR; ++i) {
                while (at[i] - at[first] >= span) ++first
                if (i - first + 1 > most) most = i - first + 1
            }
            printf "%5.1f s   %7d   %13.0f\n", span / 1000, most, rate * span / 1000
        }
    }'
