// Time and room: whether the grace period is enough for all that happens in it, and the spool fits its volume with a margin.
// What linkrunnerd is set to is not read from the ConfigMap but from its own --print-config, defaults and environment included.
import { bytes, containers, daemon, seconds } from "./objects.mjs";

const marginSeconds = 2;
const closing = 1;          // the spool is closed within about a second
const fillAtMost = 0.9;     // of the volume: file systems need some of it for themselves

function preStop(container) {
  const hook = container.lifecycle?.preStop;
  if (hook && !hook.sleep) throw new Error(`container ${container.name}: how long its preStop takes cannot be read`);
  return hook?.sleep.seconds ?? 0;
}

function grace(pod, container, settings) {
  const sidecar = container.restartPolicy === "Always";
  let before = preStop(container);
  if (sidecar) { // stopped when the containers of the app have ended; its own preStop runs beside theirs
    const app = pod.metadata.annotations?.["linkrunner.io/app-stop-seconds"];
    if (app === undefined) return ["no annotation linkrunner.io/app-stop-seconds"];
    before = Math.max(before, Number(app) + Math.max(...pod.spec.containers.map(preStop)));
  }
  const { drain, handoff, handoff_timeout: timeout } = settings.shutdown;
  const needed = before + seconds(drain) + (handoff ? seconds(timeout) : 0) + closing + marginSeconds;
  const given = pod.spec.terminationGracePeriodSeconds ?? 30;
  return given >= needed ? [] : [`grace period of ${given} s, ${needed} s are needed`];
}

const mountOf = (container, path) => container.volumeMounts
  .filter(mount => path === mount.mountPath || path.startsWith(`${mount.mountPath}/`))
  .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];

function room(pod, container, settings) {
  const mount = mountOf(container, settings.spool.directory);
  if (!mount) return ["the spool is on no volume"];
  const volume = pod.spec.volumes?.find(one => one.name === mount.name);
  const claim = pod.claims.find(one => one.metadata.name === mount.name);
  const out = [];
  if (volume?.emptyDir && !settings.shutdown.handoff) out.push("the spool dies with the pod, and nothing is handed over");
  const size = volume?.emptyDir ? volume.emptyDir.sizeLimit : claim?.spec.resources.requests.storage;
  if (size === undefined && !volume?.hostPath) out.push("the size of the spool's volume is not limited");
  if (size !== undefined && bytes(settings.spool.max_bytes) > fillAtMost * bytes(size)) {
    out.push(`spool.max_bytes ${settings.spool.max_bytes} is too much for a volume of ${size}`);
  }
  if (volume?.emptyDir && bytes(container.resources.requests["ephemeral-storage"] ?? 0) < bytes(size)) {
    out.push("the node is not asked for the room of the spool");
  }
  return out;
}

function sockets(pod, container, settings) {
  const out = [];
  const control = mountOf(container, settings.control.listen.replace(/^unix:/, ""));
  if (!control) out.push("control.listen is on no volume");
  for (const path of settings.intake.listen.filter(one => one.startsWith("unix:/")).map(one => one.slice(5))) {
    const mount = mountOf(container, path);
    if (!mount) out.push(`${path} is on no volume`);
    else if (mount.name === control?.name) out.push("apps that mount the intake's socket get the control socket, too");
    const apps = containers(pod).filter(each => each !== container).flatMap(each => each.volumeMounts ?? []);
    if (apps.some(one => one.name === mount?.name && !one.readOnly && one.mountPath === mount.mountPath)) {
      out.push("the app could remove the socket: its mount is not read-only");
    }
  }
  const observe = settings.observe.listen.map(each => Number(each.split(":").pop()));
  const probed = container.ports.find(port => port.name === container.livenessProbe.httpGet.port);
  if (!observe.includes(probed?.containerPort)) out.push(`probes ask port ${probed?.containerPort}, observe.listen is ${observe}`);
  const scraped = pod.metadata.annotations?.["prometheus.io/port"];
  if (!observe.includes(Number(scraped))) out.push(`prometheus.io/port is ${scraped}, observe.listen is ${observe}`);
  return out;
}

// services: names like linkrunnerd-gateway.linkrunner.svc:7417
function addresses(settings, services) {
  const urls = [settings.upstream.url, settings.shutdown.handoff].filter(url => url && new URL(url).hostname.endsWith(".svc"));
  return urls.filter(url => !services.includes(new URL(url).host)).map(url => `${url} is no Service`);
}

export function budget(pod, settings, services) {
  const container = daemon(pod);
  return [grace, room, sockets].flatMap(rule => rule(pod, container, settings)).concat(addresses(settings, services))
    .map(what => `${pod.owner}: ${what}`);
}
