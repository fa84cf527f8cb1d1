#!/bin/bash
# The one list of Debian 12 packages. Installs what is missing of the groups named, as root or through sudo:
#
#   daemon/packages.sh build    what compiles linkrunnerd
#   daemon/packages.sh run      what a built linkrunnerd needs on a host that has no compiler
#   daemon/packages.sh package  what daemon/package.sh uses beside `build`
#   daemon/packages.sh demo     what daemon/demo.sh uses beside `build`
#   daemon/packages.sh test     what tests/run.sh uses beside `build`
#   daemon/packages.sh places   what tests/places uses: a container engine, systemd in a tree of its own, npm for the
#                               schemas of Kubernetes
#   daemon/packages.sh page     what tests/page uses beside `build`: a browser
#   daemon/packages.sh bench    what tests/bench/run.sh uses beside `build`
#   daemon/packages.sh --list GROUP...   only prints the names
set -euo pipefail

build=(
    clang-19 mold ccache ninja-build cmake
    libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
    libspdlog-dev libfmt-dev libyaml-cpp-dev libssl-dev zlib1g-dev libxxhash-dev libcli11-dev prometheus-cpp-dev
)
run=(
    libboost-container1.81.0 libboost-json1.81.0 libboost-url1.81.0 libspdlog1.10 libfmt9 libyaml-cpp0.7 libssl3 zlib1g
    libprometheus-cpp-core1.0 libstdc++6 ca-certificates
)
package=(dpkg-dev file)
demo=(curl jq procps)
test=(
    clang-tidy-19 clang-format-19 libclang-rt-19-dev llvm-19 libgtest-dev libgmock-dev
    curl jq procps openssl nginx-light nftables util-linux prometheus sqlite3 libsqlite3-dev git
)
places=(
    mmdebstrap systemd systemd-container podman buildah runc uidmap jq curl procps util-linux
    dnsmasq-base iproute2
    nodejs npm unzip openssl
    "${package[@]}" lintian
)
page=(chromium-headless-shell fonts-dejavu-core curl jq)
bench=(nginx-light wrk curl jq procps util-linux libsqlite3-dev)

only_list=no
if [ "${1-}" = --list ]; then
    only_list=yes
    shift
fi
wanted=()
for group in "${@:-build}"; do
    case $group in
    build) wanted+=("${build[@]}") ;;
    run) wanted+=("${run[@]}") ;;
    package) wanted+=("${package[@]}") ;;
    demo) wanted+=("${demo[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    places) wanted+=("${places[@]}") ;;
    page) wanted+=("${page[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *)
        echo "packages.sh: no group '$group' (build, run, package, demo, test, places, page, bench)" >&2
        exit 2
        ;;
    esac
done
if [ $only_list = yes ]; then
    printf '%s\n' "${wanted[@]}" | sort -u
    exit 0
fi

# What another package provides is there, too: some hosts have an npm that comes with their nodejs.
present=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' | sed -nE 's/^installed //; T; s/\([^)]*\)|,/ /g; p' | tr '\n' ' ') "
missing=()
for name in "${wanted[@]}"; do
    if [[ $present != *" $name "* && " ${missing[*]-} " != *" $name "* ]]; then
        missing+=("$name")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages.sh: needs root or sudo to install: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing ${#missing[@]} packages: ${missing[*]}" >&2

# nginx and Prometheus are wanted as programs, not as services of this host: nothing is started.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
install_missing() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >&2
}
# The package index may be absent (fresh image) or too old.
install_missing || { "${as_root[@]}" apt-get update -qq >&2 && install_missing; }
