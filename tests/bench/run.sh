#!/bin/bash
# Measures linkrunnerd beside nginx as a plain proxy, in one run on one machine, and prints a table in Markdown
# for docs/benchmarks.md. The system under test has one core, load and upstream have another; both take turns,
# so that noise hits both; the median of RUNS is shown with the lowest and the highest.
#
#   tests/bench/run.sh              everything
#   RUNS=1 SECONDS_EACH=3 SKIP_BUILD_TIME=1 tests/bench/run.sh    a quick look
#
# The spool lies in BENCH_DIR (build/bench/spool): it must be on a real disk for fdatasync to mean anything.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
runs=${RUNS:-3}
seconds=${SECONDS_EACH:-8}
connections=${CONNECTIONS:-64}
work=$top/build/bench
spool=${BENCH_DIR:-$work/spool}
program=$work/release/linkrunnerd
sandbox=$work/release/linkrunner-sandbox
under_test=(taskset -c 0)
beside=(taskset -c 1)
if [ "$(nproc)" -lt 2 ]; then
    under_test=()
    beside=()
fi

daemon/packages.sh build bench
mkdir -p "$work"
running=()
stop_all() {
    local pid
    for pid in ${running[@]+"${running[@]}"}; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in ${running[@]+"${running[@]}"}; do
        wait "$pid" 2>/dev/null || true
    done
    running=()
}
trap stop_all EXIT
say() { echo "-- $*" >&2; }
fail() {
    echo "bench: $*" >&2
    exit 1
}

# Build ------------------------------------------------------------------------------------------------------
build_seconds=
configure() {
    cmake -S "$top" -B "$work/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLINKRUNNER_TESTS=OFF \
        -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >"$work/configure.log" ||
        { cat "$work/configure.log"; exit 1; }
}
configure
if [ -z "${SKIP_BUILD_TIME-}" ]; then
    say "clean Release build without the compiler cache"
    ninja -C "$work/release" -t clean >/dev/null
    began=$(date +%s%N)
    CCACHE_DISABLE=1 ninja -C "$work/release" --quiet
    build_seconds=$((($(date +%s%N) - began) / 1000000000))
else
    ninja -C "$work/release" --quiet
fi

# Helpers ----------------------------------------------------------------------------------------------------
until_true() { # seconds, command...
    local end=$((SECONDS + $1)) pause=0.05
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "not in time: $*"
        sleep $pause
    done
}
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then
            echo $port
            return
        fi
    done
}
cpu_ticks() { # pids: user and system time of all their threads
    local pid sum=0 fields
    for pid in "$@"; do
        read -r -a fields < <(sed 's/^.*) //' "/proc/$pid/stat")
        sum=$((sum + fields[11] + fields[12]))
    done
    echo $sum
}
tick=$(getconf CLK_TCK)
rss_kb() { awk '/^VmRSS/{print $2}' "/proc/$1/status"; }

# Upstream: an nginx that answers at once. It costs less than the sandbox, so it is not what is measured.
upstream_port=$(free_port)
proxy_port=$(free_port)
nginx_config() { # name, what stands in http{}
    mkdir -p "$work/$1"
    cat >"$work/$1/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/$1/nginx.pid;
error_log $work/$1/error.log warn;
events { worker_connections 2048; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path $work/$1/body; proxy_temp_path $work/$1/proxy; fastcgi_temp_path $work/$1/f;
    uwsgi_temp_path $work/$1/u; scgi_temp_path $work/$1/s;
    client_body_buffer_size 64k;
    $2
}
CONF
}
nginx_config upstream "server { listen 127.0.0.1:$upstream_port backlog=1024; default_type application/json;
        location / { return 201 '{\"msg\":\"Event capture request received!\",\"status\":201,\"data\":null}'; } }"
nginx_config proxy "upstream api { server 127.0.0.1:$upstream_port; keepalive 64; keepalive_requests 100000000; }
    server { listen 127.0.0.1:$proxy_port backlog=1024;
        location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }"
start_nginx() { # name, port, pinned by
    local name=$1 port=$2
    shift 2
    "$@" nginx -p "$work/$name" -c "$work/$name/nginx.conf" -e "$work/$name/error.log" &
    running+=($!)
    until_true 5 curl -fsS -o /dev/null "http://127.0.0.1:$port/"
}

