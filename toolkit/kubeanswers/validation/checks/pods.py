"""Pod specifications, alone and in templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.containers import container
from kubeanswers.validation.checks.lifecycle import lifecycle, no_lifecycle, restarts
from kubeanswers.validation.checks.metadata import annotation_texts, labels
from kubeanswers.validation.checks.placement import affinity, spread, tolerations
from kubeanswers.validation.checks.profiles import pod_annotations
from kubeanswers.validation.checks.report import Report, each, items, mapping
from kubeanswers.validation.checks.resources import overhead, pod_resources, resize_policy
from kubeanswers.validation.checks.security import security_context
from kubeanswers.validation.checks.volumes import volumes
from kubeanswers.validation.checks.windows import windows

_SYSCTL: Final = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-_a-z0-9*]*[a-z0-9*])?")
_DNS: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MOST_SEARCHES: Final = 32
_LONGEST_SEARCHES: Final = 2048
_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")


def template(path: str, value: Any, report: Report) -> None:
    """Check a pod template."""
    found = mapping(value)
    metadata = mapping(found.get("metadata"))
    labels(f"{path}.metadata.labels", metadata.get("labels"), report)
    annotation_texts(f"{path}.metadata.annotations", metadata.get("annotations"), report)
    pod_spec(f"{path}.spec", mapping(found.get("spec")), report)
    pod_annotations(f"{path}.metadata.annotations", metadata.get("annotations"), mapping(found.get("spec")), report)
    if items(mapping(found.get("spec")).get("ephemeralContainers")):
        report.add(f"{path}.spec.ephemeralContainers", "may not be given in a template")


def pod_template(obj: Mapping[str, Any], report: Report) -> None:
    """Check a PodTemplate."""
    template("template", obj.get("template"), report)


def pod(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Pod."""
    spec = mapping(obj.get("spec"))
    pod_spec("spec", spec, report)
    pod_annotations("metadata.annotations", mapping(obj.get("metadata")).get("annotations"), spec, report)
    if items(spec.get("ephemeralContainers")):
        report.add("spec.ephemeralContainers", "cannot be set when a pod is created")
    if spec.get("nodeName") and items(spec.get("schedulingGates")):
        report.add("spec.nodeName", "cannot be set before all schedulingGates are cleared")
    for group in _GROUPS[:2]:
        for place, one in each(f"spec.{group}", spec.get(group)):
            if str(one.get("image") or "").strip() != str(one.get("image") or ""):
                report.add(f"{place}.image", "must not have leading or trailing whitespace")


def pod_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check a pod's specification."""
    names_of_volumes = volumes(path, spec, report)
    claims = _claims(path, spec, report)
    if not items(spec.get("containers")):
        report.add(f"{path}.containers", "is required")
    names: list[Any] = []
    for group in _GROUPS[:2]:
        for place, one in each(f"{path}.{group}", spec.get(group)):
            container(place, one, names_of_volumes, claims, report)
            restarts(place, one, group, report)
            resize_policy(f"{place}.resizePolicy", one.get("resizePolicy"), spec.get("restartPolicy"), report)
            if group == "initContainers" and one.get("restartPolicy") != "Always":
                no_lifecycle(place, one, report)
            else:
                lifecycle(place, one, spec.get("terminationGracePeriodSeconds"), report)
            names.append(one.get("name"))
    report.unique(f"{path}.containers", names, ".name")
    _host_ports(path, spec, report)
    report.choice(f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "OnFailure", "Never"))
    _names(path, spec, report)
    _dns(path, spec, report)
    report.between(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, 2**31 - 1)
    security_context(f"{path}.securityContext", spec.get("securityContext"), report)
    _sysctls(path, spec, report)
    labels(f"{path}.nodeSelector", spec.get("nodeSelector"), report)
    tolerations(f"{path}.tolerations", spec.get("tolerations"), report)
    affinity(f"{path}.affinity", mapping(spec.get("affinity")), report)
    spread(f"{path}.topologySpreadConstraints", spec.get("topologySpreadConstraints"), report)
    _host(path, spec, report)
    windows(path, spec, report)
    pod_resources(path, spec, report)
    overhead(f"{path}.overhead", spec.get("overhead"), report)


def _names(path: str, spec: Mapping[str, Any], report: Report) -> None:
    for field in ("serviceAccountName", "nodeName", "priorityClassName"):
        report.text(f"{path}.{field}", spec.get(field) or None, words.dns_subdomain)
    report.text(f"{path}.runtimeClassName", spec.get("runtimeClassName"), words.dns_subdomain)
    report.text(f"{path}.hostname", spec.get("hostname") or None, words.dns_label)
    report.text(f"{path}.subdomain", spec.get("subdomain") or None, words.dns_label)
    gates = [gate.get("name") for _, gate in each("", spec.get("schedulingGates"))]
    for index, gate in enumerate(gates):
        report.text(f"{path}.schedulingGates[{index}]", gate or "", words.qualified_name)
    report.unique(f"{path}.schedulingGates", gates)
    for place, one in each(f"{path}.readinessGates", spec.get("readinessGates")):
        report.text(f"{place}.conditionType", one.get("conditionType") or "", words.qualified_name)
    system = spec.get("os")
    if system is not None:
        report.choice(f"{path}.os.name", mapping(system).get("name"), ("linux", "windows"), optional=False)
    report.choice(f"{path}.preemptionPolicy", spec.get("preemptionPolicy"), ("PreemptLowerPriority", "Never"))


