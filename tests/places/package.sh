#!/bin/bash
# The Debian package in a Debian that is booted for it: installed without and with a server key, upgraded over a
# running daemon with a backlog, removed, installed again, purged. Needs root.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/booted.sh"

step "two packages, the second one newer"
first=$("$top/daemon/package.sh")
second=$("$top/daemon/package.sh" --revision 2)
version() { dpkg-deb --field "$1" Version; }
dpkg --compare-versions "$(version "$second")" gt "$(version "$first")" || fail "the second package is not the newer one"
mapfile -t units < <(cd "$top/systemd" && printf '%s\n' *.service *.socket | grep -vF '*')
echo "   $(version "$first"): $(($(stat -c %s "$first") / 1000)) kB, installed $(dpkg-deb --field "$first" Installed-Size) KiB; units: ${units[*]}"

step "lintian"
lintian --fail-on error,warning "$first" 2>"$places/lintian.log" || { cat "$places/lintian.log"; fail "lintian"; }
lintian --fail-on info --display-info --tags hardening-no-pie,hardening-no-relro,hardening-no-bindnow,hardening-no-fortify-functions,unstripped-binary-or-object \
    "$first" 2>"$places/lintian.log" || { cat "$places/lintian.log"; fail "hardening"; }

step "installed without a key: clean, not started, says what to do"
fresh_tree package
add_sandbox k3y-of-the-test
boot
said=$(install_package "$first" 2>&1) || fail "apt: $said"
expect "what to do" "linkrunnerd: not started, it has no server key yet: put it into /etc/linkrunnerd/server.key (mode 0600), then: systemctl start linkrunnerd" \
    "$(grep '^linkrunnerd:' <<<"$said")"
states() { in_tree systemctl "$1" "${units[@]}" 2>&1 | sort | uniq -c | xargs || true; }
expect "units that are enabled" "${#units[@]} enabled" "$(states is-enabled)"
expect "units that are started" "${#units[@]} inactive" "$(states is-active)"
expect "files that differ from the package's" "" "$(in_tree dpkg --verify linkrunnerd)"
for file in usr/bin/{linkrunnerd,linkrunnerctl,linkrunner-sandbox} usr/share/man/man8/linkrunnerd.8.gz \
    usr/share/man/man1/{linkrunnerctl,linkrunner-sandbox}.1.gz usr/share/bash-completion/completions/linkrunnerctl \
    usr/share/doc/linkrunnerd/{copyright,changelog.Debian.gz,README.md,docs/configuration.md,config/linkrunnerd.yaml} \
    "${units[@]/#/lib/systemd/system/}"; do
    [ -s "$root/$file" ] || fail "the package has no $file"
done
expect "configuration files" /etc/linkrunnerd/linkrunnerd.yaml "$(in_tree dpkg-query -W -f '${Conffiles}' linkrunnerd | awk '{print $1}' | xargs)"

in_tree systemctl start linkrunnerd 2>/dev/null && fail "started without a key"
expect "started all the same: fails, and is not tried again and again" "failed 0" "$(show ActiveState) $(show NRestarts)"

step "with a key: the configuration as it came is right, and the daemon starts"
install -m 0600 /dev/stdin "$root/etc/linkrunnerd/server.key" <<<"k3y-of-the-test"
in_tree linkrunnerd --check >/dev/null || fail "--check of the configuration as it came: exit code $?"
# Edited as an administrator edits it, and quicker than the API allows.
sed -i 's|^  rate: 29/s.*|  rate: 2000/s\n  backoff: {max: 1s}\nupstream: {url: "http://127.0.0.1:8080/api/v1"}|' "$root/etc/linkrunnerd/linkrunnerd.yaml"
cp "$root/etc/linkrunnerd/linkrunnerd.yaml" "$places/edited.yaml"
in_tree systemctl start sandbox
until_true 10 get http://127.0.0.1:8080/summary
in_tree systemctl start "${units[@]}"
expect "state" active "$(show ActiveState)"
event order_paid u1 p-1 | post http://127.0.0.1:7417/v1/events >/dev/null
until_true 10 arrived 1

