#!/bin/bash
# The manifests of config/kubernetes, without a cluster: rendered by kubectl, checked against the schemas of Kubernetes, the
# Pod Security level restricted, what they say of each other, and linkrunnerd's own reading of their configuration. Then the
# checks are checked: each of a list of mistakes has to be found. Needs root as the other scripts of this folder, and npm.
#
#   LINKRUNNERD=path/to/linkrunnerd tests/places/kubernetes.sh    with a program that is built already
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/manifests.sh"
page=$top/docs/install-pod.md # says which Secrets the user makes
work=$tools/work

step "kubectl and the schemas"
get_tools
kubectl version --client | sed 's/^/   /'
check() { node "$tools/check.mjs" "$page" "$work/jobs"; }

step "linkrunnerd"
if [ -z "${LINKRUNNERD-}" ]; then
    cmake -S "$top" -B "$places/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
        -DLINKRUNNER_TESTS=OFF -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >"$places/configure.log" ||
        { cat "$places/configure.log"; exit 1; }
    ninja -C "$places/build" --quiet linkrunnerd
    LINKRUNNERD=$places/build/linkrunnerd
fi

rm -rf "$work"
mkdir -p "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=check \
    -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
# What linkrunnerd makes of the configuration of each pod of a rendered file, with a file wherever a Secret is mounted.
ask_linkrunnerd() { # rendered file, directory for the answers
    local place path file
    node "$tools/configs.mjs" "$1" "$2" "$page"
    for place in "$2"/*/; do
        while read -r path; do
            file=$place/root$path
            mkdir -p "${file%/*}"
            case $path in
            */tls.*) cp "$work/${path##*/}" "$file" ;;
            *) echo 'k3y-of-the-check' >"$file" ;;
            esac
            chmod 0440 "$file"
        done <"$place/secret-files"
        sed "s#/secrets/#${place}root/secrets/#g" "$place/linkrunnerd.yaml" >"$place/here.yaml"
        sed "s#/secrets/#${place}root/secrets/#g" "$place/environment" >"$place/here.environment"
        env -i $(cat "$place/here.environment") "$LINKRUNNERD" --config "$place/here.yaml" --print-config \
            >"$place/effective.yaml" || fail "linkrunnerd does not take the configuration of $(basename "$place")"
        ! grep -q k3y-of "$place/effective.yaml" || fail "a secret is printed"
        echo "   ok  linkrunnerd takes the configuration of $(basename "$2"): $(basename "$place")"
    done
}

step "bases and overlays"
rendered=()
for each in "$bases"/*/kustomization.yaml; do
    name=$(basename "$(dirname "$each")")
    kubectl kustomize "$bases/$name" >"$work/$name.yaml" 2>"$work/$name.said"
    [ ! -s "$work/$name.said" ] || fail "kubectl kustomize $name: $(cat "$work/$name.said")"
    ask_linkrunnerd "$work/$name.yaml" "$work/$name"
    rendered+=("$work/$name.yaml")
    printf '%s\t%s\n' "$work/$name.yaml" "$work/$name" >>"$work/jobs"
done
printf '%s\t-\n' "$bases"/*/example-*.yaml >>"$work/jobs"
check
while read -r each; do
    grep -q "^ *- ../components/$each\$" "$bases"/*/kustomization.yaml || fail "component $each is rendered by no overlay"
done < <(ls "$bases/components")
expect "keys or tokens in the manifests" "" "$(grep -l '^kind: Secret$' "${rendered[@]}" || true)"

step "what docs/install-pod.md says to do, as far as it needs no cluster"
mkdir -p "$work/mine"
sed -n '/^cat >mine.kustomization.yaml/,/^YAML$/{//!p}' "$page" |
    sed "s#\.\./config#$(realpath --relative-to="$work/mine" "$top/config")#" >"$work/mine/kustomization.yaml"
expect "image" registry.example.com/linkrunnerd:0.1.0 "$(kubectl kustomize "$work/mine" | sed -n 's/.* image: //p')"
cp "$work/tls.key" "$work/server.key"
cp "$work/tls.key" "$work/token"
while read -ra command; do
    (cd "$work" && "${command[@]}" --dry-run=client -o yaml) >"$work/secret.yaml"
    expect "${command[*]}" Secret "$(sed -n 's/^kind: //p' "$work/secret.yaml")"
done < <(sed -nE 's/^ *(kubectl -n \S+ create secret( [a-z-]+)+( --(from-file|cert|key)=\S+)+).*/\1/p' "$page" | sort -u)

