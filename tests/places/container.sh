#!/bin/bash
# The image is built by the Dockerfile and run as docs/install-container.md says: read-only root, no
# capabilities, no root, a sandbox beside it in the same network namespace. Needs root, for the container
# engine. No image registry is asked: the base image is made here from Debian's packages.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# A machine without cgroups v2 or without the right to raise limits still runs containers this way.
export CONTAINERS_CONF=$places/containers.conf CONTAINERS_STORAGE_CONF=$places/storage.conf
run_root=/run/linkrunnerd-places
cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=$(ulimit -Hn):$(ulimit -Hn)", "nproc=4096:4096"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "overlay"
graphroot = "$places/containers"
runroot = "$run_root"
CONF

names=(lr-sandbox lr-daemon lr-second lr-odd)
clean_up() {
    podman rm -f --ignore -t 1 "${names[@]}" >/dev/null 2>&1 || true
    podman volume rm -f lr-spool lr-odd-spool >/dev/null 2>&1 || true
}
show_logs() {
    local name
    for name in "${names[@]}"; do
        podman container exists "$name" && { echo "== log of $name" && podman logs "$name" 2>&1 | tail -n 20; }
    done >&2
}
trap 'status=$?; [ $status -eq 0 ] || show_logs; clean_up; exit $status' EXIT
clean_up

step "base image"
base=docker.io/library/debian:bookworm-slim
if ! podman image exists $base; then
    mmdebstrap --quiet --variant=minbase \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*' \
        bookworm "$places/base.tar"
    podman import -q "$places/base.tar" $base
    rm -f "$places/base.tar"
fi

step "build"
# The compiler cache of this user serves the build inside, whose paths differ.
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$cache"
began=$SECONDS
for target in "" sandbox; do
    podman build --quiet --pull=never --network=host --format docker --layers \
        --volume "$cache:/root/.cache/ccache" --env CCACHE_BASEDIR=/src ${target:+--target $target} \
        --tag "localhost/linkrunnerd${target:+-$target}" "$top" >"$places/build.log" 2>&1 ||
        { tail -n 40 "$places/build.log"; fail "the image does not build"; }
done
bytes=$(podman image inspect localhost/linkrunnerd --format '{{.Size}}')
base_bytes=$(podman image inspect $base --format '{{.Size}}')
echo "   built in $((SECONDS - began)) s: $((bytes / 1000000)) MB, of which base $((base_bytes / 1000000)) MB"

step "run: read-only root, no capabilities, 64 MB, beside a sandbox"
hardened=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 64m --pids-limit 50)
podman run -d --name lr-sandbox --network none "${hardened[@]}" localhost/linkrunnerd-sandbox \
    --listen 127.0.0.1:8080 --key k3y-of-the-test >/dev/null
pid=$(podman inspect lr-sandbox --format '{{.State.Pid}}')
inside() { nsenter --target "$pid" --net -- "$@"; }
until_true 10 inside curl -fsS http://127.0.0.1:8080/summary

settings=(--env LINKRUNNER_SERVER_KEY=k3y-of-the-test
    --env LINKRUNNERD_UPSTREAM__URL=http://127.0.0.1:8080/api/v1
    --env LINKRUNNERD_DELIVERY__RATE=500/s)
start() { # name, further arguments of podman run
    local name=$1
    shift
    podman run -d --name "$name" --network container:lr-sandbox "${hardened[@]}" "${settings[@]}" "$@" \
        localhost/linkrunnerd >/dev/null
}
start lr-daemon --volume lr-spool:/var/lib/linkrunnerd
until_true 10 inside curl -fsS http://127.0.0.1:7418/readyz
daemon=$(podman inspect lr-daemon --format '{{.State.Pid}}')
expect "runs as user" 65532 "$(awk '/^Uid/{print $2}' "/proc/$daemon/status")"
expect "capabilities" 0000000000000000 "$(awk '/^CapEff/{print $2}' "/proc/$daemon/status")"
until_true 15 podman healthcheck run lr-daemon
expect "health probe" 0 "$(podman exec lr-daemon /usr/bin/linkrunnerd --health >/dev/null 2>&1; echo $?)"

step "an event goes through"
answer=$(event order_paid u1 c-1 | inside curl -fsS --data-binary @- -H 'Content-Type: application/json' \
    http://127.0.0.1:7417/api/v1/capture-event)
expect "answer" c-1 "$(field .data.event_id "$answer")"
arrived() { [ "$(inside curl -fsS http://127.0.0.1:8080/summary | jq .unique)" -ge "$1" ]; }
until_true 10 arrived 1

step "stop with a backlog: nothing is lost"
inside curl -fsS -X PUT --data 'status=503' http://127.0.0.1:8080/faults >/dev/null
for i in $(seq 2 200); do event bulk "u$i" "c-$i"; echo; done |
    inside curl -fsS --data-binary @- -H 'Content-Type: application/x-ndjson' http://127.0.0.1:7417/v1/events >/dev/null
began=$(date +%s%N)
podman stop -t 30 lr-daemon >/dev/null
echo "   stopped in $((($(date +%s%N) - began) / 1000000)) ms"
expect "exit code after SIGTERM" 0 "$(podman inspect lr-daemon --format '{{.State.ExitCode}}')"
expect "log lines that are not JSON" 0 "$(podman logs lr-daemon 2>&1 | jq -R 'fromjson? // "bad"' | grep -c '^"bad"' || true)"
inside curl -fsS -X DELETE http://127.0.0.1:8080/faults >/dev/null
start lr-second --volume lr-spool:/var/lib/linkrunnerd
until_true 60 arrived 200
expect "events at the API" 200 "$(inside curl -fsS http://127.0.0.1:8080/summary | jq .unique)"

step "SIGKILL and another container on the same volume"
podman kill -s KILL lr-second >/dev/null
podman rm -f lr-second >/dev/null
start lr-second --volume lr-spool:/var/lib/linkrunnerd
until_true 20 inside curl -fsS http://127.0.0.1:7418/readyz
podman stop -t 30 lr-second >/dev/null

step "a user id chosen by the platform, group 0"
start lr-odd --user 1234567:0 --volume lr-odd-spool:/var/lib/linkrunnerd
until_true 10 inside curl -fsS http://127.0.0.1:7418/readyz
event odd u-odd c-odd | inside curl -fsS --json @- http://127.0.0.1:7417/v1/events >/dev/null
until_true 10 arrived 201
expect "the key is in no log" "" "$(for n in lr-daemon lr-odd; do podman logs $n 2>&1; done | grep -F k3y-of-the-test || true)"
echo "container: all as documented"
