"""The Pod Security Standards as Kubernetes 1.36 checks them: one control, one function, one id.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ (versions of the controls as that page
and the release notes date them).  A control answers with the reasons a pod breaks it, in the API server's terms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from kubeanswers.objects import mapping, mappings, scalar_text, text_map, texts
from kubeanswers.pod_security_lists import BASELINE_CAPABILITIES, RESTRICTED_VOLUMES, SELINUX_TYPES, SYSCTLS
from kubeanswers.records import dataclass

LATEST: Final = 36
"""Minor version of Kubernetes that ``latest`` stands for."""

LEVELS: Final = ("privileged", "baseline", "restricted")
ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]{0,8})")
_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


@dataclass(frozen=True)
class PodFacts:
    """A pod spec with its metadata, as the controls read it.

    Attributes:
        spec: the pod spec.
        metadata: the pod's metadata; annotations matter to AppArmor.
        minor: minor version of Kubernetes whose standards apply.
    """

    spec: Mapping[str, Any]
    metadata: Mapping[str, Any]
    minor: int = LATEST

    @cached_property
    def containers(self) -> tuple[Mapping[str, Any], ...]:
        """Init, app and ephemeral containers, in the order the API server visits them."""
        kinds = ("initContainers", "containers", "ephemeralContainers")
        return tuple(item for kind in kinds for item in mappings(self.spec.get(kind)))

    @cached_property
    def context(self) -> Mapping[str, Any]:
        """The pod's security context."""
        return mapping(self.spec.get("securityContext"))

    @property
    def windows(self) -> bool:
        """Whether the pod says it runs on Windows, where Linux controls do not apply (since 1.25)."""
        return self.minor >= 25 and mapping(self.spec.get("os")).get("name") == "windows"

    @property
    def own_users(self) -> bool:
        """Whether root in the pod is nobody on the node, which relaxes three controls (since 1.35)."""
        return self.minor >= 35 and self.spec.get("hostUsers") is False

    def contexts(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield (who, security context) of the pod and of each container."""
        yield "pod", self.context
        yield from self.container_contexts()

    def container_contexts(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield (who, security context) of each container."""
        for container in self.containers:
            yield f'container "{scalar_text(container.get("name"))}"', mapping(container.get("securityContext"))


Reasons = Iterator[str]


@dataclass(frozen=True)
class Control:
    """One control of the standards.

    Attributes:
        id: short stable name.
        level: the least strict level that includes it.
        title: what the API server calls it in its refusals.
        reasons: yields why a pod breaks it.
        replaces: id of the baseline control it takes the place of at ``restricted``.
        since: minor version that introduced it.
    """

    id: str
    level: str
    title: str
    reasons: Callable[[PodFacts], Reasons]
    replaces: str = ""
    since: int = 0


@dataclass(frozen=True, order=True)
class Violation:
    """One control a pod breaks, and why."""

    control: str
    title: str
    why: str

    def __str__(self) -> str:
        return f"{self.title} ({self.why})"


def _host_process(pod: PodFacts) -> Reasons:
    for who, context in pod.contexts():
        if mapping(context.get("windowsOptions")).get("hostProcess") is True:
            yield f"{who} must not set securityContext.windowsOptions.hostProcess=true"


def _host_namespaces(pod: PodFacts) -> Reasons:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key) is True:
            yield f"{key}=true"


def _privileged(pod: PodFacts) -> Reasons:
    for who, context in pod.container_contexts():
        if context.get("privileged") is True:
            yield f"{who} must not set securityContext.privileged=true"


def _added(context: Mapping[str, Any]) -> list[str]:
    return texts(mapping(context.get("capabilities")).get("add"))


def _capabilities_baseline(pod: PodFacts) -> Reasons:
    for who, context in pod.container_contexts():
        bad = sorted(set(_added(context)) - BASELINE_CAPABILITIES)
        if bad:
            yield f"{who} must not include {', '.join(bad)} in securityContext.capabilities.add"


def _capabilities_restricted(pod: PodFacts) -> Reasons:
    if pod.windows:
        return
    for who, context in pod.container_contexts():
        if "ALL" not in texts(mapping(context.get("capabilities")).get("drop")):
            yield f"{who} must set securityContext.capabilities.drop=[ALL]"
        bad = sorted(set(_added(context)) - {"NET_BIND_SERVICE"})
        if bad:
            yield f"{who} must not include {', '.join(bad)} in securityContext.capabilities.add"


def _host_path(pod: PodFacts) -> Reasons:
    for volume in mappings(pod.spec.get("volumes")):
        if volume.get("hostPath") is not None:
            yield f'volume "{scalar_text(volume.get("name"))}"'


