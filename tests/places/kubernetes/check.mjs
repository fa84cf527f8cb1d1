// node check.mjs RENDERED DOCUMENTATION [EFFECTIVE-DIRECTORY [FURTHER-RENDERED...]]: prints what is wrong with the objects of a rendered
// file, and exits 1 where anything is. EFFECTIVE-DIRECTORY has the outputs of --print-config (see configs.mjs); the further
// files are for names that the first one refers to.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { budget } from "./budget.mjs";
import { daemon, name, pods, read } from "./objects.mjs";
import { documentedSecrets, references } from "./references.mjs";
import { restricted } from "./restricted.mjs";
import { schema } from "./schema.mjs";

const [rendered, documentation, effective, ...further] = process.argv.slice(2);
const objects = read(rendered);
const wrong = objects.flatMap(each => schema(each).map(what => `${name(each)}: ${what}`));

const level = pod => objects.find(each => each.kind === "Namespace" && each.metadata.name === pod.namespace)
  ?.metadata.labels?.["pod-security.kubernetes.io/enforce"] ?? "restricted";

if (!wrong.length) { // the rest relies on the shape
  wrong.push(...references(objects, documentedSecrets(readFileSync(documentation, "utf8"))));
  const services = [rendered, ...further].flatMap(read).filter(each => each.kind === "Service")
    .flatMap(each => each.spec.ports.map(port => `${each.metadata.name}.${each.metadata.namespace}.svc:${port.port}`));
  for (const pod of pods(objects)) {
    const violations = restricted(pod);
    if (level(pod) === "restricted") wrong.push(...violations.map(what => `${pod.owner}: ${what}`));
    else if (!violations.some(what => what.endsWith(": hostPath"))) wrong.push(`${pod.owner}: could be in a restricted namespace`);
    // Where a hostPath has to be, the daemon's container keeps to all the rest.
    else wrong.push(...violations.filter(what => what.startsWith("container linkrunnerd:")).map(what => `${pod.owner}: ${what}`));
    if (effective && daemon(pod)) {
      const settings = parse(readFileSync(`${effective}/${pod.owner.replace("/", ".")}/effective.yaml`, "utf8"));
      wrong.push(...budget(pod, settings, services));
    }
  }
}
for (const what of wrong) console.log(what);
console.log(`${objects.length} objects: ${objects.map(name).join(", ")}`);
process.exit(wrong.length ? 1 : 0);
