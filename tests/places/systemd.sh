#!/bin/bash
# The service in a Debian that is booted for it, with systemd as process 1 in namespaces of its own: the package
# installed, then started, reloaded, killed, hung, stopped. Needs root.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/booted.sh"

step "a Debian tree with systemd"
fresh_tree systemd
# As docs/install-host.md lets other services post over the socket.
echo 'linkrunner:x:990:' >>"$root/etc/group"
mkdir -p "$root/etc/systemd/system/linkrunnerd.service.d" "$root/etc/systemd/system/linkrunnerd.socket.d"
printf '[Socket]\nSocketGroup=linkrunner\n' >"$root/etc/systemd/system/linkrunnerd.socket.d/group.conf"
# A hang is to be noticed while the test watches.
printf '[Service]\nWatchdogSec=2s\n' >"$root/etc/systemd/system/linkrunnerd.service.d/watchdog.conf"
add_sandbox first-k3y
boot

step "install"
package=$("$top/daemon/package.sh")
install_package "$package" >"$places/install.log" 2>&1 || { cat "$places/install.log"; exit 1; }
unit=/lib/systemd/system/linkrunnerd.service
expect "the unit verifies" "" "$(systemd-analyze verify --root="$root" linkrunnerd.service 2>&1)"
exposure=$(systemd-analyze security --offline=true "$root$unit" 2>/dev/null | sed -nE 's/.*Overall exposure level.*: ([0-9.]+) .*/\1/p')
awk -v e="$exposure" 'BEGIN { exit !(e <= 1.2) }' || fail "exposure $exposure, 1.2 at most"
echo "   ok  exposure: $exposure"

install -m 0600 /dev/stdin "$root/etc/linkrunnerd/server.key" <<<"first-k3y"
cat >"$root/etc/linkrunnerd/linkrunnerd.yaml" <<CONF
upstream:
  url: http://127.0.0.1:8080/api/v1
delivery:
  rate: 500/s
  hold_probe: 1s
shutdown:
  drain: 2s
CONF