step "upgrade with a backlog, while events come in"
ledger() { get http://127.0.0.1:7418/status | jq ".ledger.$1"; }
get -X PUT --data 'status=503' http://127.0.0.1:8080/faults >/dev/null
for i in $(seq 2 5000); do event bulk "u$((i % 500))" "p-$i"; echo; done | post_lines http://127.0.0.1:7417/v1/events >/dev/null
expect "waiting" 4999 "$(ledger pending)"
# A client that sends an event until it is accepted, as clients should: the log has a line for each answer.
answers=$places/answers.log
cat >"$root/srv/client.sh" <<'CLIENT'
for i in $(seq 5001 100000); do
    while [ ! -e /srv/stop ]; do
        answer=$(curl -s -o /dev/null -w '%{http_code} %{time_total}' http://127.0.0.1:7417/v1/events \
            --json "{\"event_name\":\"live\",\"user_id\":\"u$((i % 50))\",\"event_id\":\"p-$i\"}")
        echo "$answer"
        [[ $answer != 20* ]] || break
    done
done
CLIENT
in_tree bash /srv/client.sh >"$answers" &
client=$!
answered() { [ "$(grep -c ^20 "$answers")" -ge "$1" ]; }
until_true 20 answered 20
old=$(show MainPID)
began=$(date +%s%N)
install_package "$second" >"$places/install.log" 2>&1 || fail "apt: $(cat "$places/install.log")"
echo "   upgraded in $((($(date +%s%N) - began) / 1000000)) ms"
expect "version" "$(version "$second")" "$(in_tree dpkg-query -W -f '${Version}' linkrunnerd)"
[ "$(show MainPID)" != "$old" ] || fail "the old daemon still runs"
expect "state" active "$(show ActiveState)"
until_true 20 answered $(($(grep -c ^20 "$answers") + 20))
touch "$root/srv/stop"
wait $client
# The sockets are systemd's: who connects while the daemon is away waits for its successor.
expect "requests that were not accepted at once" 0 "$(grep -vc '^20' "$answers" || true)"
live=$(grep -c ^20 "$answers")
echo "   $live events accepted meanwhile, the slowest answer took $(awk '/^20/{print $2}' "$answers" | sort -n | tail -n 1) s"
expect "waiting" $((4999 + live)) "$(ledger pending)"
get -X DELETE http://127.0.0.1:8080/faults >/dev/null
until_true 60 arrived $((5000 + live))
expect "events at the API" $((5000 + live)) "$(get http://127.0.0.1:8080/summary | jq .unique)"
expect "lost, dead, dropped" "0 0 0" "$(ledger 'lost, .ledger.dead, .ledger.dropped' | xargs)"
expect "the edited configuration" same "$(cmp -s "$places/edited.yaml" "$root/etc/linkrunnerd/linkrunnerd.yaml" && echo same)"

step "and back to the older version"
install_package "$first" --allow-downgrades >"$places/install.log" 2>&1 || fail "apt: $(cat "$places/install.log")"
expect "version" "$(version "$first")" "$(in_tree dpkg-query -W -f '${Version}' linkrunnerd)"
expect "state" active "$(show ActiveState)"
expect "delivered" $((5000 + live)) "$(ledger delivered)"

step "removed: stopped; spool and configuration stay"
get -X PUT --data 'status=503' http://127.0.0.1:8080/faults >/dev/null
for i in $(seq 300); do event bulk "u$i" "r-$i"; echo; done | post_lines http://127.0.0.1:7417/v1/events >/dev/null
accepted=$(ledger accepted)
apt remove linkrunnerd >"$places/install.log" 2>&1 || fail "apt: $(cat "$places/install.log")"
expect "units that run" 0 "$(in_tree systemctl list-units --no-legend --state=active,activating,failed 'linkrunnerd*' | wc -l)"
expect "processes" 0 "$(in_tree pgrep -c -x linkrunnerd || true)"
expect "programs" "" "$(find "$root/usr/bin" -name 'linkrunner*')"
expect "configuration and key" "linkrunnerd.yaml server.key" "$(ls "$root/etc/linkrunnerd" | xargs)"
[ -n "$(find "$root/var/lib/private/linkrunnerd" -name '*.log')" ] || fail "the spool is gone"

step "installed again: goes on with what waited"
install_package "$second" >"$places/install.log" 2>&1 || fail "apt: $(cat "$places/install.log")"
expect "state" active "$(show ActiveState)"
expect "units that are enabled" "${#units[@]} enabled" "$(states is-enabled)"
expect "accepted, as before" "$accepted" "$(ledger accepted)"
get -X DELETE http://127.0.0.1:8080/faults >/dev/null
until_true 60 arrived $((5300 + live))

step "a spool of format 1, written by an earlier version"
in_tree systemctl stop "${units[@]}"
spool=/var/lib/private/linkrunnerd
rm -rf "$root$spool"
cp -r "$top/tests/unit/spool/format_1" "$root$spool"
expect "--check" 0 "$(in_tree linkrunnerd --check >"$places/check.log" && echo 0 || cat "$places/check.log")"
expect "--audit" 0 "$(in_tree linkrunnerd --audit >"$places/check.log" && echo 0 || cat "$places/check.log")"
get -X PUT --data 'status=201' http://127.0.0.1:8080/faults >/dev/null # its events are not as the API wants them
in_tree systemctl start "${units[@]}"
nothing_waits() { [ "$(ledger pending)" = 0 ]; }
until_true 30 nothing_waits
expect "accepted, delivered, lost" "120 116 0" "$(ledger 'accepted, .ledger.delivered, .ledger.lost' | xargs)"

step "purged: nothing is left"
said=$(apt purge linkrunnerd 2>&1) || fail "apt: $said"
grep '^linkrunnerd: removed the spool' <<<"$said" || fail "the purge does not say what it removed: $said"
expect "files" "" "$(in_tree find / -xdev \( -path /proc -o -path /sys -o -path /srv \) -prune -o -name '*linkrunner*' -print)"
expect "in /run" "" "$(in_tree find /run -name '*linkrunner*')"
expect "units" 0 "$(in_tree systemctl list-unit-files --no-legend 'linkrunnerd*' | wc -l)"
expect "what dpkg knows" "" "$(in_tree dpkg --list linkrunnerd 2>/dev/null | grep '^[a-z][a-z] ' || true)"
echo "package: all as documented"
