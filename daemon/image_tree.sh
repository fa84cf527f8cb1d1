#!/bin/bash
# What the images of the Dockerfile hold, from programs that are built:
#
#   daemon/image_tree.sh BUILD INTO
#
# makes INTO/daemon and INTO/sandbox, each with the layers `libraries` and `program`. Runs as root in the image that
# builds, whose libraries are the ones taken. The same input makes the same trees: owners, modes and times are set.
set -euo pipefail
build=$1
into=$2
source=$(cd "$(dirname "$0")/.." && pwd)
user=65532

# The programs, and what the dynamic linker loads for them at the paths where it looks without a cache.
add_programs() { # image, program...
    local image=$into/$1 library
    shift
    install -D -s -m 0755 -t "$image/program/usr/bin" "${@/#/$build/}"
    ldd "${@/#/$build/}" | sed -nE 's,^\s+(\S+ => )?(/\S+) \(0x.*,\2,p' | sort -u | while read -r library; do
        install -D -m 0755 "$library" "$image/libraries$library"
    done
    install -D -m 0644 /dev/stdin "$image/libraries/etc/passwd" <<TEXT
root:x:0:0:root:/:/sbin/nologin
linkrunner:x:$user:$user:linkrunner:/:/sbin/nologin
TEXT
    install -D -m 0644 /dev/stdin "$image/libraries/etc/group" <<TEXT
root:x:0:
linkrunner:x:$user:
TEXT
}

rm -rf "$into"
add_programs sandbox linkrunner-sandbox
add_programs daemon linkrunnerd linkrunnerctl

# The authorities, where OpenSSL of Debian looks when it is told nothing (openssl version -d).
libraries=$into/daemon/libraries
install -D -m 0644 -t "$libraries/etc/ssl/certs" /etc/ssl/certs/ca-certificates.crt
install -d "$libraries/usr/lib/ssl"
ln -s /etc/ssl/certs/ca-certificates.crt "$libraries/usr/lib/ssl/cert.pem"

program=$into/daemon/program
install -D -m 0644 "$source/config/container.yaml" "$program/etc/linkrunnerd/linkrunnerd.yaml"
# Group 0 may write too: platforms that choose the user id at random (OpenShift) run with that group.
install -d "$program/var/lib" "$program/run"
install -d -o $user -g 0 -m 0770 "$program/var/lib/linkrunnerd" "$program/run/linkrunnerd"

find "$into" -exec touch --no-dereference --date=@0 {} +