units=(linkrunnerd.service linkrunnerd.socket linkrunnerd-control.socket)
sockets=(linkrunnerd.socket linkrunnerd-control.socket)
unix_socket=/run/linkrunnerd/intake.sock
of() { in_tree systemctl show --property "$2" --value "$1"; } # unit, property
of_is() { [ "$(of "$1" "$2")" = "$3" ]; }
status_is() { [[ "$(show StatusText)" == $1 ]]; } # a pattern
ledger() { get http://127.0.0.1:7418/status | jq ".ledger.$1"; }
reached() { [ "$(ledger "$1")" -ge "$2" ]; }
unique() { get http://127.0.0.1:8080/summary | jq .unique; }
refused() { # curl's exit code 7: nobody listens
    local code=0
    in_tree curl -s -m 5 -o /dev/null "$@" || code=$?
    [ $code -eq 7 ]
}

step "all units verify"
expect "units" "" "$(systemd-analyze verify --root="$root" "${units[@]}" 2>&1)"

step "start: systemctl waits for READY=1"
# However slow this machine is: what makes a broken socket fail is to be seen.
printf '[Socket]\nTriggerLimitIntervalSec=1h\n' >"$root/etc/systemd/system/linkrunnerd.socket.d/limit.conf"
in_tree systemctl start sandbox
until_true 10 get http://127.0.0.1:8080/summary
sed -i 's|rate: .*|rate: 5000/s|' "$root/etc/linkrunnerd/linkrunnerd.yaml"
in_tree systemctl enable --quiet --now linkrunnerd
for unit in "${units[@]}"; do
    expect "$unit" "active enabled" "$(in_tree systemctl is-active "$unit") $(in_tree systemctl is-enabled "$unit")"
done
status_is 'healthy: 0 waiting, *' || fail "status text: $(show StatusText)"
get http://127.0.0.1:7418/readyz >/dev/null
pid=$(show MainPID)
uid=$(in_tree awk '/^Uid/{print $2}' "/proc/$pid/status")
[ "$uid" -ge 61184 ] || fail "runs as user $uid, not as a dynamic one"
echo "   ok  runs as dynamic user: $uid"
expect "capabilities" 0000000000000000 "$(in_tree awk '/^CapEff/{print $2}' "/proc/$pid/status")"
expect "spool is the daemon's alone" "$uid 700" "$(in_tree stat -L -c '%u %a' /var/lib/linkrunnerd)"
expect "the key is not in its environment" 0 "$(in_tree grep -c k3y "/proc/$pid/environ" || true)"
echo "   resident memory, idle: $(in_tree awk '/^VmRSS/{print $2, $3}' "/proc/$pid/status"), threads: $(in_tree ls "/proc/$pid/task" | wc -l)"

step "sockets of systemd, by name"
expect "intake" "root linkrunner 660" "$(in_tree stat -c '%U %G %a' $unix_socket)"
expect "control" "root root 600" "$(in_tree stat -c '%U %G %a' /run/linkrunnerd/control.sock)"
expect "listeners" '["127.0.0.1:7417","unix:/run/linkrunnerd/intake.sock"]' \
    "$(in_tree linkrunnerctl status --json | jq -c .listeners)"

step "events over TCP and the Unix socket"
event tcp u1 s-1 | post http://127.0.0.1:7417/v1/events >/dev/null
event unix u2 s-2 | post --unix-socket $unix_socket http://localhost/v1/events >/dev/null
until_true 10 arrived 2

# Clients that count every refusal and failure, from here to load_ends.
clang++-19 -std=c++20 -O1 -pthread "$top/tests/places/steady_load.cpp" -o "$root/usr/local/bin/steady_load"
load_begins() { # prefix of the event ids
    accepted_before=$(ledger accepted)
    in_tree steady_load "$1" 127.0.0.1:7417 "unix:$unix_socket" >"$places/load.json" &
    load=$!
    until_true 20 reached accepted $((accepted_before + 500))
}
load_goes_on() { until_true 60 reached accepted $(($(ledger accepted) + 500)); }
load_ends() {
    in_tree pkill -TERM -x steady_load
    wait "$load"
    report=$(cat "$places/load.json")
    echo "   $report"
    [ "$(field .answered "$report")" -gt 1000 ] || fail "too little load: $report"
}

step "restarts under load: no connection is refused, no request fails, nothing is lost or stored twice"
before=$(unique)
load_begins restart
for _ in 1 2 3; do
    in_tree systemctl restart linkrunnerd
    load_goes_on
done
load_ends
expect "connections refused" 0 "$(field .refused "$report")"
expect "requests failed" 0 "$(field .failed "$report")"
until_true 60 arrived $((before + $(field .answered "$report")))
expect "events at the API" $((before + $(field .answered "$report"))) "$(unique)"
expect "restarts by failure" 0 "$(show NRestarts)"

step "SIGKILL under load: no connection is refused, all that was answered arrives"
before=$(unique)
load_begins kill
for round in 1 2 3; do
    in_tree systemctl kill --signal=KILL linkrunnerd
    until_true 20 is NRestarts $round
    until_true 20 is ActiveState active
    load_goes_on
done
load_ends
expect "connections refused" 0 "$(field .refused "$report")"
until_true 60 arrived $((before + $(field .answered "$report")))
echo "   requests in hand when it was killed: $(field .failed "$report")"

step "SIGKILL with a backlog: nothing lost"
before=$(unique)
get -X PUT --data 'status=503' http://127.0.0.1:8080/faults >/dev/null
for i in $(seq 3 300); do event bulk "u$i" "s-$i"; echo; done |
    post_lines http://127.0.0.1:7417/v1/events >/dev/null
in_tree systemctl kill --signal=KILL linkrunnerd
until_true 20 is NRestarts 4
until_true 20 is ActiveState active
get -X DELETE http://127.0.0.1:8080/faults >/dev/null
until_true 60 arrived $((before + 298))
expect "events at the API" $((before + 298)) "$(unique)"

step "a hang is noticed by the watchdog; whoever connects meanwhile is served after it"
in_tree systemctl kill --signal=STOP linkrunnerd
event hang u-hang s-hang | post -m 60 http://127.0.0.1:7417/v1/events >"$places/hang.json" &
during=$!
until_true 30 is NRestarts 5
wait $during
expect "answer" s-hang "$(jq -r .data.event_id "$places/hang.json")"
until_true 20 is ActiveState active
until_true 10 arrived $((before + 299))

step "the key at the API changes: held, told by the status text, then a new credential"
get -X PUT --data 'second-k3y' http://127.0.0.1:8080/key >/dev/null
event held u-held s-held | post http://127.0.0.1:7417/v1/events >/dev/null
until_true 10 status_is 'held_unauthorized: 1 waiting; 401 *'
echo "   status text: $(show StatusText)"
install -m 0600 /dev/stdin "$root/etc/linkrunnerd/server.key" <<<"second-k3y"
in_tree systemctl restart linkrunnerd # credentials are read by systemd at the start
until_true 20 arrived $((before + 300))
until_true 10 status_is 'healthy: 0 waiting, 5000/s, 1 delivered in the last minute'
in_tree systemctl reload linkrunnerd
expect "state after a reload" active "$(show ActiveState)"

step "the journal finds an event"
get -X PUT --data 'status=400' http://127.0.0.1:8080/faults >/dev/null
event odd u-odd s-odd | post http://127.0.0.1:7417/v1/events >/dev/null
until_true 10 reached dead 1
get -X DELETE http://127.0.0.1:8080/faults >/dev/null
entry=$(in_tree journalctl --no-pager -o json -u linkrunnerd EVENT_ID=s-odd)
expect "priority, reason, name" "4 rejected linkrunnerd" \
    "$(field '[.PRIORITY, .REASON, .SYSLOG_IDENTIFIER] | join(" ")' "$entry")"
[[ "$(field .MESSAGE "$entry")" == "event moved to the dead letters"*event_id=s-odd* ]] || fail "message: $entry"
echo "   ok  $(field .MESSAGE "$entry")"

step "stop; a connection starts it again"
in_tree systemctl stop linkrunnerd 2>/dev/null # systemctl says which sockets go on listening
expect "result" success "$(show Result)"
expect "exit code" 0 "$(show ExecMainStatus)"
expect "last line in the journal has its fields" 0 \
    "$(in_tree journalctl --no-pager -o json -u linkrunnerd | jq -r 'select(.MESSAGE | startswith("linkrunnerd stopped")) | .PENDING' | tail -n 1)"
expect "sockets stay" 2 "$(in_tree find /run/linkrunnerd -type s | wc -l)"
event again u-again s-again | post --unix-socket $unix_socket http://localhost/v1/events >/dev/null
expect "state" active "$(show ActiveState)"
until_true 10 arrived $((before + 301))

step "stop for good: with the sockets"
in_tree systemctl stop linkrunnerd "${sockets[@]}"
refused http://127.0.0.1:7417/ || fail "somebody still listens"
expect "sockets left behind" 0 "$(in_tree find /run/linkrunnerd -type s 2>/dev/null | wc -l)"

step "a wrong configuration is not tried again and again"
cp "$root/etc/linkrunnerd/linkrunnerd.yaml" "$places/good.yaml"
echo 'upstraem: {}' >>"$root/etc/linkrunnerd/linkrunnerd.yaml"
tried() { in_tree journalctl --no-pager -u linkrunnerd | grep -c 'status=78' || true; }
in_tree systemctl start linkrunnerd 2>/dev/null && fail "started with a wrong configuration"
until_true 10 is ActiveState failed
expect "exit code" 78 "$(show ExecMainStatus)"
expect "sockets listen" "active active" "$(in_tree systemctl is-active "${sockets[@]}" | paste -sd' ')"
expect "tries" 1 "$(tried)"
expect "the mistake has the priority of an error" yes \
    "$(in_tree journalctl --no-pager -o json -u linkrunnerd -p err | jq -r .MESSAGE | grep -q upstraem && echo yes)"
# A client: the service is tried for it, a few times and no more; then the socket says that it is broken.
in_tree curl -s -m 60 http://127.0.0.1:7417/ -o /dev/null && fail "answered with a wrong configuration"
until_true 60 of_is linkrunnerd.socket Result trigger-limit-hit
until_true 10 refused http://127.0.0.1:7417/
echo "   tried $(tried) times"
[ "$(tried)" -le 21 ] || fail "tried $(tried) times"
cp "$places/good.yaml" "$root/etc/linkrunnerd/linkrunnerd.yaml"
in_tree systemctl start linkrunnerd # brings its sockets with it
event mended u-mended s-mended | post http://127.0.0.1:7417/v1/events >/dev/null
expect "sockets" "active active" "$(in_tree systemctl is-active "${sockets[@]}" | paste -sd' ')"

step "a host without the sockets: masked, and a directory for the daemon's own"
in_tree systemctl stop linkrunnerd "${sockets[@]}"
in_tree systemctl mask --quiet "${sockets[@]}"
printf '[Service]\nRuntimeDirectory=linkrunnerd\n' >"$root/etc/systemd/system/linkrunnerd.service.d/own-sockets.conf"
in_tree systemctl daemon-reload
in_tree systemctl start linkrunnerd
event own u-own s-own | post --unix-socket $unix_socket http://localhost/v1/events >/dev/null
expect "control socket" healthy "$(in_tree linkrunnerctl status --json | jq -r .daemon.upstream.state)"
in_tree systemctl stop linkrunnerd
refused http://127.0.0.1:7417/ || fail "somebody still listens"
rm "$root/etc/systemd/system/linkrunnerd.service.d/own-sockets.conf"
in_tree systemctl unmask --quiet "${sockets[@]}"
in_tree systemctl daemon-reload
in_tree systemctl start linkrunnerd
until_true 10 arrived $((before + 303))

step "another address, by a drop-in of the socket"
printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:9000\nListenStream=%s\n' $unix_socket \
    >"$root/etc/systemd/system/linkrunnerd.socket.d/addresses.conf"
in_tree systemctl daemon-reload
in_tree systemctl stop linkrunnerd linkrunnerd.socket 2>/dev/null
in_tree systemctl start linkrunnerd
expect "listeners" '["127.0.0.1:9000","unix:/run/linkrunnerd/intake.sock"]' \
    "$(in_tree linkrunnerctl status --json | jq -c .listeners)"
event nine u-nine s-nine | post http://127.0.0.1:9000/v1/events >/dev/null
refused http://127.0.0.1:7417/ || fail "somebody listens on the former address"
rm "$root/etc/systemd/system/linkrunnerd.socket.d/addresses.conf"

step "disabled: with its sockets"
in_tree systemctl disable --quiet linkrunnerd
for unit in "${units[@]}"; do
    expect "$unit" disabled "$(in_tree systemctl is-enabled "$unit" || true)"
done

journal=$(in_tree journalctl --no-pager -o json -u linkrunnerd)
expect "the key is in no log" "" "$(grep -F k3y <<<"$journal" || true)"
echo "systemd: all as documented"
