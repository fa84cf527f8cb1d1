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
mkdir -p "$root/etc/systemd/system/linkrunnerd.service.d"
printf '[Service]\nGroup=linkrunner\n' >"$root/etc/systemd/system/linkrunnerd.service.d/group.conf"
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

step "start: systemctl waits for READY=1"
in_tree systemctl start sandbox
until_true 10 get http://127.0.0.1:8080/summary
in_tree systemctl enable --quiet --now linkrunnerd
expect "state" active "$(show ActiveState)"
echo "   status text: $(show StatusText)"
get http://127.0.0.1:7418/readyz >/dev/null
pid=$(show MainPID)
uid=$(in_tree awk '/^Uid/{print $2}' "/proc/$pid/status")
[ "$uid" -ge 61184 ] || fail "runs as user $uid, not as a dynamic one"
echo "   ok  runs as dynamic user: $uid"
expect "capabilities" 0000000000000000 "$(in_tree awk '/^CapEff/{print $2}' "/proc/$pid/status")"
expect "spool is the daemon's alone" "$uid 700" "$(in_tree stat -L -c '%u %a' /var/lib/linkrunnerd)"
expect "the key is not in its environment" 0 "$(in_tree grep -c k3y "/proc/$pid/environ" || true)"

expect "group of the socket" "linkrunner 660" "$(in_tree stat -c '%G %a' /run/linkrunnerd/intake.sock)"

step "events over TCP and the Unix socket"
event tcp u1 s-1 | post http://127.0.0.1:7417/v1/events >/dev/null
event unix u2 s-2 | post --unix-socket /run/linkrunnerd/intake.sock http://localhost/v1/events >/dev/null
until_true 10 arrived 2

step "SIGKILL with a backlog: restarted, nothing lost"
get -X PUT --data 'status=503' http://127.0.0.1:8080/faults >/dev/null
for i in $(seq 3 300); do event bulk "u$i" "s-$i"; echo; done |
    post_lines http://127.0.0.1:7417/v1/events >/dev/null
in_tree systemctl kill --signal=KILL linkrunnerd
until_true 20 is NRestarts 1
until_true 20 is ActiveState active
get -X DELETE http://127.0.0.1:8080/faults >/dev/null
until_true 60 arrived 300
expect "events at the API" 300 "$(get http://127.0.0.1:8080/summary | jq .unique)"

step "a hang is noticed by the watchdog"
in_tree systemctl kill --signal=STOP linkrunnerd
until_true 30 is NRestarts 2
until_true 20 is ActiveState active
until_true 10 get http://127.0.0.1:7418/readyz

step "the key at the API changes: held, then a new credential"
get -X PUT --data 'second-k3y' http://127.0.0.1:8080/key >/dev/null
event held u-held s-held | post http://127.0.0.1:7417/v1/events >/dev/null
held() { [ "$(get http://127.0.0.1:7418/status | jq -r .upstream.state)" = held_unauthorized ]; }
until_true 10 held
install -m 0600 /dev/stdin "$root/etc/linkrunnerd/server.key" <<<"second-k3y"
in_tree systemctl restart linkrunnerd # credentials are read by systemd at the start
until_true 20 arrived 301
in_tree systemctl reload linkrunnerd
expect "state after a reload" active "$(show ActiveState)"

step "stop"
in_tree systemctl stop linkrunnerd
expect "result" success "$(show Result)"
expect "exit code" 0 "$(show ExecMainStatus)"
expect "sockets left behind" 0 "$(in_tree find /run/linkrunnerd -type s 2>/dev/null | wc -l)"

step "a wrong configuration is not tried again and again"
cp "$root/etc/linkrunnerd/linkrunnerd.yaml" "$places/good.yaml"
echo 'upstraem: {}' >>"$root/etc/linkrunnerd/linkrunnerd.yaml"
in_tree systemctl start linkrunnerd 2>/dev/null && fail "started with a wrong configuration"
until_true 10 is ActiveState failed
expect "exit code" 78 "$(show ExecMainStatus)"
cp "$places/good.yaml" "$root/etc/linkrunnerd/linkrunnerd.yaml"

journal=$(in_tree journalctl --no-pager -o json -u linkrunnerd)
expect "journal has warnings by priority" yes "$(jq -r 'select(.PRIORITY=="4") | .MESSAGE' <<<"$journal" | grep -q . && echo yes)"
expect "the key is in no log" "" "$(grep -F k3y <<<"$journal" || true)"
echo "systemd: all as documented"
