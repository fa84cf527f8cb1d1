# Sourced, after common.sh, by the tests that need a container engine: podman with storage of its own, the base image
# made here from Debian's packages (no image registry is asked), and the image of the Dockerfile.
# shellcheck shell=bash disable=SC2154

# A machine without cgroups v2 or without the right to raise limits still runs containers this way.
export CONTAINERS_CONF=$places/containers.conf CONTAINERS_STORAGE_CONF=$places/storage.conf
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
runroot = "/run/linkrunnerd-places-$(sha256sum <<<"$places" | cut -c1-8)"
CONF

base=docker.io/library/debian:bookworm-slim
make_base() {
    if podman image exists $base; then
        return
    fi
    mmdebstrap --quiet --variant=minbase \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*' \
        bookworm "$places/base.tar"
    podman import -q "$places/base.tar" $base >/dev/null
    rm -f "$places/base.tar"
}

# The compiler cache of this user serves the build inside: its paths differ, but not as seen from the build folder.
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$cache" "$places/ccache"
printf 'base_dir = /src\nhash_dir = false\n' >"$places/ccache/ccache.conf"
build_image() { # tag, further arguments of podman build
    local tag=$1
    shift
    podman build --quiet --pull=never --network=host --format docker --layers \
        --volume "$cache:/root/.cache/ccache" --volume "$places/ccache:/root/.config/ccache:ro" "$@" \
        --tag "localhost/$tag" "$top" >"$places/build.log" 2>&1 ||
        { tail -n 40 "$places/build.log" >&2; fail "the image $tag does not build"; }
}
build_images() {
    local began=$SECONDS
    make_base
    build_image linkrunnerd
    build_image linkrunnerd-sandbox --target sandbox
    echo "   built in $((SECONDS - began)) s"
}
