// node configs.mjs RENDERED DIRECTORY: for each pod with linkrunnerd its configuration file, its environment, and the directories in
// which Secrets are mounted, so that linkrunnerd itself can be asked what it makes of them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { daemon, pods, read } from "./objects.mjs";
import { appNamespace, documentedSecrets } from "./references.mjs";

const [rendered, into, documentation] = process.argv.slice(2);
const secrets = documentedSecrets(readFileSync(documentation, "utf8"));
const objects = read(rendered);
for (const pod of pods(objects).filter(daemon)) {
  const place = `${into}/${pod.owner.replace("/", ".")}`;
  mkdirSync(place, { recursive: true });
  const container = daemon(pod);
  const source = mount => pod.spec.volumes.find(volume => volume.name === mount.name) ?? {};
  const map = source(container.volumeMounts.find(mount => mount.mountPath === "/etc/linkrunnerd")).configMap.name;
  writeFileSync(`${place}/linkrunnerd.yaml`, objects.find(each => each.metadata.name === map).data["linkrunnerd.yaml"]);
  writeFileSync(`${place}/environment`, (container.env ?? []).map(each => `${each.name}=${each.value}\n`).join(""));
  const files = container.volumeMounts.filter(mount => source(mount).secret).flatMap(mount =>
    (secrets[`${pod.namespace || appNamespace}/${source(mount).secret.secretName}`] ?? []).map(key => `${mount.mountPath}/${key}\n`));
  writeFileSync(`${place}/secret-files`, files.join(""));
}
