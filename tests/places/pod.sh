#!/bin/bash
# The pods of config/kubernetes as far as a container engine goes: the containers of the sidecar, of the relay, of the gateway
# and of the node, with the users, groups, mounts and limits of the rendered manifests, volumes laid out as the kubelet does it, each
# pod in a network namespace of its own. The order of a pod's end is played: the app first, then the sidecar, which gets what
# is left of the grace period; then its volumes are deleted. Needs root, for the container engine.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/engine.sh"
. "$(dirname "$0")/manifests.sh"

work=$places/pods
run=lrp$$ # in the names of what is made here
clean_up() {
    podman ps -a --format '{{.Names}}' | grep "^lrp[0-9]*-" | xargs -r podman rm -f -v -t 1 >/dev/null 2>&1 || true
    ip netns list | grep -o '^lrp[0-9]*-[a-z]*' | xargs -r -n 1 ip netns delete || true
    rm -rf "$work"
}
finish() {
    local status=$? name
    if [ $status -ne 0 ]; then
        for name in $(podman ps -a --format '{{.Names}}' | grep "^$run-"); do
            echo "== log of $name" && podman logs "$name" 2>&1 | tail -n 20
        done >&2
    fi
    clean_up
    exit $status
}
clean_up
trap finish EXIT
mkdir -p "$work"

step "images, manifests"
build_images
get_tools
for each in sidecar sidecar-relay gateway daemonset; do
    kubectl kustomize "$bases/$each" >"$work/$each.yaml"
done
cp "$bases/daemonset/example-app-socket.yaml" "$work/"

step "a network namespace for each pod"
# The app's pod and the gateway's, and nothing else; the API is the sandbox, beside the gateway.
gateway_address=10.201.7.1
for each in app gateway; do
    ip netns add "$run-$each"
    ip -n "$run-$each" link set lo up
done
ip -n "$run-app" link add eth0 type veth peer name eth0 netns "$run-gateway"
ip -n "$run-gateway" address add $gateway_address/24 dev eth0
ip -n "$run-app" address add 10.201.7.2/24 dev eth0
for each in app gateway; do
    ip -n "$run-$each" link set eth0 up
done
in_app() { ip netns exec "$run-app" "$@"; }
in_gateway() { ip netns exec "$run-gateway" "$@"; }