daemon_pid=
intake=
observe=
start_daemon() { # upstream URL, further arguments
    local url=$1
    shift
    rm -rf "$spool"
    mkdir -p "$spool"
    : >"$work/daemon.log" # the last one's line must not be taken for this one's
    LINKRUNNER_SERVER_KEY=bench ${under_test[@]+"${under_test[@]}"} "$program" --set log.format=json \
        --set "intake.listen=[127.0.0.1:0]" --set observe.listen=127.0.0.1:0 --set "spool.directory=$spool" \
        --set spool.max_bytes=16GiB --set "upstream.url=$url" "$@" >"$work/daemon.log" 2>&1 &
    daemon_pid=$!
    running+=($!)
    until_true 10 grep -q '"linkrunnerd started"' "$work/daemon.log"
    local line
    line=$(grep '"linkrunnerd started"' "$work/daemon.log")
    intake=$(jq -r .listeners <<<"$line")
    observe=$(jq -r .observe <<<"$line")
}
metric() { curl -fsS "http://$observe/metrics" | awk -v name="$1" '$1 == name { printf "%.0f", $2 }'; }
stop_daemon() {
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null || true
    running=("${running[@]:0:${#running[@]}-1}")
}

# Load: wrk; answers the line of JSON with the CPU of the pids given added as us_per_event.
load() { # address, batch, seconds, pids...
    local address=$1 batch=$2 length=$3 before after line
    shift 3
    before=$(cpu_ticks "$@")
    line=$(BATCH=$batch ${beside[@]+"${beside[@]}"} wrk -t1 -c"$connections" -d"${length}s" \
        -s "$top/tests/bench/post.lua" "http://$address" | tail -n 1)
    after=$(cpu_ticks "$@")
    jq -c --argjson ticks $((after - before)) --argjson hz "$tick" --argjson batch "$batch" \
        '. + {us_per_event: ($ticks / $hz * 1e6 / (.requests * $batch) * 100 | round / 100)}' <<<"$line"
}
results=$work/results.ndjson
: >"$results"
note() { # name, JSON
    jq -c --arg name "$1" '{name: $name} + .' <<<"$2" | tee -a "$results" >&2
}

# Measurements -----------------------------------------------------------------------------------------------
start_nginx upstream "$upstream_port" ${beside[@]+"${beside[@]}"}
start_nginx proxy "$proxy_port" ${under_test[@]+"${under_test[@]}"}
mapfile -t proxy_pids < <(cat "$work/proxy/nginx.pid" && pgrep -P "$(cat "$work/proxy/nginx.pid")")
through="http://127.0.0.1:$upstream_port/api/v1"
flat_out=(--set delivery.rate=100000/s --set delivery.burst=64 --set delivery.adaptive=false
    --set delivery.max_in_flight=64 --set upstream.connections=64)

say "idle"
start_daemon "$through"
until_true 5 curl -fsS "http://$observe/readyz"
note idle "{\"rss_kb\":$(rss_kb "$daemon_pid")}"
stop_daemon

