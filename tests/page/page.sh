#!/bin/bash
# The live page in headless Chromium, before a real linkrunnerd whose upstream is healthy, throttled, held and
# down, and without any linkrunnerd. Checks that state and numbers appear, that text from outside stays text, that
# the console stays silent, and (harness.js) that it fits a phone, works by keyboard, has names and tables for
# screen readers, and announces only what changes. Leaves screenshots (light, dark, phone) in build/page for people to look at.
#
#   tests/page/page.sh [folder of the programs; build/asan by default]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
programs=${1:-$top/build/asan}
shots=$top/build/page
rm -rf "$shots"
mkdir -p "$shots"
home=$(mktemp -d)
children=()
trap '[ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true; wait; rm -rf "$home"' EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
until_true() { # command...
    local end=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "not in time: $*"
        sleep 0.05
    done
}
browser() { # arguments of Chromium; what it says is in $home/said
    timeout 60 chromium-headless-shell --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr \
        --user-data-dir="$home/profile" --virtual-time-budget="${budget:-7000}" "$@" 2>"$home/said" || fail "Chromium: $(cat "$home/said")"
}
shot() { # name, width, height, arguments...
    local name=$1 width=$2 height=$3
    shift 3
    browser --window-size="$width,$height" --screenshot="$shots/$name.png" "$@" "$page" >/dev/null
}
look() { # the document as it is after seven seconds, in $home/seen
    browser --dump-dom "$page" >"$home/seen"
    ! grep -F ':CONSOLE' "$home/said" || fail "$scene: the console is not silent"
}
shows() { # text...
    local text
    for text in "$@"; do
        grep -qF -- "$text" "$home/seen" || fail "$scene: '$text' is not on the page: $(cat "$home/seen")"
        printf '   ok  %s: %s\n' "$scene" "$text"
    done
}
state_is() { [ "$(curl -fsS "$page/status" | jq -r .upstream.state)" = "$1" ]; }
delivered() { [ "$(curl -fsS "$page/status" | jq -r .ledger.delivered)" = "$1" ]; }

# A sandbox and a linkrunnerd for it, with seven events posted.
scene() { # name, key of the daemon, arguments of the sandbox...
    scene=$1
    printf -- '-- %s\n' "$scene"
    local key=$2 into=$home/$1
    shift 2
    mkdir "$into"
    "$programs/linkrunner-sandbox" --listen 127.0.0.1:0 --port-file "$into/port" --key right-key "$@" >"$into/sandbox.log" 2>&1 &
    children+=($!)
    sandbox=$!
    until_true test -s "$into/port"
    : >"$into/linkrunnerd.yaml"
    LINKRUNNER_SERVER_KEY=$key "$programs/linkrunnerd" --config "$into/linkrunnerd.yaml" --set upstream.url="http://127.0.0.1:$(cat "$into/port")/api/v1" \
        --set spool.directory="$into/spool" --set intake.listen="unix:$into/intake.sock" --set observe.listen=127.0.0.1:0 \
        --set control.listen="unix:$into/control.sock" --set delivery.backoff.initial=10ms --set delivery.backoff.max=20ms \
        --set log.format=json >"$into/log" 2>&1 &
    daemon=$!
    children+=("$daemon")
    until_true grep -q 'linkrunnerd started' "$into/log"
    page=http://$(jq -r 'select(.msg == "linkrunnerd started").observe' "$into/log")
    intake=$into/intake.sock
}
post() { # how many
    local i
    for i in $(seq "$1"); do printf '{"event_name":"item_viewed","user_id":"u%s"}\n' "$i"; done |
        curl -fsS --unix-socket "$intake" -H 'Content-Type: application/x-ndjson' --data-binary @- http://localhost/v1/events >/dev/null
}

scene healthy right-key
post 7
until_true delivered 7
look
shows '<h2>healthy</h2>' '<td class="number">7</td>' 'Age at delivery' 'aria-label="Events per second'
shot healthy 1200 1500
shot healthy-dark 1200 1500 --blink-settings=preferredColorScheme=0
shot healthy-phone 360 2600

scene=configuration
printf -- '-- %s\n' "$scene"
printf 'intake: {drop_in_status: 500}\nlog: {levle: info}\n' >"$home/healthy/linkrunnerd.yaml"
kill -HUP "$daemon"
until_true sh -c "curl -fsS '$page/status' | jq -e '.configuration.reload_success == false'"
look
shows 'The changed configuration was refused' 'linkrunnerd.yaml:1:26' "unknown key 'log.levle'"
shot configuration 1200 900

scene throttled right-key --fault 'status=429 retry_after=100'
post 7
until_true state_is throttled
look
shows '<h2>throttled</h2>' '429 with Retry-After: 100' 'Next try in' 'What to do: ' '<td class="number">7</td>'
shot throttled 1200 1500

scene held wrong-key
post 7
until_true state_is held_unauthorized
look
shows '<h2>held unauthorized</h2>' 'The API refuses the server key' 'cannot be said' 'held_unauthorized”'
shot held 1200 1500
shot held-phone-dark 360 2600 --blink-settings=preferredColorScheme=0

scene down right-key
kill "$sandbox"
wait "$sandbox" || true
post 7
until_true state_is outage
look
shows '<h2>outage</h2>' 'Connection refused' 'What to do: '
shot down 1200 1500

scene text right-key --fault "status=500 message='<img src=x onerror=console.error(1)><b>bold</b>'"
post 1
until_true state_is outage
look
shows '&lt;img src=x onerror=console.error(1)&gt;'

scene=harness
printf -- '-- %s\n' "$scene"
{
    printf '<script>const recorded = {status: %s, history: %s};</script><script>' \
        "$(curl -fsS "$page/status" | sed 's/</\\u003c/g')" "$(curl -fsS "$page/history.json")"
    cat "$top/tests/page/harness.js"
    printf '</script>'
} >"$home/harness.html"
curl -fsS "$page/" | sed "/<title>/r $home/harness.html" >"$home/harnessed.html"
address=$page
page=file://$home/harnessed.html
for width in 360 1200; do
    budget=17000 browser --window-size="$width,1000" --dump-dom "$page" >"$home/seen"
    shows "<pre id=\"findings\">all as it should be at $width"
done
shot full-phone 360 2600
page=$address

scene=gone
printf -- '-- %s\n' "$scene"
curl -fsS "$page/" >"$home/page.html"
page=file://$home/page.html
browser --dump-dom "$page" >"$home/seen"
shows 'linkrunnerd does not answer since' 'no answer – linkrunnerd'
shot gone 1200 700
echo "page: as it should be; screenshots in $shots"
