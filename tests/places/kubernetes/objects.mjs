// Rendered manifests as objects, and the pod templates in them.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

export function read(file) {
  // As kubectl reads them: YAML 1.1, where 0440 is an octal number.
  const documents = parseAllDocuments(readFileSync(file, "utf8"), { version: "1.1" });
  const broken = documents.flatMap(each => each.errors);
  if (broken.length) throw new Error(`${file}: ${broken[0].message}`);
  return documents.map(each => each.toJS()).filter(Boolean);
}

export const name = object => `${object.kind}/${object.metadata?.name}`;

// Every pod or pod template: {owner, namespace, metadata, spec, claims}.
export function pods(objects) {
  return objects
    .filter(each => each.kind === "Pod" || each.spec?.template?.spec?.containers)
    .map(each => {
      const template = each.kind === "Pod" ? each : each.spec.template;
      return {
        owner: name(each), namespace: each.metadata.namespace ?? "", metadata: template.metadata ?? {},
        spec: template.spec, claims: each.spec.volumeClaimTemplates ?? [],
      };
    });
}

export const containers = pod => [...(pod.spec.initContainers ?? []), ...pod.spec.containers];

// The container that runs linkrunnerd, if the pod has one.
export const daemon = pod => containers(pod).find(each => /(^|\/)linkrunnerd(:|@|$)/.test(each.image));

export function bytes(text) { // Kubernetes' 512Mi, linkrunnerd's 384MiB
  const units = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
  const [, number, unit] = /^([0-9.]+)([kMGT]?i?)B?$/i.exec(String(text)) ?? [];
  if (number === undefined || !(unit in units)) throw new Error(`not a size: ${text}`);
  return number * units[unit];
}

export function seconds(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };
  const [, number, unit] = /^([0-9.]+)(ms|s|m|h|d)$/.exec(String(text)) ?? [];
  if (number === undefined) throw new Error(`not a duration: ${text}`);
  return number * units[unit];
}
