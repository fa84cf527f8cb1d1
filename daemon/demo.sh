#!/bin/bash
# Shows linkrunnerd at work on this machine, against a fake Linkrunner API: needs Debian 12, nothing else. Installs
# the packages that are missing (root or sudo), builds, posts events in three ways, rides out a storm of 429s, kills
# the daemon with events waiting, and adds up what arrived. Everything runs on the loopback interface, in a
# temporary directory that is removed at the end. Exits 1 when a number is not as it must be.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

work=$(mktemp -d /tmp/linkrunnerd-demo.XXXXXX)
daemon_pid=
sandbox_pid=
clean_up() {
    local status=$?
    trap - EXIT
    for pid in $daemon_pid $sandbox_pid; do
        { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
    done
    if [ $status -ne 0 ]; then
        echo
        echo "The demo failed. The last lines of the daemon's log:"
        tail -n 20 "$work/daemon.log" 2>/dev/null
    fi
    rm -rf "$work"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM

title() { printf '\n%s\n%s\n' "$*" "${*//?/-}"; }
fail() {
    echo "NOT AS IT MUST BE: $*"
    exit 1
}
until_true() { # seconds, command...
    local end=$((SECONDS + $1)) pause=0.05
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        sleep $pause
    done
}
exec 3>&1
shown() { # prints the command as a user would type it, and the beginning of its answer; answers the whole
    local answer
    {
        printf '$'
        printf ' %s' "${@@Q}" | sed -E "s/'([a-zA-Z0-9_.:/=@%+,-]+)'/\1/g"
        printf '\n'
    } >&3
    answer=$("$@")
    if [ ${#answer} -gt 200 ]; then
        echo "${answer:0:120}..." >&3
    else
        echo "$answer" >&3
    fi
    echo "$answer"
}

title "1. Packages and build"
daemon/packages.sh build demo
began=$SECONDS
cmake -S . -B build/demo -G Ninja -DCMAKE_BUILD_TYPE=Release -DLINKRUNNER_TESTS=OFF \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >"$work/cmake.log" 2>&1 ||
    { cat "$work/cmake.log"; fail "cmake"; }
echo "compiling (a few minutes the first time) ..."
ninja -C build/demo --quiet linkrunnerd linkrunner-sandbox linkrunnerctl
echo "built in $((SECONDS - began)) s: build/demo/linkrunnerd, build/demo/linkrunner-sandbox, build/demo/linkrunnerctl"

title "2. A fake Linkrunner API, and linkrunnerd in front of it"
build/demo/linkrunner-sandbox --listen 127.0.0.1:0 --key demo-server-key --port-file "$work/port" \
    >"$work/sandbox.log" 2>&1 &
sandbox_pid=$!
until_true 10 test -s "$work/port"
api=http://127.0.0.1:$(cat "$work/port")
echo "linkrunner-sandbox stands in for the API at $api/api/v1"

start_daemon() {
    LINKRUNNER_SERVER_KEY=demo-server-key build/demo/linkrunnerd \
        --set "intake.listen=[127.0.0.1:${port:-0}, 'unix:$work/intake.sock']" --set observe.listen=127.0.0.1:0 \
        --set "control.listen=unix:$work/control.sock" \
        --set "spool.directory=$work/spool" --set "upstream.url=$api/api/v1" --set log.format=json \
        >>"$work/daemon.log" 2>&1 &
    daemon_pid=$!
    until_true 20 started
    local line
    line=$(grep '"linkrunnerd started"' "$work/daemon.log" | tail -n 1)
    port=$(jq -r .listeners <<<"$line" | sed -E 's/.*127\.0\.0\.1:([0-9]+).*/\1/')
    observe=http://$(jq -r .observe <<<"$line")
}
started() { grep '"linkrunnerd started"' "$work/daemon.log" | tail -n 1 | grep -q "\"pid\":${daemon_pid}[,}]"; }
start_daemon
echo "linkrunnerd takes events at 127.0.0.1:$port and $work/intake.sock,"
echo "keeps them in $work/spool, and sends 29 a second at most (delivery.rate)"

summary() { curl -fsS "$api/summary" | jq "$1"; }
ledger() { curl -fsS "$observe/status" | jq ".ledger.$1"; }
arrived() { [ "$(summary .unique)" -ge "$1" ]; }
recorded() { [ "$(ledger delivered)" -ge "$1" ]; }
expect() { [ "$2" = "$3" ] || fail "$1 is $3, and must be $2"; }

title "3. One event over TCP, to the path of the Linkrunner API"
echo "A client of the API changes its base URL and nothing else; the answer comes when the event is on disk."
answer=$(shown curl -sS "http://127.0.0.1:$port/api/v1/capture-event" --json \
    '{"event_name":"purchase_completed","user_id":"user-1","event_data":{"amount":1499.5,"currency":"INR"}}')
expect "its status" 201 "$(jq .status <<<"$answer")"

title "4. One event over the Unix socket, waiting for its delivery"
answer=$(shown curl -sS --unix-socket "$work/intake.sock" 'http://localhost/v1/events?wait=delivered' \
    --json '{"event_name":"level_completed","user_id":"user-2","event_id":"demo-2","event_data":{"level":7}}')
expect "its outcome" '"delivered"' "$(jq .data.outcome <<<"$answer")"
echo "The same again is recognised by its event_id, answered, and not sent twice:"
answer=$(shown curl -sS --unix-socket "$work/intake.sock" http://localhost/v1/events \
    --json '{"event_name":"level_completed","user_id":"user-2","event_id":"demo-2","event_data":{"level":7}}')
expect "duplicate" true "$(jq .data.duplicate <<<"$answer")"

title "5. A hundred events at once, as NDJSON"
for i in $(seq 100); do
    printf '{"event_name":"item_viewed","user_id":"user-%d","event_id":"view-%d","event_data":{"item":%d}}\n' $((i % 20)) "$i" "$i"
done >"$work/views.ndjson"
answer=$(shown curl -sS "http://127.0.0.1:$port/v1/events" -H 'Content-Type: application/x-ndjson' \
    --data-binary "@$work/views.ndjson")
expect "accepted" 100 "$(jq .data.accepted <<<"$answer")"
began=$SECONDS
for count in 30 60 102; do
    until_true 30 arrived $count
    echo "after $((SECONDS - began)) s the API has $(summary .unique) events"
done
echo "The last of them, as it arrived:"
curl -fsS "$api/events?limit=1" | jq -c '.[0].event'

title "6. A storm of 429s"
curl -fsS "$api/faults" --data 'status=429 retry_after=5 for=5s' >/dev/null
echo "For 5 s the API answers everything with 429 and Retry-After: 5. Meanwhile 50 more events come in:"
for i in $(seq 50); do
    printf '{"event_name":"cart_added","user_id":"user-%d","event_id":"cart-%d"}\n' $((i % 20)) "$i"
done | curl -fsS "http://127.0.0.1:$port/v1/events" -H 'Content-Type: application/x-ndjson' --data-binary @- |
    jq -c '{accepted: .data.accepted}'
state() { curl -fsS "$observe/status" | jq -r .upstream.state; }
throttled() { [ "$(state)" = throttled ]; }
until_true 10 throttled
at_pause=$(summary .requests)
echo "\$ linkrunnerctl status"
build/demo/linkrunnerctl --socket "$work/control.sock" status
in_pause=0
pause_began=$SECONDS
while [ $((SECONDS - pause_began)) -lt 30 ]; do
    now=$(summary .requests)
    throttled || break # what was counted before this was sent in the pause
    in_pause=$((now - at_pause))
done
until_true 60 arrived 152
limited=$(summary '.answers["429"] // 0')
echo "429s seen: $limited; requests sent during the pause: $in_pause; then everything arrived"
[ "$limited" -ge 1 ] || fail "no 429 was seen"
[ "$limited" -le 5 ] || fail "$limited requests ran into the limit, a handful at most was expected"
[ "$in_pause" -eq 0 ] || fail "$in_pause requests were sent during the pause"

title "7. kill -9 with events waiting"
for i in $(seq 60); do
    printf '{"event_name":"content_viewed","user_id":"user-%d","event_id":"content-%d"}\n' $((i % 20)) "$i"
done | curl -fsS "http://127.0.0.1:$port/v1/events" -H 'Content-Type: application/x-ndjson' --data-binary @- |
    jq -c '{accepted: .data.accepted}'
until_true 10 arrived 160
{ kill -KILL "$daemon_pid" && wait "$daemon_pid"; } 2>/dev/null || true
echo "killed when the API had $(summary .unique) of 212 events; started again:"
start_daemon
grep '"linkrunnerd started"' "$work/daemon.log" | tail -n 1 | jq -c '{message: .msg, pending, lost}'
until_true 60 arrived 212
until_true 10 recorded 212

title "8. The numbers"
twice=$(summary .duplicates)
accepted=$(ledger accepted)
delivered=$(ledger delivered)
pending=$(ledger pending)
row() { printf '  %-58s %6s\n' "$1" "$2"; }
row "events accepted (answered with success, on disk)" "$accepted"
row "events delivered" "$delivered"
row "events that wait" "$pending"
row "dead letters, dropped, lost" "$(ledger dead), $(ledger dropped), $(ledger lost)"
row "different events at the API" "$(summary .unique)"
row "duplicates at the API (in flight at the kill -9)" "$twice"
row "429s seen" "$limited"
row "requests sent during the pause that the 429 asked for" "$in_pause"
row "requests to the API in all" "$(summary .requests)"
row "most requests in any second" "$(summary .peak_per_second)"
row "memory of the daemon, MB" "$(awk '/^VmRSS/{printf "%.1f", $2 / 1024}' "/proc/$daemon_pid/status")"
expect "accepted" 212 "$accepted"
expect "delivered" 212 "$delivered"
expect "pending" 0 "$pending"
expect "dead" 0 "$(ledger dead)"
expect "lost" 0 "$(ledger lost)"
expect "different events at the API" 212 "$(summary .unique)"
[ "$twice" -le 32 ] || fail "$twice duplicates; no more than were in flight at the kill can be sent twice"

kill -TERM "$daemon_pid"
status=0
wait "$daemon_pid" || status=$?
daemon_pid=
expect "the exit code after SIGTERM" 0 "$status"

title "With the real API"
cat <<'WORDS'
Put the server key of your Linkrunner dashboard into a file that only you can read, then:

  build/demo/linkrunnerd --set upstream.server_key_file=/path/to/server.key \
      --set intake.listen='[127.0.0.1:7417]' --set spool.directory=/path/to/spool

and point your services at http://127.0.0.1:7417. docs/install-host.md makes it a service.
WORDS
