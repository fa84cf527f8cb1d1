#!/bin/bash
# What the images of the Dockerfile hold: the programs, the libraries that these load, authorities, and nothing else;
# how large they are; what they say of themselves; and that the same sources make the same image again. Needs root, for
# the container engine.
#
#   tests/places/image.sh          the second build takes its objects from the compiler cache
#   tests/places/image.sh --cold   it compiles everything anew (minutes)
set -euo pipefail
cold=${1-}
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/engine.sh"

context=localhost/linkrunnerd-context
clean_up() {
    local status=$?
    podman image umount --all --force >/dev/null 2>&1 || true
    podman rmi --ignore $context >/dev/null 2>&1 || true
    exit $status
}
trap clean_up EXIT

step "build"
build_images
image=localhost/linkrunnerd
sandbox=localhost/linkrunnerd-sandbox

step "size"
limit=20000000
for each in $image $sandbox; do
    bytes=$(podman image inspect "$each" --format '{{.Size}}')
    packed=$(podman save "$each" 2>/dev/null | gzip -6 | wc -c)
    [ "$bytes" -lt $limit ] || fail "$each has $bytes bytes, less than $limit are wanted"
    layers=$(podman history --format '{{.Size}}' "$each" | grep -v '^0 B' | paste -sd+)
    echo "   ok  $each: $((bytes / 1000)) kB (layers $layers), $((packed / 1000)) kB packed"
done

step "what is in it"
root=$(podman image mount $image)
sandbox_root=$(podman image mount $sandbox)
listing() { # root: everything but the shared libraries
    (cd "$1" && find . -mindepth 1 -not -path './lib/*' -not -path './lib64/*' -printf '%y %m %U:%G %P %l\n' | sed 's/ $//' | sort -k 4)
}
expect "files beside libraries, unlike the list" "" "$(diff <(listing "$root") - <<LIST
d 755 0:0 etc
f 644 0:0 etc/group
d 755 0:0 etc/linkrunnerd
f 644 0:0 etc/linkrunnerd/linkrunnerd.yaml
f 644 0:0 etc/passwd
d 755 0:0 etc/ssl
d 755 0:0 etc/ssl/certs
f 644 0:0 etc/ssl/certs/ca-certificates.crt
d 755 0:0 lib
d 755 0:0 lib64
d 755 0:0 run
d 770 65532:0 run/linkrunnerd
d 755 0:0 usr
d 755 0:0 usr/bin
f 755 0:0 usr/bin/linkrunnerctl
f 755 0:0 usr/bin/linkrunnerd
d 755 0:0 usr/lib
d 755 0:0 usr/lib/ssl
l 777 0:0 usr/lib/ssl/cert.pem /etc/ssl/certs/ca-certificates.crt
d 755 0:0 var
d 755 0:0 var/lib
d 770 65532:0 var/lib/linkrunnerd
LIST
)"
expect "of the sandbox" "" "$(diff <(listing "$sandbox_root") - <<LIST
d 755 0:0 etc
f 644 0:0 etc/group
f 644 0:0 etc/passwd
d 755 0:0 lib
d 755 0:0 lib64
d 755 0:0 usr
d 755 0:0 usr/bin
f 755 0:0 usr/bin/linkrunner-sandbox
LIST
)"
# Each library that is there is loaded by something that is there, and the other way round.
for each in "$root" "$sandbox_root"; do
    wanted=$(find "$each/lib" "$each/lib64" "$each/usr/bin" -type f -exec readelf -dl {} + |
        sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p; s,.*program interpreter: .*/(.*)\],\1,p' | sort -u)
    expect "libraries, unlike those that are loaded" "" \
        "$(diff <(find "$each/lib" "$each/lib64" -not -type d -printf '%f\n' | sort) <(echo "$wanted"))"
    expect "programs with symbols to strip" "" "$(readelf -SW "$each"/usr/bin/* | grep -F .symtab || true)"
done
expect "setuid, setgid, or for others to write to" "" "$(find "$root" -not -type l -perm /7002)"
authorities=$(grep -c 'BEGIN CERTIFICATE' "$root/etc/ssl/certs/ca-certificates.crt")
[ "$authorities" -gt 100 ] || fail "only $authorities authorities"
echo "   ok  authorities: $authorities"

step "what it says of itself"
inspected=$(podman image inspect $image | jq '.[0]')
expect "user" 65532:65532 "$(field .Config.User "$inspected")"
expect "stop signal" SIGTERM "$(field .Config.StopSignal "$inspected")"
expect "ports" 7417/tcp,7418/tcp "$(field '.Config.ExposedPorts | keys | join(",")' "$inspected")"
expect "volumes" /run/linkrunnerd,/var/lib/linkrunnerd "$(field '.Config.Volumes | keys | join(",")' "$inspected")"
expect "environment beside PATH" "" "$(field '.Config.Env // [] | map(select(startswith("PATH=") | not)) | join(" ")' "$inspected")"
expect "health" "CMD /usr/bin/linkrunnerd --health" "$(field '.Healthcheck.Test | join(" ")' "$inspected")"
expect "version, as the program says" "$(podman run --rm --network none $image --version)" \
    "linkrunnerd $(field '.Labels["org.opencontainers.image.version"]' "$inspected")"
for label in title description revision created; do
    [ -n "$(field ".Labels[\"org.opencontainers.image.$label\"] // empty" "$inspected")" ] || fail "no label $label"
done

step "what is sent to the engine that builds"
podman build --quiet --format docker --tag $context --file - "$top" >/dev/null <<<"$(printf 'FROM scratch\nCOPY . /\n')"
expect "context" "CMakeLists.txt config daemon lib systemd" \
    "$(find "$(podman image mount $context)" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd' ')"

step "the same image again: compiled by one compiler at a time, in another container"
same() { podman image inspect "$1" | jq -c '.[0] | [.RootFS.Layers, (.Config | del(.Hostname)), .Healthcheck]'; }
if [ "$cold" = --cold ]; then
    echo 'recache = true' >>"$places/ccache/ccache.conf"
fi
began=$SECONDS
build_image linkrunnerd-again --build-arg JOBS=1
expect "layers and configuration, unlike the first (after $((SECONDS - began)) s)" "" \
    "$(diff <(same $image) <(same $image-again))"
podman rmi $image-again >/dev/null
echo "image: all as documented"
