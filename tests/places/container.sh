#!/bin/bash
# The image of the Dockerfile, run as docs/install-container.md says: read-only root, no capabilities, no root, 64 MB,
# configured by its environment, a sandbox beside it in the same network namespace. What is in the image: image.sh.
# Needs root, for the container engine.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/engine.sh"

work=$places/container # what is mounted into containers
outside=linkrunner-outside-$$
volumes=(lr-spool lr-odd-spool lr-shared-spool lr-intake)
clean_up() {
    # The sandbox last: the others use its network namespace.
    podman ps -a --format '{{.Names}}' | grep '^lr-' | grep -v lr-sandbox | xargs -r podman rm -f -v -t 1 >/dev/null 2>&1 || true
    podman rm -f -v -t 10 --ignore lr-sandbox >/dev/null 2>&1 || true
    podman volume rm -f "${volumes[@]}" >/dev/null 2>&1 || true
    [ -z "${names_server-}" ] || kill "$names_server" 2>/dev/null || true
    ip netns delete "$outside" 2>/dev/null || true
    umount "$work"/* 2>/dev/null || true
    rm -rf "$work"
}
finish() {
    local status=$? name
    if [ $status -ne 0 ]; then
        for name in $(podman ps -a --format '{{.Names}}' | grep '^lr-'); do
            echo "== log of $name" && podman logs "$name" 2>&1 | tail -n 20
        done >&2
    fi
    clean_up
    exit $status
}
clean_up
trap finish EXIT
mkdir -p "$work"

step "build"
build_images

step "run: read-only root, no capabilities, 64 MB, beside a sandbox"
hardened=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 64m --pids-limit 50)
podman run -d --name lr-sandbox --network none "${hardened[@]}" localhost/linkrunnerd-sandbox \
    --listen 127.0.0.1:8080 --key k3y-of-the-test >/dev/null
place=$(podman inspect lr-sandbox --format '{{.State.Pid}}')
inside() { nsenter --target "$place" --net -- "$@"; }
until_true 10 inside curl -fsS http://127.0.0.1:8080/summary

settings=(--env LINKRUNNER_SERVER_KEY=k3y-of-the-test
    --env LINKRUNNERD_UPSTREAM__URL=http://127.0.0.1:8080/api/v1
    --env LINKRUNNERD_DELIVERY__RATE=5000/s)
start() { # name, further arguments of podman run
    local name=$1
    shift
    # podman has systemd run the health checks, and complains where there is none: one container has them.
    [ "$name" = lr-daemon ] || set -- --no-healthcheck "$@"
    podman run -d --name "$name" --network container:lr-sandbox "${hardened[@]}" "${settings[@]}" "$@" \
        localhost/linkrunnerd >/dev/null
}
get() { inside curl -fsS "http://127.0.0.1:7418/$1"; }
ready() { until_true 20 get readyz; }
post() { inside curl -sS --data-binary @- -H 'Content-Type: application/x-ndjson' "$@" http://127.0.0.1:7417/v1/events; }
stop() { # name: ends as asked, with 0
    podman stop -t 30 "$1" >/dev/null
    expect "exit code of $1 after SIGTERM" 0 "$(podman inspect "$1" --format '{{.State.ExitCode}}')"
}
arrived() { [ "$(inside curl -fsS http://127.0.0.1:8080/summary | jq .unique)" -ge "$1" ]; }
api() { inside curl -fsS "$@" http://127.0.0.1:8080/faults >/dev/null; }
events() { # name, first, last
    seq "$2" "$3" | awk -v name="$1" '{
        printf "{\"event_name\":\"%s\",\"user_id\":\"u%d\",\"event_id\":\"%s-%d\",\"event_data\":{\"note\":\"%0200d\"}}\n",
            name, $1 % 500, name, $1, $1 }'
}
post_all() { # name, first, last: in requests of 10,000; says how many were accepted
    local from
    for from in $(seq "$2" 10000 "$3"); do
        events "$1" "$from" $((from + 9999 < $3 ? from + 9999 : $3)) | post | jq .data.accepted
    done | awk '{ sum += $1 } END { print sum }'
}

start lr-daemon --volume lr-spool:/var/lib/linkrunnerd
until_true 20 get readyz
daemon=$(podman inspect lr-daemon --format '{{.State.Pid}}')
since_start() { # milliseconds from the start of the container until events were taken
    local from until
    from=$(podman inspect "$1" --format '{{.State.StartedAt}}' | cut -d' ' -f1-3)
    until=$(podman logs "$1" 2>&1 | jq -r 'select(.msg == "linkrunnerd started").time')
    echo $((($(date -d "$until" +%s%N) - $(date -d "$from" +%s%N)) / 1000000))
}
echo "   takes events after $(since_start lr-daemon) ms"
of_process() { awk -v key="$1:" '$1 == key { print $NF }' "/proc/$daemon/status"; }
expect "user" 65532 "$(of_process Uid)"
expect "capabilities" 0000000000000000 "$(of_process CapEff)"
expect "process id in the container" 1 "$(of_process NSpid)"
expect "root file system" ro "$(awk '$5 == "/" { print substr($6, 1, 2) }' "/proc/$daemon/mountinfo")"
memory_limit() { # of the container, by either version of cgroups
    local v1 v2
    v1=/sys/fs/cgroup/memory$(sed -n 's/.*:memory://p' "/proc/$daemon/cgroup")/memory.limit_in_bytes
    v2=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$daemon/cgroup")/memory.max
    cat "$v1" 2>/dev/null || cat "$v2"
}
expect "memory limit" 67108864 "$(memory_limit)"
echo "   idle: $(awk '/^(RssAnon|VmRSS):/ { printf "%s %.1f MB  ", $1, $2 / 1024 }' "/proc/$daemon/status")"
until_true 15 podman healthcheck run lr-daemon
expect "health probe" 0 "$(podman exec lr-daemon /usr/bin/linkrunnerd --health >/dev/null 2>&1; echo $?)"
expect "linkrunnerctl in the container" "takes events" "$(podman exec lr-daemon linkrunnerctl status | sed -n '1s/.*: //p')"
expect "a misspelt variable" 78 "$(podman run --rm --no-healthcheck --network none "${settings[@]}" --env LINKRUNNERD_SPOOL__MAX_BYTE=1MiB \
    localhost/linkrunnerd >/dev/null 2>&1; echo $?)"

step "an event goes through"
answer=$(event order_paid u1 c-1 | inside curl -fsS --data-binary @- -H 'Content-Type: application/json' \
    http://127.0.0.1:7417/api/v1/capture-event)
expect "answer" c-1 "$(field .data.event_id "$answer")"
until_true 10 arrived 1

step "SIGHUP, then SIGTERM with a backlog, at process 1: nothing is lost"
reloaded() { [ "$(get status | jq '.uptime_seconds - .configuration.loaded_seconds_ago > 0.2')" = true ]; }
podman kill -s HUP lr-daemon >/dev/null
until_true 10 reloaded
api -X PUT --data 'status=503'
expect "accepted" 20000 "$(post_all bulk 1 20000)"
echo "   with 20,000 events waiting: $(awk '/^(RssAnon|VmRSS):/ { printf "%s %.1f MB  ", $1, $2 / 1024 }' "/proc/$daemon/status")"
began=$(date +%s%N)
stop lr-daemon
echo "   stopped in $((($(date +%s%N) - began) / 1000000)) ms"
expect "log lines that are not JSON" 0 "$(podman logs lr-daemon 2>&1 | jq -R 'fromjson? // "bad"' | grep -c '^"bad"' || true)"
api -X DELETE
start lr-second --volume lr-spool:/var/lib/linkrunnerd
until_true 60 arrived 20001
expect "events at the API" 20001 "$(inside curl -fsS http://127.0.0.1:8080/summary | jq .unique)"

step "SIGKILL and another container on the same volume"
podman kill -s KILL lr-second >/dev/null
podman rm -f -v lr-second >/dev/null
start lr-second --volume lr-spool:/var/lib/linkrunnerd
ready
stop lr-second

step "a user id chosen by the platform, group 0"
start lr-odd --user 1234567:0 --volume lr-odd-spool:/var/lib/linkrunnerd
ready
expect "accepted" 1 "$(post_all odd 1 1)"
until_true 10 arrived 20002
expect "linkrunnerctl in the container" "takes events" "$(podman exec lr-odd linkrunnerctl status | sed -n '1s/.*: //p')"

step "probes come from outside of the network namespace; events only with a token"
ip netns add "$outside"
ip link add lr-outside netns "$outside" type veth peer name lr-inside netns "$place"
ip -n "$outside" address add 192.0.2.1/30 dev lr-outside && ip -n "$outside" link set lr-outside up
inside ip address add 192.0.2.2/30 dev lr-inside && inside ip link set lr-inside up
from_outside() { ip netns exec "$outside" curl -sS -o /dev/null -w '%{http_code}' "$@" 2>/dev/null || true; }
answered() { [ "$(from_outside http://192.0.2.2:7418/readyz)" = "$1" ]; }
until_true 10 answered 200
expect "anything but reading" 405 "$(from_outside -X POST http://192.0.2.2:7418/status)"
expect "the intake, which listens on the loopback interface" 000 "$(from_outside --json '{}' http://192.0.2.2:7417/v1/events)"
stop lr-odd
install -m 0440 -g 65532 /dev/stdin "$work/intake.token" <<<token-of-the-test
start lr-token --volume lr-spool:/var/lib/linkrunnerd --volume "$work/intake.token:/run/secrets/intake.token:ro" \
    --env 'LINKRUNNERD_INTAKE__LISTEN=["0.0.0.0:7417"]' --env LINKRUNNERD_INTAKE__TOKEN_FILE=/run/secrets/intake.token
until_true 10 answered 200
expect "without the token" 401 "$(from_outside --json "$(event t u t-1)" http://192.0.2.2:7417/v1/events)"
expect "with the token" 202 "$(from_outside --json "$(event t u t-1)" -H 'Authorization: Bearer token-of-the-test' \
    http://192.0.2.2:7417/v1/events)"
until_true 10 arrived 20003
stop lr-token

step "a Unix socket shared with containers of other users, by a group that both have"
podman volume create --opt type=tmpfs --opt device=tmpfs --opt o=mode=2770,uid=65532,gid=7400 lr-intake >/dev/null
start lr-shared --volume lr-shared-spool:/var/lib/linkrunnerd --volume lr-intake:/run/intake --group-add 7400 \
    --env 'LINKRUNNERD_INTAKE__LISTEN=["unix:/run/intake/linkrunner.sock"]'
ready
send_as() { # user:group, event id, further arguments of podman run
    local who=$1 id=$2
    shift 2
    podman run --rm --no-healthcheck --network none --user "$who" "${hardened[@]}" --volume lr-intake:/run/intake "$@" \
        --entrypoint /usr/bin/linkrunnerctl localhost/linkrunnerd \
        send --intake unix:/run/intake/linkrunner.sock --name shared --user u --event-id "$id" >/dev/null 2>&1 && echo sent || echo refused
}
expect "another user and group, with the shared group beside them" sent "$(send_as 4242:4242 s-1 --group-add 7400)"
expect "another user and group, without it" refused "$(send_as 4243:4243 s-2)"
until_true 10 arrived 20004
expect "mode and group of the socket" 660:7400 \
    "$(stat -c %a:%g "/proc/$(podman inspect lr-shared --format '{{.State.Pid}}')/root/run/intake/linkrunner.sock")"
stop lr-shared

# Fills a volume of 16 MB while the API is down, until a client is refused.
fill() { # name of container and events, max_bytes
    local from=1 answer
    mkdir "$work/$1"
    mount -t tmpfs -o size=16m,mode=0770,uid=65532 tmpfs "$work/$1"
    api -X PUT --data 'status=503'
    start "lr-$1" --volume "$work/$1:/var/lib/linkrunnerd" --env LINKRUNNERD_SPOOL__MAX_BYTES="$2" \
        --env LINKRUNNERD_DELIVERY__BACKOFF__MAX=1s
    ready
    accepted=0
    while answer=$(events "$1" $from $((from + 1999)) | post); [ "$(field .status "$answer")" = 202 ]; do
        accepted=$((accepted + $(field .data.accepted "$answer")))
        from=$((from + 2000))
        [ $from -lt 200000 ] || fail "a volume of 16 MB takes $accepted events"
    done
    refusal="$(field .status "$answer") $(field .data.code "$answer")"
}
for each in "full 64MiB disk_full" "queue 12MiB queue_full"; do
    read -r name max_bytes code <<<"$each"
    step "a volume of 16 MB, spool.max_bytes $max_bytes: $code, and events again when it is drained"
    before=$(inside curl -fsS http://127.0.0.1:8080/summary | jq .unique)
    fill "$name" "$max_bytes"
    expect "what a client is told after $accepted events" "503 $code" "$refusal"
    api -X DELETE
    until_true 60 arrived $((before + accepted))
    ready
    expect "accepted again" 1 "$(post_all "$name-again" 1 1)"
    until_true 10 arrived $((before + accepted + 1))
    stop "lr-$name"
done

step "names from DNS and /etc/hosts, authorities of the image's bundle"
install -d -m 0755 -o 65532 "$work/tls"
podman run -d --name lr-tls --network container:lr-sandbox "${hardened[@]}" --volume "$work/tls:/tls" \
    localhost/linkrunnerd-sandbox --listen 127.0.0.1:8443 --key k3y-of-the-test --tls --tls-dir /tls \
    --tls-name dns.linkrunner.test --tls-name hosts.linkrunner.test >/dev/null
tls_api() { inside curl -fsSk https://127.0.0.1:8443/summary | jq .unique; }
until_true 10 tls_api
nsenter --target "$place" --net -- dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces \
    --user=root --pid-file= --address=/dns.linkrunner.test/127.0.0.1 2>"$work/dnsmasq.log" &
names_server=$!
echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
printf '127.0.0.1 localhost\n127.0.0.1 hosts.linkrunner.test\n' >"$work/hosts"
bundle=/etc/ssl/certs/ca-certificates.crt
cat "$(podman image mount localhost/linkrunnerd)$bundle" "$work/tls/ca.crt" >"$work/bundle.crt"
podman image umount localhost/linkrunnerd >/dev/null
last_error() { get status | jq -r '.upstream.last_error.what // ""'; }
tls_delivered() { [ "$(tls_api)" = "$1" ]; }
delivered=0
for name in dns hosts; do
    named=(--volume "$work/resolv.conf:/etc/resolv.conf:ro" --volume "$work/hosts:/etc/hosts:ro"
        --env LINKRUNNERD_UPSTREAM__URL=https://$name.linkrunner.test:8443/api/v1)
    start lr-distrust "${named[@]}"
    ready
    expect "accepted" 1 "$(post_all "distrust-$name" 1 1)"
    distrusted() { [[ $(last_error) == *certificate* ]]; }
    until_true 20 distrusted
    echo "   ok  $name.linkrunner.test, of an authority that is not in the bundle: $(last_error)"
    expect "events there" $delivered "$(tls_api)"
    podman rm -f -v -t 0 lr-distrust >/dev/null
    start lr-trust "${named[@]}" --volume "$work/bundle.crt:$bundle:ro"
    ready
    expect "accepted" 1 "$(post_all "trust-$name" 1 1)"
    until_true 20 tls_delivered $((++delivered))
    echo "   ok  $name.linkrunner.test, of an authority in the bundle: delivered"
    podman rm -f -v -t 10 lr-trust >/dev/null
done

expect "the key is in no log" "" \
    "$(for name in $(podman ps -a --format '{{.Names}}' | grep -v sandbox); do podman logs "$name" 2>&1; done | grep -F k3y-of-the-test || true)"
echo "container: all as documented"