def _host_ports(pod: PodFacts) -> Reasons:
    """A pod on the node's network is given its container ports as host ports before it is checked."""
    own = pod.spec.get("hostNetwork") is True
    for container in pod.containers:
        ports = mappings(container.get("ports"))
        given = [port.get("hostPort") or (own and port.get("containerPort")) for port in ports]
        used = [scalar_text(port) for port in given if port]
        if used:
            yield f'container "{scalar_text(container.get("name"))}" uses hostPort {", ".join(used)}'


_PROFILES: Final = (None, "RuntimeDefault", "Localhost")


def _profile_type(context: Mapping[str, Any], key: str) -> object:
    """Return the type of a profile; None where no profile is set, empty where one is set without a type."""
    profile = context.get(key)
    return profile.get("type") or "" if isinstance(profile, Mapping) else None


def _app_armor(pod: PodFacts) -> Reasons:
    for who, context in pod.contexts():
        kind = _profile_type(context, "appArmorProfile")
        if kind not in _PROFILES:
            yield f'{who} must not set AppArmor profile type to "{kind}"'
    for key, value in text_map(pod.metadata.get("annotations")).items():
        if key.startswith(_APPARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/"):
            yield f"annotation {key}={value}"


def _selinux(pod: PodFacts) -> Reasons:
    for who, context in pod.contexts():
        options = mapping(context.get("seLinuxOptions"))
        if SELINUX_TYPES.get(scalar_text(options.get("type")), LATEST + 1) > pod.minor:
            yield f'{who} set forbidden securityContext.seLinuxOptions: type "{scalar_text(options.get("type"))}"'
        for key in ("user", "role"):
            if scalar_text(options.get(key)):
                yield f"{who} set forbidden securityContext.seLinuxOptions: {key} may not be set"


def _proc_mount(pod: PodFacts) -> Reasons:
    for who, context in pod.container_contexts():
        if context.get("procMount") not in (None, "Default"):
            yield f'{who} must not set securityContext.procMount to "{context.get("procMount")}"'


def _proc_mount_baseline(pod: PodFacts) -> Reasons:
    if not pod.own_users:
        yield from _proc_mount(pod)


_SECCOMP: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF: Final = "container.seccomp.security.alpha.kubernetes.io/"


def _seccomp_annotations(pod: PodFacts) -> Reasons:
    """Before the field there were annotations, and nothing else is asked of a pod held to those versions."""
    keys = (_SECCOMP, *(f"{_SECCOMP_OF}{scalar_text(item.get('name'))}" for item in pod.containers))
    annotations = text_map(pod.metadata.get("annotations"))
    for key in keys:
        value = annotations.get(key, "runtime/default")
        if value not in ("runtime/default", "docker/default") and not value.startswith("localhost/"):
            yield f'forbidden annotation {key}="{value}"'


def _seccomp_baseline(pod: PodFacts) -> Reasons:
    if pod.minor < 19:
        yield from _seccomp_annotations(pod)
        return
    for who, context in pod.contexts():
        kind = _profile_type(context, "seccompProfile")
        if kind not in _PROFILES:
            yield f'{who} must not set securityContext.seccompProfile.type to "{kind}"'


def _seccomp_restricted(pod: PodFacts) -> Reasons:
    if pod.windows:
        return
    yield from _seccomp_baseline(pod)
    inherited = _profile_type(pod.context, "seccompProfile") in _PROFILES[1:]
    for who, context in pod.container_contexts():
        if _profile_type(context, "seccompProfile") is None and not inherited:
            yield f'pod or {who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'


def _sysctls(pod: PodFacts) -> Reasons:
    for item in mappings(pod.context.get("sysctls")):
        name = scalar_text(item.get("name"))
        if SYSCTLS.get(name, LATEST + 1) > pod.minor:
            yield name


def _host_in_probes(pod: PodFacts) -> Reasons:
    for container in pod.containers:
        hooks = mapping(container.get("lifecycle"))
        handlers = [mapping(container.get(f"{kind}Probe")) for kind in ("liveness", "readiness", "startup")]
        handlers += [mapping(hooks.get(kind)) for kind in ("postStart", "preStop")]
        hosts = [scalar_text(mapping(h.get(how)).get("host")) for h in handlers for how in ("httpGet", "tcpSocket")]
        if any(hosts):
            bad = ", ".join(sorted({host for host in hosts if host}))
            yield f'container "{scalar_text(container.get("name"))}" uses probe or lifecycle host "{bad}"'


def _volume_types(pod: PodFacts) -> Reasons:
    for volume in mappings(pod.spec.get("volumes")):
        kinds = {key for key, value in volume.items() if key != "name" and value is not None}
        bad = sorted(kinds - RESTRICTED_VOLUMES)
        if bad and not kinds & RESTRICTED_VOLUMES:  # more than one source is for validation to refuse
            yield f'volume "{scalar_text(volume.get("name"))}" uses restricted volume type "{bad[0]}"'


def _privilege_escalation(pod: PodFacts) -> Reasons:
    if pod.windows:
        return
    for who, context in pod.container_contexts():
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{who} must set securityContext.allowPrivilegeEscalation=false"


def _non_root(pod: PodFacts) -> Reasons:
    if pod.own_users:
        return
    for who, context in pod.contexts():
        if context.get("runAsNonRoot") is False:
            yield f"{who} must not set securityContext.runAsNonRoot=false"
    if pod.context.get("runAsNonRoot") is None:
        for who, context in pod.container_contexts():
            if context.get("runAsNonRoot") is None:
                yield f"pod or {who} must set securityContext.runAsNonRoot=true"


def _root_user(pod: PodFacts) -> Reasons:
    if pod.own_users:
        return
    for who, context in pod.contexts():
        if context.get("runAsUser") == 0 and not isinstance(context.get("runAsUser"), bool):
            yield f"{who} must not set runAsUser=0"


CONTROLS: Final = (
    Control("host-process", "baseline", "hostProcess", _host_process),
    Control("host-namespaces", "baseline", "host namespaces", _host_namespaces),
    Control("privileged-containers", "baseline", "privileged", _privileged),
    Control("capabilities", "baseline", "non-default capabilities", _capabilities_baseline),
    Control("host-path-volumes", "baseline", "hostPath volumes", _host_path),
    Control("host-ports", "baseline", "hostPort", _host_ports),
    Control("host-probes", "baseline", "probe or lifecycle host", _host_in_probes, since=34),
    Control("apparmor", "baseline", "forbidden AppArmor profile", _app_armor),
    Control("selinux", "baseline", "seLinuxOptions", _selinux),
    Control("proc-mount", "baseline", "procMount", _proc_mount_baseline),
    Control("seccomp", "baseline", "seccompProfile", _seccomp_baseline),
    Control("sysctls", "baseline", "forbidden sysctls", _sysctls),
    Control("volume-types", "restricted", "restricted volume types", _volume_types, replaces="host-path-volumes"),
    Control("privilege-escalation", "restricted", "allowPrivilegeEscalation != false", _privilege_escalation, since=8),
    Control("run-as-non-root", "restricted", "runAsNonRoot != true", _non_root),
    Control("run-as-non-root-user", "restricted", "runAsUser=0", _root_user, since=23),
    Control("seccomp-restricted", "restricted", "seccompProfile", _seccomp_restricted, replaces="seccomp", since=19),
    Control(
        "capabilities-restricted",
        "restricted",
        "unrestricted capabilities",
        _capabilities_restricted,
        replaces="capabilities",
        since=22,
    ),
    Control("proc-mount-restricted", "restricted", "procMount", _proc_mount, replaces="proc-mount", since=35),
)
"""Every control of both levels, in the order of the documentation."""


def controls_of(level: str, minor: int = LATEST) -> tuple[Control, ...]:
    """Return the controls a level asks for in a version of Kubernetes.

    Raises:
        ValueError: the level is unknown.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not one of {', '.join(LEVELS)}")
    rank = LEVELS.index(level)
    found = [c for c in CONTROLS if LEVELS.index(c.level) <= rank and c.since <= minor]
    replaced = {control.replaces for control in found}
    return tuple(control for control in found if control.id not in replaced)


def violations(
    spec: Mapping[str, Any], level: str, metadata: Mapping[str, Any] | None = None, minor: int = LATEST
) -> list[Violation]:
    """Return the controls of a level that a pod spec breaks, each with every reason.

    A version newer than :data:`LATEST` means the newest that is known, as it does to the API server.

    Raises:
        ValueError: the level is unknown.
    """
    minor = min(minor, LATEST)
    pod = PodFacts(spec, metadata or {}, minor)
    found: list[Violation] = []
    for control in controls_of(level, minor):
        reasons = list(control.reasons(pod))
        if reasons:
            found.append(Violation(control.id, control.title, "; ".join(reasons)))
    return found


def enforced(labels: Mapping[str, str]) -> tuple[str, int]:
    """Return the level and minor version a namespace enforces.

    No label enforces nothing; so does one with a level that there is not, since the API server refuses such a label
    and the namespace stays without it.  A version that is none is the latest.
    """
    level = labels.get(ENFORCE, "privileged")
    version = _VERSION.fullmatch(labels.get(f"{ENFORCE}-version", "latest"))
    return (level if level in LEVELS else "privileged", int(version[1]) if version else LATEST)