# A Secret or ConfigMap as the kubelet mounts it: a directory with a time in its name, ..data leading to it, and the files leading
# through ..data; a new version comes by one rename of ..data.
secret_files() { # volume's directory, mode, group, directory with the files
    local version=$1/..$(date +%s%N) file
    mkdir -p "$version"
    for file in "$4"/*; do
        install -m "$2" -g "$3" "$file" "$version/"
        ln -sfn "..data/${file##*/}" "$1/${file##*/}"
    done
    ln -s "${version##*/}" "$1/..data_tmp"
    mv -T "$1/..data_tmp" "$1/..data"
}
make_volumes() { # pod's directory, overlay, owner
    local line name kind group files
    while read -r line; do
        name=$(field .name "$line") kind=$(field .kind "$line") group=$(field '.group // 0' "$line")
        mkdir -p "$1/$name"
        case $kind in
        emptyDir)
            chgrp "$group" "$1/$name"
            chmod 2777 "$1/$name"
            ;;
        claim)
            chgrp "$group" "$1/$name"
            chmod 2775 "$1/$name"
            ;;
        secret) secret_files "$1/$name" "$(field .mode "$line")" "$group" "$work/secrets/$(field .secret "$line")" ;;
        configMap)
            files=$(mktemp -d "$work/files.XXXX")
            field '.files["linkrunnerd.yaml"]' "$line" >"$files/linkrunnerd.yaml"
            secret_files "$1/$name" "$(field .mode "$line")" "$group" "$files"
            ;;
        hostPath) ;; # made by the kubelet, for root
        *) fail "a volume of kind $kind" ;;
        esac
    done < <(node "$tools/as_podman.mjs" "$work/$2.yaml" "$3" volumes)
}
arguments=()
read_arguments() { # overlay, owner, container, pod's directory
    mapfile -t arguments < <(node "$tools/as_podman.mjs" "$work/$1.yaml" "$2" "$3" "$4")
    [ ${#arguments[@]} -gt 0 ] || fail "container $3 of $2 cannot be read"
}
# What differs from a cluster: the address of the API, the name of the Service, and how fast the sandbox may be asked.
settings=(--env LINKRUNNERD_DELIVERY__RATE=2000/s --env LINKRUNNERD_DELIVERY__HOLD_PROBE=1s
    --add-host "linkrunnerd-gateway.linkrunner.svc:$gateway_address")
api=(--env "LINKRUNNERD_UPSTREAM__URL=http://$gateway_address:8080/api/v1")

key=k3y-of-the-test
mkdir -p "$work"/secrets/{linkrunner-server-key,linkrunnerd-gateway-token,linkrunnerd-node-token}
echo "$key" >"$work/secrets/linkrunner-server-key/server.key"
echo t0ken-of-the-test | tee "$work"/secrets/linkrunnerd-{gateway,node}-token/token >/dev/null

podman run --pull=never -d --name "$run-sandbox" --network "ns:/run/netns/$run-gateway" --read-only --cap-drop ALL \
    localhost/linkrunnerd-sandbox --listen 0.0.0.0:8080 --key "$key" >/dev/null
sandbox() { in_gateway curl -fsS "http://127.0.0.1:8080$1" "${@:2}"; }
until_true 10 sandbox /summary
sent_twice() { sandbox /summary | jq .duplicates; }
arrived() { [ "$(sandbox /summary | jq .unique)" -ge "$1" ]; }

step "the gateway"
make_volumes "$work/gateway" gateway StatefulSet/linkrunnerd-gateway
read_arguments gateway StatefulSet/linkrunnerd-gateway linkrunnerd "$work/gateway"
podman run --pull=never -d --name "$run-gateway" --network "ns:/run/netns/$run-gateway" "${arguments[@]}" "${settings[@]}" "${api[@]}" \
    localhost/linkrunnerd >/dev/null
until_true 20 in_gateway curl -fsS http://127.0.0.1:7418/readyz
expect "without the token" 401 "$(event e u t-1 | in_app curl -sS -o /dev/null -w '%{http_code}' --json @- "http://$gateway_address:7417/v1/events")"

# A pod of an overlay with a sidecar: its volumes, and the sidecar started; ready when the startup probe of the manifest is.
start_sidecar() { # overlay, further arguments of podman run
    local overlay=$1
    shift
    make_volumes "$work/app" "$overlay" Deployment/shop
    read_arguments "$overlay" Deployment/shop linkrunnerd "$work/app"
    podman run --pull=never -d --name "$run-sidecar" --network "ns:/run/netns/$run-app" "${arguments[@]}" "${settings[@]}" "$@" \
        localhost/linkrunnerd >/dev/null
    until_true 20 in_app curl -fsS http://127.0.0.1:7418/healthz
    read_arguments "$overlay" Deployment/shop shop "$work/app"
}
# The app's container with another program: what it posts comes from standard input.
app() { # arguments of podman run
    podman run --pull=never --rm -i --name "$run-app" --network "ns:/run/netns/$run-app" "$@" --entrypoint /usr/bin/linkrunnerctl \
        localhost/linkrunnerd send - --intake unix:/run/linkrunner/intake.sock
}
post() { app "${arguments[@]}"; }
bulk() { # prefix, how many
    local i
    for ((i = 1; i <= $2; i++)); do event bulk "u$((i % 50))" "$1-$i"; echo; done
}
# As the kubelet does it: the sidecar gets SIGTERM when the app has ended, and what the app has left of the grace period; at worst
# preStop and the app's own time are used up. Then the volumes go.
end_pod() { # overlay
    local pod left began
    pod=$(node "$tools/as_podman.mjs" "$work/$1.yaml" Deployment/shop time)
    left=$(jq '.grace - .app - .preStop' <<<"$pod")
    began=$(date +%s%N)
    podman stop -t "$left" "$run-sidecar" >/dev/null
    echo "   ended in $((($(date +%s%N) - began) / 1000000)) ms, of $left s that were left"
    expect "exit code of the sidecar" 0 "$(podman inspect "$run-sidecar" --format '{{.State.ExitCode}}')"
    podman logs "$run-sidecar" >"$work/sidecar.log" 2>&1
    podman rm -v "$run-sidecar" >/dev/null
    rm -rf "$work/app"
}

step "sidecar: the app posts over the socket, under a user id of its own"
start_sidecar sidecar "${api[@]}"
expect "socket" "65532:65532 660" "$(stat -c '%u:%g %a' "$work/app/linkrunner-socket/intake.sock")"
expect "key file" "0:65532 440" "$(stat -L -c '%u:%g %a' "$work/app/linkrunner-server-key/server.key")"
expect "user of the app" 10001:10001 "$(printf '%s\n' "${arguments[@]}" | sed -n '/--user/{n;p}')"
bulk first 100 | post >/dev/null
until_true 20 arrived 100
expect "warnings beside that of plain http" "" "$(podman logs "$run-sidecar" 2>&1 | jq -Rr 'fromjson | select(.level != "info") | .msg' | grep -v 'unencrypted$' || true)"
podman exec "$run-sidecar" /usr/bin/linkrunnerctl status >/dev/null
expect "control socket seen by the app" "" "$(find "$work/app/linkrunner-socket" -name 'control*')"
without=()
for ((i = 0; i < ${#arguments[@]}; i++)); do
    if [ "${arguments[i]}" = --group-add ]; then i=$((i + 1)); else without+=("${arguments[i]}"); fi
done
if event e u none-1 | app "${without[@]}" >"$work/refused" 2>&1; then
    fail "a user who is not in the group of the pod may post"
fi
expect "a user who is not in the group" 1 "$(grep -ci 'permission denied' "$work/refused")"

step "the key is rotated in the mounted Secret"
key=second-k3y-of-the-test
sandbox /key -X PUT --data "$key" >/dev/null
event held u-held held-1 | post >/dev/null
state() { in_app curl -fsS http://127.0.0.1:7418/status | jq -r .upstream.state; }
held() { [ "$(state)" = held_unauthorized ]; }
until_true 20 held
echo "$key" >"$work/secrets/linkrunner-server-key/server.key"
for each in app/linkrunner-server-key gateway/server-key; do
    secret_files "$work/$each" 440 65532 "$work/secrets/linkrunner-server-key"
done
until_true 20 arrived 101
sidecar_pid=$(podman inspect "$run-sidecar" --format '{{.State.Pid}}')

step "the container is killed: the emptyDir stays"
sandbox /faults -X PUT --data status=503 >/dev/null
bulk second 500 | post >/dev/null
podman kill -s KILL "$run-sidecar" >/dev/null
podman wait "$run-sidecar" >/dev/null
podman start "$run-sidecar" >/dev/null
until_true 20 in_app curl -fsS http://127.0.0.1:7418/readyz
[ "$(podman inspect "$run-sidecar" --format '{{.State.Pid}}')" != "$sidecar_pid" ] || fail "it is the same process"
sandbox /faults -X DELETE >/dev/null
until_true 90 arrived 601

step "the pod dies with a backlog, while the API is out: hand-off to the gateway"
sandbox /faults -X PUT --data status=503 >/dev/null
bulk third 20000 | post >/dev/null
expect "arrived before" 601 "$(sandbox /summary | jq .unique)"
end_pod sidecar
sandbox /faults -X DELETE >/dev/null
until_true 120 arrived 20601
expect "events at the API" 20601 "$(sandbox /summary | jq .unique)"
expect "events sent twice" 0 "$(sent_twice)"

step "relay: all goes through the gateway, no server key in the pod"
start_sidecar sidecar-relay
expect "keys in the pod" "" "$(grep -rlF k3y "$work/app" || true)"
bulk fourth 1000 | post >/dev/null
until_true 60 arrived 21601
end_pod sidecar-relay
expect "events at the API" 21601 "$(sandbox /summary | jq .unique)"
expect "events sent twice" 0 "$(sent_twice)"

step "the gateway is stopped, and comes again on its volume"
sandbox /faults -X PUT --data status=503 >/dev/null
bulk fifth 200 | in_app curl -fsS --data-binary @- -H 'Content-Type: application/x-ndjson' \
    -H "Authorization: Bearer $(cat "$work/secrets/linkrunnerd-gateway-token/token")" "http://$gateway_address:7417/v1/events" >/dev/null
podman stop -t 25 "$run-gateway" >/dev/null
expect "exit code of the gateway" 0 "$(podman inspect "$run-gateway" --format '{{.State.ExitCode}}')"
sandbox /faults -X DELETE >/dev/null
podman start "$run-gateway" >/dev/null
until_true 60 arrived 21801
expect "events sent twice" 0 "$(sent_twice)"
step "node: directories made for root, an app of another pod over the socket"
make_volumes "$work/node" daemonset DaemonSet/linkrunnerd-node
read_arguments daemonset DaemonSet/linkrunnerd-node own-directories "$work/node"
for each in first again; do # after an update they are the daemon's already
    podman run --pull=never --rm --network none "${arguments[@]}" "$base" >/dev/null || fail "own-directories, $each"
done
expect "owner of the spool" "65532:65532 700" "$(stat -c '%u:%g %a' "$work/node/spool")"
read_arguments daemonset DaemonSet/linkrunnerd-node linkrunnerd "$work/node"
podman run --pull=never -d --name "$run-node" --network "ns:/run/netns/$run-app" "${arguments[@]}" "${settings[@]}" "${api[@]}" \
    localhost/linkrunnerd >/dev/null
until_true 20 in_app curl -fsS http://127.0.0.1:7418/readyz
read_arguments example-app-socket Pod/shop shop "$work/node"
bulk sixth 100 | post >/dev/null
until_true 20 arrived 21901
podman stop -t 20 "$run-node" >/dev/null
expect "exit code of the node's daemon" 0 "$(podman inspect "$run-node" --format '{{.State.ExitCode}}')"
expect "a key or token in a log" "" "$({ cat "$work/sidecar.log"; podman logs "$run-gateway" 2>&1; podman logs "$run-node" 2>&1; } | grep -F -e k3y -e t0ken || true)"
echo "pod: all as documented"