step "mistakes are found"
count=0
mistaken() { # overlay, sed script, what must be said of it
    local file
    file=$work/$1-mistake-$((++count)).yaml
    sed -E "$2" "$work/$1.yaml" >"$file"
    ! cmp -s "$file" "$work/$1.yaml" || fail "nothing is changed by $2"
    printf '%s\t%s\t%s\n' "$file" "$work/$1" "$3" >>"$work/jobs"
}
mistaken sidecar 's/^apiVersion: apps.v1$/apiVersion: apps\/v1beta9/' 'no such kind'
mistaken sidecar 's/replicas: 2/replicas: two/' '/spec/replicas'
mistaken sidecar 's/restartPolicy: Always/restartPolicey: Always/' '.spec.template.spec.initContainers[0].restartPolicey: unknown field'
mistaken sidecar 's/replicas: 2/replicaz: 2/' '.spec.replicaz: unknown field'
mistaken sidecar 's/sizeLimit: 512Mi/sizeLimit: plenty/' 'sizeLimit'
mistaken gateway 's/sessionAffinity: ClientIP/sessionAffinity: [ClientIP]/' '/spec/sessionAffinity'
mistaken sidecar 's/runAsNonRoot: true/runAsNonRoot: false/' 'container linkrunnerd: runAsNonRoot is not true'
mistaken sidecar 's/^( *)- ALL/\1- CHOWN/' 'container linkrunnerd: capabilities are not dropped'
mistaken sidecar 's/allowPrivilegeEscalation: false/allowPrivilegeEscalation: true/' 'container shop: allowPrivilegeEscalation is not false'
mistaken sidecar '/seccompProfile/{N;d}' 'container linkrunnerd: no seccompProfile'
mistaken gateway 's/emptyDir:/hostPath: {path: \/run}\n        #/; s/^ *sizeLimit: 1Mi$//' 'volume run: hostPath'
mistaken daemonset 's/enforce: privileged/enforce: restricted/' 'volume spool: hostPath'
mistaken sidecar 's/secretName: linkrunner-server-key/secretName: server-key/' 'Secret shop/server-key is made by nobody'
mistaken sidecar 's/defaultMode: 288/defaultMode: 0444/' 'can be read by every user'
mistaken sidecar 's/^( {8,}name): linkrunnerd-sidecar-.*/\1: linkrunnerd-gone/' 'no ConfigMap linkrunnerd-gone'
mistaken gateway 's/mountPath: .secrets.server-key/&\n          subPath: server.key/' 'is a subPath'
mistaken gateway 's/containerPort: 7418/&\n          name: observed/; /^ *name: observe$/d' 'which is not declared'
mistaken gateway 's/path: .healthz/path: \/readyz/' 'livenessProbe of linkrunnerd asks /readyz, not /healthz'
mistaken sidecar 's/^( *)livenessProbe:/\1readinessProbe:\n\1  httpGet: {path: \/readyz, port: lr-observe}\n&/' 'readinessProbe of linkrunnerd asks /readyz, not undefined'
mistaken gateway 's/^( *)serviceName: .*/\1serviceName: other/' 'no headless Service other'
mistaken gateway '/^kind: Service$/,/^---$/s/component: gateway/component: gate/' 'selects no pod'
mistaken sidecar 's/terminationGracePeriodSeconds: 50/terminationGracePeriodSeconds: 47/' 'grace period of 47 s, 48 s are needed'
mistaken gateway 's/terminationGracePeriodSeconds: 30/terminationGracePeriodSeconds: 15/' 'grace period of 15 s, 18 s are needed'
mistaken sidecar '/app-stop-seconds/d' 'no annotation linkrunner.io/app-stop-seconds'
mistaken sidecar 's/sizeLimit: 512Mi/sizeLimit: 400Mi/' 'spool.max_bytes 384MiB is too much for a volume of 400Mi'
mistaken gateway 's/storage: 10Gi/storage: 8Gi/' 'spool.max_bytes 8GiB is too much for a volume of 8Gi'
mistaken sidecar 's/ephemeral-storage: 512Mi/ephemeral-storage: 64Mi/' 'the node is not asked for the room of the spool'
mistaken sidecar '/readOnly: true$/d' 'the app could remove the socket'
mistaken sidecar 's/containerPort: 7418/containerPort: 7419/' 'probes ask port 7419'
mistaken sidecar 's#mountPath: /run/linkrunnerd$#mountPath: /run/other#' 'control.listen is on no volume'
check
sed 's/max_bytes: 384MiB/max_byte: 384MiB/' "$work/sidecar.yaml" >"$work/wrong.yaml"
if (ask_linkrunnerd "$work/wrong.yaml" "$work/wrong") >"$work/wrong.said" 2>&1; then
    fail "linkrunnerd takes a configuration with an unknown key"
fi
grep -q "unknown key 'spool.max_byte'" "$work/wrong.said" || fail "$(cat "$work/wrong.said")"
echo "   ok  linkrunnerd: unknown key 'spool.max_byte'"
echo "kubernetes: all as documented"
