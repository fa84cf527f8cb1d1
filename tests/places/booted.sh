# Sourced after common.sh: a Debian booted with systemd as process 1, in namespaces of its own, and linkrunnerd's package
# to install there. No traffic leaves the tree: its only network is its own loopback.
# shellcheck shell=bash

# $root becomes a fresh copy of a tree that is made once and knows nothing of linkrunnerd.
fresh_tree() { # name
    local base=$places/systemd-base recipe
    root=$places/$1-root
    # What the package depends on lies in the tree already, so that nothing has to be fetched.
    local make=(mmdebstrap --quiet --variant=minbase
        --include="systemd,systemd-sysv,dbus,procps,curl,$("$top/daemon/packages.sh" --list run | paste -sd,)"
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*'
        --dpkgopt='path-exclude=/usr/share/locale/*'
        --customize-hook='rm "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"' # our own pages are to be installed
        --customize-hook='echo place >"$1/etc/hostname"; : >"$1/etc/machine-id"' bookworm)
    recipe=$(sha256sum <<<"${make[*]}")
    if [ "$(cat "$base.recipe" 2>/dev/null)" != "$recipe" ]; then
        rm -rf "$base"
        "${make[@]}" "$base"
        echo "$recipe" >"$base.recipe"
    fi
    rm -rf "$root"
    cp --archive --reflink=auto "$base" "$root"
}

leader() { pgrep -P "$nspawn" | head -n 1; }
in_tree() { nsenter --target "$(leader)" --all -- "$@"; }
booted() { [[ $(in_tree systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; }
power_off() {
    local status=$?
    if [ $status -ne 0 ]; then
        in_tree systemctl status --no-pager -l linkrunnerd sandbox 2>&1 | tail -n 60 >&2 || true
    fi
    in_tree systemctl poweroff >/dev/null 2>&1 || true
    (until_true 20 eval "! kill -0 $nspawn") || kill -KILL "$nspawn"
    [ $status -ne 0 ] || rm -rf "$root" # after a failure it is there to be looked at
    exit $status
}
boot() {
    setsid systemd-nspawn --quiet --directory="$root" --machine="place$$" --private-network --boot --register=no \
        --keep-unit --console=read-only --kill-signal=SIGRTMIN+3 >"$places/boot.log" 2>&1 </dev/null &
    nspawn=$!
    trap power_off EXIT
    until_true 60 booted
}

apt() { in_tree env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet -o Dpkg::Use-Pty=0 "$@"; }
# A package file, as docs/install-host.md installs it.
install_package() { # file, further arguments of apt-get
    local file=$1
    shift
    cp "$file" "$root/srv/"
    apt install "$@" "/srv/${file##*/}"
}

# A service of the tree that answers as the API does.
add_sandbox() { # key
    cat >"$root/etc/systemd/system/sandbox.service" <<CONF
[Service]
ExecStart=/usr/bin/linkrunner-sandbox --listen 127.0.0.1:8080 --key $1
DynamicUser=yes
CONF
}

show() { in_tree systemctl show --property "$1" --value linkrunnerd; }
is() { [ "$(show "$1")" = "$2" ]; }
get() { in_tree curl -fsS "$@"; }
post() { in_tree curl -fsS --json @- "$@"; }
post_lines() { in_tree curl -fsS --data-binary @- -H 'Content-Type: application/x-ndjson' "$@"; }
arrived() { [ "$(get http://127.0.0.1:8080/summary | jq .unique)" -ge "$1" ]; }
