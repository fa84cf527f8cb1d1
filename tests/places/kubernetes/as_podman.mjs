// node as_podman.mjs RENDERED OWNER volumes               the volumes of a pod, one JSON object a line
// node as_podman.mjs RENDERED OWNER time                  its grace period, and what of it the app may use up, in seconds
// node as_podman.mjs RENDERED OWNER CONTAINER DIRECTORY   arguments of podman run for a container of it, one a line
// Volumes are expected as directories in DIRECTORY. Everything that podman knows of what the manifest says is taken over.
import { bytes, containers, pods, read } from "./objects.mjs";

const [rendered, owner, wanted, directory] = process.argv.slice(2);
const objects = read(rendered);
const pod = pods(objects).find(each => each.owner === owner);
const whole = pod.spec.securityContext ?? {};

if (wanted === "volumes") {
  for (const volume of pod.spec.volumes ?? []) {
    const kind = Object.keys(volume).find(key => key !== "name");
    const files = kind === "configMap" ? objects.find(each => each.metadata.name === volume.configMap.name).data : undefined;
    console.log(JSON.stringify({
      name: volume.name, kind, group: whole.fsGroup, secret: volume.secret?.secretName, files,
      mode: (volume[kind].defaultMode ?? 0o644).toString(8),
    }));
  }
  for (const claim of pod.claims) console.log(JSON.stringify({ name: claim.metadata.name, kind: "claim", group: whole.fsGroup }));
} else if (wanted === "time") {
  console.log(JSON.stringify({
    grace: pod.spec.terminationGracePeriodSeconds,
    app: Number(pod.metadata.annotations["linkrunner.io/app-stop-seconds"]),
    preStop: Math.max(...pod.spec.containers.map(each => each.lifecycle?.preStop?.sleep.seconds ?? 0)),
  }));
} else {
  const container = containers(pod).find(each => each.name === wanted);
  const own = { ...whole, ...container.securityContext };
  const groups = [whole.fsGroup, ...(whole.supplementalGroups ?? [])].filter(group => group !== undefined);
  const out = [
    "--user", `${own.runAsUser}:${own.runAsGroup ?? 0}`,
    ...groups.flatMap(group => ["--group-add", String(group)]),
    ...own.capabilities.drop.flatMap(capability => ["--cap-drop", capability]),
    ...(own.capabilities.add ?? []).flatMap(capability => ["--cap-add", capability]),
    ...(own.readOnlyRootFilesystem ? ["--read-only", "--read-only-tmpfs=false"] : []),
    ...(own.allowPrivilegeEscalation === false ? ["--security-opt", "no-new-privileges"] : []),
    "--memory", String(bytes(container.resources.limits.memory)),
    ...(container.env ?? []).flatMap(each => ["--env", `${each.name}=${each.value}`]),
    ...(container.command ? ["--entrypoint", JSON.stringify(container.command)] : []),
    ...container.volumeMounts.flatMap(mount =>
      ["--volume", `${directory}/${mount.name}:${mount.mountPath}${mount.readOnly ? ":ro" : ""}`]),
  ];
  console.log(out.join("\n"));
}
