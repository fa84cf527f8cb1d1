// The Pod Security Standards, level restricted, as of Kubernetes 1.33; and of our own: a root file system that is read-only,
// no token of the service account.
import { containers } from "./objects.mjs";

const volumeTypes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
const sysctls = ["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"];

function containerRules(each, pod) {
  const own = each.securityContext ?? {};
  const whole = pod.spec.securityContext ?? {};
  const seccomp = (own.seccompProfile ?? whole.seccompProfile)?.type;
  const rules = [
    [own.privileged !== true, "privileged"],
    [own.allowPrivilegeEscalation === false, "allowPrivilegeEscalation is not false"],
    [(own.runAsNonRoot ?? whole.runAsNonRoot) === true, "runAsNonRoot is not true"],
    [(own.runAsUser ?? whole.runAsUser) !== 0, "runAsUser is 0"],
    [own.capabilities?.drop?.includes("ALL"), "capabilities are not dropped"],
    [(own.capabilities?.add ?? []).every(one => one === "NET_BIND_SERVICE"), "capabilities are added"],
    [seccomp === "RuntimeDefault" || seccomp === "Localhost", "no seccompProfile"],
    [(own.procMount ?? "Default") === "Default", "procMount"],
    [!own.windowsOptions?.hostProcess, "hostProcess"],
    [[undefined, "RuntimeDefault", "Localhost"].includes(own.appArmorProfile?.type), "appArmorProfile"],
    [!own.seLinuxOptions?.user && !own.seLinuxOptions?.role, "seLinuxOptions"],
    [(each.ports ?? []).every(port => !port.hostPort), "hostPort"],
    [own.readOnlyRootFilesystem === true, "readOnlyRootFilesystem is not true"],
  ];
  return rules.filter(([holds]) => !holds).map(([, what]) => `container ${each.name}: ${what}`);
}

export function restricted(pod) {
  const { spec } = pod;
  const whole = spec.securityContext ?? {};
  const rules = [
    [!spec.hostNetwork, "hostNetwork"],
    [!spec.hostPID, "hostPID"],
    [!spec.hostIPC, "hostIPC"],
    [(whole.sysctls ?? []).every(one => sysctls.includes(one.name)), "sysctls"],
    [whole.runAsUser !== 0, "runAsUser is 0"],
    [!whole.seLinuxOptions?.user && !whole.seLinuxOptions?.role, "seLinuxOptions"],
    [spec.automountServiceAccountToken === false, "automountServiceAccountToken is not false"],
    ...(spec.volumes ?? []).map(volume => {
      const type = Object.keys(volume).find(key => key !== "name");
      return [volumeTypes.includes(type), `volume ${volume.name}: ${type}`];
    }),
  ];
  return [...rules.filter(([holds]) => !holds).map(([, what]) => what),
    ...containers(pod).flatMap(each => containerRules(each, pod))];
}
