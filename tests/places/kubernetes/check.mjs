// node check.mjs DOCUMENTATION JOBS: checks rendered files, and says what is wrong with their objects. JOBS has a line for each,
// with tabs between: the file; the directory with the outputs of --print-config for its pods (see configs.mjs), or -; and what
// must be said of it, where something in it is wrong on purpose. Exits 1 where anything else is found than that.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { budget } from "./budget.mjs";
import { daemon, name, pods, read } from "./objects.mjs";
import { documentedSecrets, references } from "./references.mjs";
import { restricted } from "./restricted.mjs";
import { schema } from "./schema.mjs";

const [documentation, list] = process.argv.slice(2);
const secrets = documentedSecrets(readFileSync(documentation, "utf8"));
const jobs = readFileSync(list, "utf8").split("\n").filter(Boolean).map(line => line.split("\t"));
const services = jobs.filter(([, , wanted]) => !wanted).flatMap(([file]) => read(file)).filter(each => each.kind === "Service")
  .flatMap(each => each.spec.ports.map(port => `${each.metadata.name}.${each.metadata.namespace}.svc:${port.port}`));

const level = (pod, objects) => objects.find(each => each.kind === "Namespace" && each.metadata.name === pod.namespace)
  ?.metadata.labels?.["pod-security.kubernetes.io/enforce"] ?? "restricted";

function security(pod, objects) {
  const violations = restricted(pod).map(what => `${pod.owner}: ${what}`);
  if (level(pod, objects) === "restricted") return violations;
  // Where a hostPath has to be, the daemon's container keeps to all the rest.
  if (!violations.some(what => what.endsWith(": hostPath"))) return [`${pod.owner}: could be in a restricted namespace`];
  return violations.filter(what => what.includes("container linkrunnerd:"));
}

function check(objects, effective) {
  const shape = objects.flatMap(each => schema(each).map(what => `${name(each)}: ${what}`));
  if (shape.length) return shape; // the rest relies on it
  const settings = pod => parse(readFileSync(`${effective}/${pod.owner.replace("/", ".")}/effective.yaml`, "utf8"));
  return [
    ...references(objects, secrets),
    ...pods(objects).flatMap(pod => security(pod, objects)),
    ...pods(objects).filter(daemon).flatMap(pod => budget(pod, settings(pod), services)),
  ];
}

let failed = false;
for (const [file, effective, wanted] of jobs) {
  const objects = read(file);
  const wrong = check(objects, effective);
  const fine = wanted ? wrong.some(what => what.includes(wanted)) : !wrong.length;
  failed ||= !fine;
  const title = basename(file, ".yaml");
  if (fine) console.log(`   ok  ${title}: ${wanted ?? objects.map(name).join(", ")}`);
  else console.log(`FAILED: ${title}: ${wanted ? `wanted '${wanted}', got ` : ""}${wrong.join("; ") || "nothing wrong"}`);
}
process.exit(failed ? 1 : 0);
