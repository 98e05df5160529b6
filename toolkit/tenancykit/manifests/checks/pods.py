"""Pod specifications, alone and in templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tenancykit.manifests.checks import words
from tenancykit.manifests.checks.containers import container, field_path, resources, security_context
from tenancykit.manifests.checks.metadata import annotations, labels, selector
from tenancykit.manifests.checks.report import Report, each, items, mapping

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_DNS: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_NODE_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_WHEN: Final = ("DoNotSchedule", "ScheduleAnyway")
_GROUPS: Final = ("initContainers", "containers", "ephemeralContainers")


def template(path: str, value: Any, report: Report) -> None:
    """Check a pod template."""
    found = mapping(value)
    metadata = mapping(found.get("metadata"))
    labels(f"{path}.metadata.labels", metadata.get("labels"), report)
    annotations(f"{path}.metadata.annotations", metadata.get("annotations"), report)
    pod_spec(f"{path}.spec", mapping(found.get("spec")), report)
    if items(mapping(found.get("spec")).get("ephemeralContainers")):
        report.add(f"{path}.spec.ephemeralContainers", "may not be given in a template")


def pod(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Pod."""
    spec = mapping(obj.get("spec"))
    pod_spec("spec", spec, report)
    if items(spec.get("ephemeralContainers")):
        report.add("spec.ephemeralContainers", "cannot be set when a pod is created")


def pod_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check a pod's specification."""
    volumes = _volumes(path, spec, report)
    claims = _claims(path, spec, report)
    if not items(spec.get("containers")):
        report.add(f"{path}.containers", "is required")
    names: list[Any] = []
    for group in _GROUPS[:2]:
        for place, one in each(f"{path}.{group}", spec.get(group)):
            container(place, one, volumes, claims, report)
            _restart(place, one, group, report)
            names.append(one.get("name"))
    report.unique(f"{path}.containers", names, ".name")
    _host_ports(path, spec, report)
    report.choice(f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "OnFailure", "Never"))
    _names(path, spec, report)
    _dns(path, spec, report)
    report.at_least(f"{path}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"), 0)
    report.between(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, 2**31 - 1)
    security_context(f"{path}.securityContext", spec.get("securityContext"), report)
    _sysctls(path, spec, report)
    labels(f"{path}.nodeSelector", spec.get("nodeSelector"), report)
    tolerations(f"{path}.tolerations", spec.get("tolerations"), report)
    _affinity(f"{path}.affinity", mapping(spec.get("affinity")), report)
    _spread(f"{path}.topologySpreadConstraints", spec.get("topologySpreadConstraints"), report)
    _host(path, spec, report)
    resources(f"{path}.resources", spec.get("resources"), report)


def _restart(path: str, one: Mapping[str, Any], group: str, report: Report) -> None:
    policy = one.get("restartPolicy")
    if policy is None:
        return
    allowed = ("Always", "OnFailure", "Never") if int(report.version.split(".")[1]) >= 35 else ("Always",)
    if group == "containers" and allowed == ("Always",):
        report.add(f"{path}.restartPolicy", "may not be set on containers other than init containers")
    report.choice(f"{path}.restartPolicy", policy, allowed)


def _names(path: str, spec: Mapping[str, Any], report: Report) -> None:
    for field in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        report.text(f"{path}.{field}", spec.get(field) or None, words.dns_subdomain)
    report.text(f"{path}.hostname", spec.get("hostname") or None, words.dns_label)
    report.text(f"{path}.subdomain", spec.get("subdomain") or None, words.dns_label)
    gates = [gate.get("name") for _, gate in each("", spec.get("schedulingGates"))]
    for index, gate in enumerate(gates):
        report.text(f"{path}.schedulingGates[{index}]", gate or "", words.qualified_name)
    report.unique(f"{path}.schedulingGates", gates)
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
    for place, alias in each(f"{path}.hostAliases", spec.get("hostAliases")):
        report.text(f"{place}.ip", alias.get("ip") or "", words.ip_address)
        for index, name in enumerate(items(alias.get("hostnames"))):
            report.text(f"{place}.hostnames[{index}]", name, words.dns_subdomain)


def _host(path: str, spec: Mapping[str, Any], report: Report) -> None:
    if spec.get("hostUsers") is False:
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                report.add(f"{path}.{field}", "cannot be set with hostUsers: false")
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        report.add(f"{path}.shareProcessNamespace", "cannot be set beside hostPID")