# Delivery of what waits, and of what comes in meanwhile, counted at the daemon over a window.
end_to_end() { # name, upstream URL
    local name=$1 before after ticks start line
    start_daemon "$2" "${flat_out[@]}"
    ticks=$(cpu_ticks "$daemon_pid")
    before=$(metric linkrunnerd_events_delivered_total)
    start=$(date +%s%N)
    line=$(load "$intake" 1 "$seconds" "$daemon_pid")
    after=$(metric linkrunnerd_events_delivered_total)
    note "$name" "$(jq -c --argjson delivered $((after - before)) --argjson ns $(($(date +%s%N) - start)) \
        --argjson ticks $(($(cpu_ticks "$daemon_pid") - ticks)) --argjson hz "$tick" \
        --argjson pending "$(metric 'linkrunnerd_ledger_events{state="pending"}')" --argjson rss "$(rss_kb "$daemon_pid")" \
        '. + {delivered_per_second: ($delivered / $ns * 1e9 | round), pending: $pending, rss_kb: $rss,
              us_per_delivered: ($ticks / $hz * 1e6 / $delivered * 100 | round / 100)}' <<<"$line")"
    stop_daemon
}
for run in $(seq "$runs"); do
    say "run $run of $runs: nginx proxy_pass"
    note nginx "$(load "127.0.0.1:$proxy_port" 1 "$seconds" "${proxy_pids[@]}")"

    say "run $run of $runs: single POSTs, durable"
    start_daemon "$through"
    note single "$(load "$intake" 1 "$seconds" "$daemon_pid")"
    stop_daemon

    say "run $run of $runs: NDJSON batches of 100, durable"
    start_daemon "$through"
    note batch "$(load "$intake" 100 "$seconds" "$daemon_pid")"
    stop_daemon

    say "run $run of $runs: end to end to the same upstream as nginx"
    end_to_end through "$through"

    say "run $run of $runs: end to end to linkrunner-sandbox"
    : >"$work/sandbox.log"
    ${beside[@]+"${beside[@]}"} "$sandbox" --listen 127.0.0.1:0 >"$work/sandbox.log" 2>&1 &
    sandbox_pid=$!
    until_true 5 grep -qE '127\.0\.0\.1:[1-9]' "$work/sandbox.log"
    end_to_end sandbox "http://$(grep -oE '127\.0\.0\.1:[1-9][0-9]*' "$work/sandbox.log" | head -n 1)/api/v1"
    kill "$sandbox_pid"
    wait "$sandbox_pid" 2>/dev/null || true
done
stop_all

# Report -----------------------------------------------------------------------------------------------------
spread() { # name, field: median [lowest–highest]
    jq -rs --arg name "$1" "[.[] | select(.name == \$name) | .$2] | sort |
        if length == 1 then \"\(.[0])\" else \"\(.[length / 2 | floor]) [\(.[0])–\(.[-1])]\" end" "$results"
}
middle() { jq -rs --arg name "$1" "[.[] | select(.name == \$name) | .$2] | sort | .[length / 2 | floor]" "$results"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
bad=$(jq -s 'map((.bad // 0) + (.errors // 0)) | add' "$results")
cat <<TABLE
$(date -u +%Y-%m-%d), $(git describe --always --dirty 2>/dev/null || echo no git), $(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r), spool on $(findmnt -no FSTYPE -T "$spool"); $connections keep-alive connections, 324-byte events, $runs runs of $seconds s, median [lowest–highest]; answers that were no success: $bad

| | events/s in | p50 ms | p99 ms | events/s out | CPU µs/event |
|---|---|---|---|---|---|
| nginx proxy_pass (stores nothing) | $(spread nginx per_second) | $(spread nginx p50_ms) | $(spread nginx p99_ms) | the same | $(spread nginx us_per_event) |
| linkrunnerd, single POSTs, durable, 29/s out | $(spread single per_second) | $(spread single p50_ms) | $(spread single p99_ms) | 29 | $(spread single us_per_event) |
| linkrunnerd, NDJSON batches of 100, durable, 29/s out | $(spread batch per_second) | $(spread batch p50_ms) | $(spread batch p99_ms) | 29 | $(spread batch us_per_event) |
| linkrunnerd in and out, same upstream as nginx | $(spread through per_second) | $(spread through p50_ms) | $(spread through p99_ms) | $(spread through delivered_per_second) | $(spread through us_per_delivered) a delivered event |
| linkrunnerd in and out, linkrunner-sandbox | $(spread sandbox per_second) | $(spread sandbox p50_ms) | $(spread sandbox p99_ms) | $(spread sandbox delivered_per_second) | $(spread sandbox us_per_delivered) a delivered event |

| | goal | measured |
|---|---|---|
| single POSTs/s, durable | 15,000 | $(middle single per_second) ($(ratio "$(middle single per_second)" "$(middle nginx per_second)") of nginx) |
| events/s in batches of 100 | 200,000 | $(middle batch per_second) |
| events/s delivered, one request each | 10,000 | $(middle sandbox delivered_per_second) to the sandbox, $(middle through delivered_per_second) to nginx |
| CPU per delivered event beside nginx | | $(ratio "$(middle through us_per_delivered)" "$(middle nginx us_per_event)") times nginx |
| idle RSS | 12 MB | $(awk -v kb="$(middle idle rss_kb)" 'BEGIN { printf "%.1f MB", kb / 1024 }') |
| clean Release build of both programs | 300 s | ${build_seconds:+$build_seconds s} |
TABLE