def _dns(path: str, spec: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS)
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            report.add(f"{path}.dnsConfig", "is required when dnsPolicy is None")
        elif not items(mapping(config).get("nameservers")):
            report.add(f"{path}.dnsConfig.nameservers", "at least one is required when dnsPolicy is None")
    servers = items(mapping(config).get("nameservers"))
    if len(servers) > 3:
        report.add(f"{path}.dnsConfig.nameservers", "at most 3 are allowed")
    for index, server in enumerate(servers):
        report.text(f"{path}.dnsConfig.nameservers[{index}]", server, words.ip_address)
    _searches(path, items(mapping(config).get("searches")), report)
    for place, option in each(f"{path}.dnsConfig.options", mapping(config).get("options")):
        report.required(f"{place}.name", option.get("name"))
    for place, alias in each(f"{path}.hostAliases", spec.get("hostAliases")):
        report.text(f"{place}.ip", alias.get("ip") or "", words.ip_address)
        for index, name in enumerate(items(alias.get("hostnames"))):
            report.text(f"{place}.hostnames[{index}]", name, words.dns_subdomain)


def _searches(path: str, searches: list[Any], report: Report) -> None:
    if len(searches) > _MOST_SEARCHES or len(" ".join(map(str, searches))) > _LONGEST_SEARCHES:
        report.add(f"{path}.dnsConfig.searches", f"at most {_MOST_SEARCHES}, {_LONGEST_SEARCHES} characters together")
    for index, search in enumerate(searches):
        if search != ".":  # the root itself
            report.text(f"{path}.dnsConfig.searches[{index}]", str(search).removesuffix("."), words.dns_search)


def _host(path: str, spec: Mapping[str, Any], report: Report) -> None:
    if spec.get("hostUsers") is False:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                report.add(f"{path}.{field}", "cannot be set with hostUsers: false")
    if spec.get("hostUsers") is not False:
        for group in ("initContainers", "containers"):
            for place, one in each(f"{path}.{group}", spec.get(group)):
                if mapping(one.get("securityContext")).get("procMount") == "Unmasked":
                    report.add(f"{place}.securityContext.procMount", "Unmasked needs hostUsers: false")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        report.add(f"{path}.shareProcessNamespace", "cannot be set beside hostPID")


def _host_ports(path: str, spec: Mapping[str, Any], report: Report) -> None:
    taken: list[tuple[Any, ...]] = []
    for _, one in each("", spec.get("containers")):
        for place, port in each(f"{path}.containers.ports", one.get("ports")):
            if spec.get("hostNetwork") and port.get("hostPort") not in (None, 0, port.get("containerPort")):
                report.add(f"{place}.hostPort", "must equal containerPort on the host network")
            if port.get("hostPort"):
                taken.append(_socket(port))
    report.unique(f"{path}.containers.ports", taken, ".hostPort")
    for place, one in each(f"{path}.initContainers", spec.get("initContainers")):
        own = [_socket(port) for _, port in each("", one.get("ports")) if port.get("hostPort")]
        report.unique(f"{place}.ports", own, ".hostPort")


def _socket(port: Mapping[str, Any]) -> tuple[Any, ...]:
    return (port["hostPort"], port.get("protocol") or "TCP", port.get("hostIP") or "")


_IPC_SYSCTLS: Final = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def _sysctls(path: str, spec: Mapping[str, Any], report: Report) -> None:
    found = list(each(f"{path}.securityContext.sysctls", mapping(spec.get("securityContext")).get("sysctls")))
    report.unique(f"{path}.securityContext.sysctls", [str(s.get("name")).replace("/", ".") for _, s in found])
    for place, one in found:
        name = str(one.get("name") or "").replace("/", ".")
        if not _SYSCTL.fullmatch(name):
            report.add(f"{place}.name", f"{name!r} is not the name of a sysctl")
        if spec.get("hostNetwork") and name.startswith("net."):
            report.add(f"{place}.name", "may not be given on the host network")
        if spec.get("hostIPC") and name.startswith(_IPC_SYSCTLS):
            report.add(f"{place}.name", "may not be given with the host's IPC")


def _claims(path: str, spec: Mapping[str, Any], report: Report) -> frozenset[str]:
    names: list[str] = []
    for place, claim in each(f"{path}.resourceClaims", spec.get("resourceClaims")):
        if report.required(f"{place}.name", claim.get("name")):
            report.text(f"{place}.name", claim["name"], words.dns_label)
            names.append(claim["name"])
        chosen = [k for k in ("resourceClaimName", "resourceClaimTemplateName") if claim.get(k) is not None]
        if len(chosen) != 1:
            report.add(place, "must have exactly one of resourceClaimName and resourceClaimTemplateName")
        for key in chosen:
            report.text(f"{place}.{key}", claim[key], words.dns_subdomain)
    report.unique(f"{path}.resourceClaims", names, ".name")
    return frozenset(names)