def _host_ports(path: str, spec: Mapping[str, Any], report: Report) -> None:
    taken: list[tuple[Any, ...]] = []
    for _, one in each("", spec.get("containers")):
        for place, port in each(f"{path}.containers.ports", one.get("ports")):
            if spec.get("hostNetwork") and port.get("hostPort") not in (None, 0, port.get("containerPort")):
                report.add(f"{place}.hostPort", "must equal containerPort on the host network")
            if port.get("hostPort"):
                taken.append((port["hostPort"], port.get("protocol") or "TCP", port.get("hostIP") or ""))
    report.unique(f"{path}.containers.ports", taken, ".hostPort")


def _sysctls(path: str, spec: Mapping[str, Any], report: Report) -> None:
    names = [s.get("name") for _, s in each("", mapping(spec.get("securityContext")).get("sysctls"))]
    report.unique(f"{path}.securityContext.sysctls", names)


def tolerations(path: str, value: Any, report: Report) -> None:
    """Check a list of tolerations."""
    for place, one in each(path, value):
        key, operator, effect = one.get("key") or "", one.get("operator") or "", one.get("effect") or ""
        if key:
            report.text(f"{place}.key", key, words.qualified_name)
        elif operator != "Exists":
            report.add(f"{place}.operator", "must be Exists when key is empty")
        report.choice(f"{place}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
        if operator == "Exists" and one.get("value"):
            report.add(f"{place}.value", "must be empty when operator is Exists")
        elif operator in ("", "Equal"):
            report.text(f"{place}.value", one.get("value") or "", words.label_value)
        report.choice(f"{place}.effect", effect, _EFFECTS)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            report.add(f"{place}.effect", "must be NoExecute when tolerationSeconds is set")


def _affinity(path: str, value: Mapping[str, Any], report: Report) -> None:
    node = mapping(value.get("nodeAffinity"))
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is not None:
        terms = items(mapping(required).get("nodeSelectorTerms"))
        place = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
        if not terms:
            report.add(place, "must have at least one term")
        for index, term in enumerate(terms):
            node_term(f"{place}[{index}]", mapping(term), report)
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    for place, term in each(f"{path}.nodeAffinity.{key}", node.get(key)):
        report.between(f"{place}.weight", term.get("weight") or 0, 1, 100)
        node_term(f"{place}.preference", mapping(term.get("preference")), report)
    for kind in ("podAffinity", "podAntiAffinity"):
        for place, term in _pod_terms(f"{path}.{kind}", mapping(value.get(kind)), report):
            if report.required(f"{place}.topologyKey", term.get("topologyKey")):
                report.text(f"{place}.topologyKey", term["topologyKey"], words.qualified_name)
            selector(f"{place}.labelSelector", term.get("labelSelector"), report)


def _pod_terms(path: str, value: Mapping[str, Any], report: Report) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from each(
        f"{path}.requiredDuringSchedulingIgnoredDuringExecution",
        value.get("requiredDuringSchedulingIgnoredDuringExecution"),
    )
    key = "preferredDuringSchedulingIgnoredDuringExecution"
    for place, weighted in each(f"{path}.{key}", value.get(key)):
        report.between(f"{place}.weight", weighted.get("weight") or 0, 1, 100)
        yield f"{place}.podAffinityTerm", mapping(weighted.get("podAffinityTerm"))


def node_term(path: str, value: Mapping[str, Any], report: Report) -> None:
    """Check a term of a node selector."""
    for place, one in each(f"{path}.matchExpressions", value.get("matchExpressions")):
        operator, values = one.get("operator"), items(one.get("values"))
        report.text(f"{place}.key", one.get("key") or "", words.qualified_name)
        report.choice(f"{place}.operator", operator, _NODE_OPERATORS, optional=False)
        if operator in ("In", "NotIn") and not values:
            report.add(f"{place}.values", "is required when operator is In or NotIn")
        if operator in ("Exists", "DoesNotExist") and values:
            report.add(f"{place}.values", "may not be given when operator is Exists or DoesNotExist")
        if operator in ("Gt", "Lt") and len(values) != 1:
            report.add(f"{place}.values", "must be a single value when operator is Gt or Lt")
    for place, one in each(f"{path}.matchFields", value.get("matchFields")):
        report.choice(f"{place}.key", one.get("key"), ("metadata.name",), optional=False)
        report.choice(f"{place}.operator", one.get("operator"), ("In", "NotIn"), optional=False)
        if len(items(one.get("values"))) != 1:
            report.add(f"{place}.values", "must have one element")


def _spread(path: str, value: Any, report: Report) -> None:
    pairs: list[tuple[Any, Any]] = []
    for place, one in each(path, value):
        report.at_least(f"{place}.maxSkew", one.get("maxSkew") or 0, 1)
        if report.required(f"{place}.topologyKey", one.get("topologyKey")):
            report.text(f"{place}.topologyKey", one["topologyKey"], words.qualified_name)
        when = one.get("whenUnsatisfiable")
        report.choice(f"{place}.whenUnsatisfiable", when, _WHEN, optional=False)
        if one.get("minDomains") is not None:
            report.at_least(f"{place}.minDomains", one["minDomains"], 1)
            if when != "DoNotSchedule":
                report.add(f"{place}.minDomains", "can only be used with DoNotSchedule")
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            report.choice(f"{place}.{field}", one.get(field), ("Ignore", "Honor"))
        selector(f"{place}.labelSelector", one.get("labelSelector"), report)
        keys = items(one.get("matchLabelKeys"))
        if keys and one.get("labelSelector") is None:
            report.add(f"{place}.matchLabelKeys", "may not be given without labelSelector")
        pairs.append((one.get("topologyKey"), when))
    report.unique(path, pairs)


def _volumes(path: str, spec: Mapping[str, Any], report: Report) -> frozenset[str]:
    names: list[str] = []
    for place, volume in each(f"{path}.volumes", spec.get("volumes")):
        if report.required(f"{place}.name", volume.get("name")):
            report.text(f"{place}.name", volume["name"], words.dns_label)
            names.append(volume["name"])
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if not sources:
            report.add(place, "must have a volume type")
        elif len(sources) > 1:
            report.add(place, "may not have more than one volume type")
        else:
            _volume(f"{place}.{sources[0]}", sources[0], mapping(volume[sources[0]]), report)
    report.unique(f"{path}.volumes", names, ".name")
    return frozenset(names)


def _volume(path: str, kind: str, value: Mapping[str, Any], report: Report) -> None:
    needed = {
        "hostPath": "path",
        "secret": "secretName",
        "configMap": "name",
        "persistentVolumeClaim": "claimName",
        "csi": "driver",
        "image": "reference",
    }
    if kind in needed and kind != "image":
        report.required(f"{path}.{needed[kind]}", value.get(needed[kind]))
    if kind == "hostPath" and ".." in str(value.get("path") or "").split("/"):
        report.add(f"{path}.path", "must not contain '..'")
    if kind == "emptyDir":
        size = words.quantity(value.get("sizeLimit", 0))
        if size is None or size < 0:
            report.add(f"{path}.sizeLimit", "must be a quantity of at least 0")
    report.between(f"{path}.defaultMode", value.get("defaultMode"), 0, 0o777)
    if kind in ("configMap", "secret"):
        _projections(path, value, report)
    if kind == "downwardAPI":
        for place, item in each(f"{path}.items", value.get("items")):
            if item.get("fieldRef"):
                field_path(f"{place}.fieldRef.fieldPath", mapping(item["fieldRef"]).get("fieldPath"), report)
    if kind == "nfs":
        for field in ("server", "path"):
            report.required(f"{path}.{field}", value.get(field))
    if kind == "ephemeral":
        claim = mapping(mapping(value.get("volumeClaimTemplate")).get("spec"))
        claim_spec(f"{path}.volumeClaimTemplate.spec", claim, report)


def _projections(path: str, value: Mapping[str, Any], report: Report) -> None:
    for place, item in each(f"{path}.items", value.get("items")):
        report.required(f"{place}.key", item.get("key"))
        inner = str(item.get("path") or "")
        if not inner or inner.startswith("/") or ".." in inner.split("/"):
            report.add(f"{place}.path", "must be a relative path without '..'")


_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def claim_spec(path: str, spec: Mapping[str, Any], report: Report) -> None:
    """Check the specification of a PersistentVolumeClaim."""
    modes = items(spec.get("accessModes"))
    if not modes:
        report.add(f"{path}.accessModes", "at least one is required")
    for index, mode in enumerate(modes):
        report.choice(f"{path}.accessModes[{index}]", mode, _MODES, optional=False)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        report.add(f"{path}.accessModes", "ReadWriteOncePod excludes other access modes")
    requests = mapping(mapping(spec.get("resources")).get("requests"))
    if "storage" not in requests:
        report.add(f"{path}.resources.requests[storage]", "is required")
    else:
        size = words.quantity(requests["storage"])
        if size is None or size <= 0:
            report.add(f"{path}.resources.requests[storage]", "must be a quantity above zero")
    report.text(f"{path}.storageClassName", spec.get("storageClassName") or None, words.dns_subdomain)
    report.choice(f"{path}.volumeMode", spec.get("volumeMode"), ("Block", "Filesystem"))
    selector(f"{path}.selector", spec.get("selector"), report)


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
