// Whether what objects say of each other holds: mounts and volumes, Secrets and ConfigMaps, probes and ports, selectors.
import { containers, daemon, name, pods } from "./objects.mjs";

// Secrets that a user makes, as the documentation says: {"namespace/name": [keys]}. Where no namespace is named in a manifest,
// it is the one of the app, which the documentation calls shop.
export const appNamespace = "shop";
export function documentedSecrets(text) {
  const found = {};
  for (const [, namespace, kind, secret, rest] of
    text.matchAll(/^ *kubectl -n (\S+) create secret (generic|tls) (\S+)((?: --\S+)+)/gm)) {
    const files = [...rest.matchAll(/--from-file=(?:([^=\s]+)=)?(\S+)/g)].map(([, key, path]) => key ?? path.split("/").pop());
    found[`${namespace}/${secret}`] = kind === "tls" ? ["tls.crt", "tls.key"] : files;
  }
  return found;
}

const matches = (selector, labels) =>
  Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);
const selects = (object, all, selector) => {
  const namespace = object.metadata.namespace ?? "";
  return all.filter(pod => pod.namespace === namespace && matches(selector, pod.metadata.labels));
};
const ports = pod => containers(pod).flatMap(each => each.ports ?? []);
const declares = (pod, wanted) => ports(pod).some(port => port.name === wanted || port.containerPort === wanted);

function ofVolumes(pod, objects, secrets) {
  const out = [];
  const namespace = pod.namespace || appNamespace;
  const volumes = [...(pod.spec.volumes ?? []), ...pod.claims.map(claim => ({ name: claim.metadata.name, claim }))];
  for (const volume of volumes) {
    const secret = volume.secret?.secretName;
    if (secret && !(`${namespace}/${secret}` in secrets)) out.push(`Secret ${namespace}/${secret} is made by nobody`);
    if (secret && ((volume.secret.defaultMode ?? 0o644) & 0o007)) out.push(`Secret ${secret} can be read by every user`);
    if (secret && pod.spec.securityContext?.fsGroup === undefined) out.push(`Secret ${secret} belongs to root: no fsGroup`);
    const map = volume.configMap?.name;
    if (map && !objects.some(each => each.kind === "ConfigMap" && each.metadata.name === map
      && (each.metadata.namespace ?? "") === pod.namespace)) out.push(`no ConfigMap ${map}`);
    if (!containers(pod).some(each => each.volumeMounts?.some(mount => mount.name === volume.name))) {
      out.push(`volume ${volume.name} is not mounted`);
    }
  }
  for (const each of containers(pod)) {
    for (const mount of each.volumeMounts ?? []) {
      const volume = volumes.find(one => one.name === mount.name);
      if (!volume) out.push(`container ${each.name} mounts ${mount.name}, which does not exist`);
      if ((volume?.secret || volume?.configMap) && (mount.subPath || mount.subPathExpr)) {
        out.push(`container ${each.name}: ${mount.mountPath} is a subPath, which is never updated`);
      }
    }
  }
  return out;
}

function ofProbes(pod) {
  const out = [];
  for (const each of containers(pod)) {
    for (const kind of ["startupProbe", "readinessProbe", "livenessProbe"]) {
      const port = each[kind]?.httpGet?.port;
      if (port !== undefined && !each.ports?.some(one => one.name === port || one.containerPort === port)) {
        out.push(`container ${each.name}: ${kind} asks port ${port}, which is not declared`);
      }
    }
  }
  const container = daemon(pod);
  const sidecar = container?.restartPolicy === "Always";
  const wanted = { startupProbe: "/healthz", livenessProbe: "/healthz", readinessProbe: sidecar ? undefined : "/readyz" };
  for (const [kind, path] of container ? Object.entries(wanted) : []) {
    const got = container[kind]?.httpGet?.path;
    if (got !== path) out.push(`${kind} of linkrunnerd asks ${got}, not ${path}`);
  }
  return out;
}

function ofSelectors(object, all, objects) {
  const out = [];
  const selector = object.kind === "Service" ? object.spec.selector : object.kind === "NetworkPolicy" ? object.spec.podSelector.matchLabels
    : object.kind === "PodDisruptionBudget" ? object.spec.selector.matchLabels : undefined;
  if (selector === undefined) return out;
  const chosen = selects(object, all, selector);
  if (!chosen.length) out.push("selects no pod");
  for (const pod of chosen) {
    const wanted = object.kind === "Service" ? object.spec.ports.map(port => port.targetPort)
      : object.kind === "NetworkPolicy" ? (object.spec.ingress ?? []).flatMap(rule => rule.ports.map(port => port.port)) : [];
    for (const port of wanted) {
      if (!declares(pod, port)) out.push(`port ${port} is not one of ${pod.owner}`);
    }
  }
  return out;
}

export function references(objects, secrets) {
  const all = pods(objects);
  const out = [];
  for (const object of objects) {
    const own = ofSelectors(object, all, objects);
    if (object.kind === "StatefulSet" && !objects.some(each => each.kind === "Service" && each.spec.clusterIP === "None"
      && each.metadata.name === object.spec.serviceName)) own.push(`no headless Service ${object.spec.serviceName}`);
    if (object.spec?.template && !matches(object.spec.selector.matchLabels, object.spec.template.metadata.labels)) {
      own.push("does not select its own pods");
    }
    out.push(...own.map(what => `${name(object)}: ${what}`));
  }
  for (const pod of all) {
    out.push(...[...ofVolumes(pod, objects, secrets), ...ofProbes(pod)].map(what => `${pod.owner}: ${what}`));
  }
  return out;
}
