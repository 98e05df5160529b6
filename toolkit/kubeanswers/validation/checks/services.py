"""Services, Ingresses and NetworkPolicies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks import words
from kubeanswers.validation.checks.metadata import labels, selector
from kubeanswers.validation.checks.report import Report, each, items, mapping

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_KUBELET: Final = 10250
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def service(obj: Mapping[str, Any], report: Report) -> None:
    """Check a Service."""
    spec = mapping(obj.get("spec"))
    kind = spec.get("type") or "ClusterIP"
    report.choice("spec.type", kind, _TYPES)
    headless = spec.get("clusterIP") == "None"
    ports = items(spec.get("ports"))
    if not ports and not headless and kind != "ExternalName":
        report.add("spec.ports", "is required")
    _service_ports(ports, kind, report)
    labels("spec.selector", spec.get("selector"), report)
    report.choice("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    if kind == "ExternalName":
        if report.required("spec.externalName", spec.get("externalName")):
            report.text("spec.externalName", str(spec["externalName"]).rstrip("."), words.dns_subdomain)
        if spec.get("clusterIP") not in (None, ""):
            report.add("spec.clusterIP", "may not be set for an ExternalName Service")
    if headless and kind in ("LoadBalancer", "NodePort"):
        report.add("spec.clusterIP", f"may not be None for a {kind} Service")
    _addresses(spec, kind, report)
    address = spec.get("clusterIP")
    if address not in (None, "", "None"):
        report.text("spec.clusterIP", address, words.ip_address)
    for index, one in enumerate(items(spec.get("externalIPs"))):
        report.text(f"spec.externalIPs[{index}]", one, words.reachable_address)
    _balancing(spec, kind, report)


def _addresses(spec: Mapping[str, Any], kind: str, report: Report) -> None:
    """Check a Service's addresses and address families against each other."""
    addresses, families = items(spec.get("clusterIPs")), items(spec.get("ipFamilies"))
    if addresses and kind == "ExternalName":
        report.add("spec.clusterIPs", "may not be set for an ExternalName Service")
    elif addresses and addresses[0] != (spec.get("clusterIP") or ""):
        report.add("spec.clusterIPs", "must start with clusterIP")
    for index, one in enumerate(addresses):
        if one != "None" or len(addresses) > 1:
            report.text(f"spec.clusterIPs[{index}]", one, words.ip_address)
    for field, values in (("clusterIPs", addresses), ("ipFamilies", families)):
        if len(values) > 2:
            report.add(f"spec.{field}", "at most two are allowed")
        if len(values) > 1 and spec.get("ipFamilyPolicy") == "SingleStack":
            report.add("spec.ipFamilyPolicy", f"must not be SingleStack where two {field} are given")
    report.unique("spec.clusterIPs", addresses)
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if kind == "ExternalName" and spec.get(field):
            report.add(f"spec.{field}", "may not be set for an ExternalName Service")


def _service_ports(ports: list[Any], kind: str, report: Report) -> None:
    names: list[str] = []
    numbers: list[tuple[Any, Any]] = []
    for place, port in each("spec.ports", ports):
        name = port.get("name") or ""
        if name:
            report.text(f"{place}.name", name, words.dns_label)
            names.append(name)
        elif len(ports) > 1:
            report.add(f"{place}.name", "is required where there are several ports")
        report.between(f"{place}.port", port.get("port") or 0, 1, 65535)
        report.choice(f"{place}.protocol", port.get("protocol"), _PROTOCOLS)
        target = port.get("targetPort")
        if isinstance(target, str):
            report.text(f"{place}.targetPort", target, words.port_name)
        elif target:
            report.between(f"{place}.targetPort", target, 1, 65535)
        if port.get("nodePort"):
            report.between(f"{place}.nodePort", port["nodePort"], 1, 65535)
            if kind not in ("NodePort", "LoadBalancer"):
                report.add(f"{place}.nodePort", f"may not be used when type is {kind}")
        report.text(f"{place}.appProtocol", port.get("appProtocol"), words.qualified_name)
        numbers.append((port.get("port"), port.get("protocol") or "TCP"))
    report.unique("spec.ports", names, ".name")
    report.unique("spec.ports", numbers)
    opened = [(p["nodePort"], p.get("protocol") or "TCP") for _, p in each("", ports) if p.get("nodePort")]
    report.unique("spec.ports", opened, ".nodePort")
    if kind == "LoadBalancer" and any(port.get("port") == _KUBELET for _, port in each("", ports)):
        report.add("spec.ports", f"may not expose port {_KUBELET}, the kubelet's, to the outside")


def _balancing(spec: Mapping[str, Any], kind: str, report: Report) -> None:
    outside = kind in ("LoadBalancer", "NodePort") or bool(items(spec.get("externalIPs")))
    policy = spec.get("externalTrafficPolicy")
    report.choice("spec.externalTrafficPolicy", policy, ("Cluster", "Local"))
    if policy and not outside:
        report.add("spec.externalTrafficPolicy", "may only be set for externally accessible Services")
    report.choice("spec.internalTrafficPolicy", spec.get("internalTrafficPolicy"), ("Cluster", "Local"))
    ranges = items(spec.get("loadBalancerSourceRanges"))
    if ranges and kind != "LoadBalancer":
        report.add("spec.loadBalancerSourceRanges", "may only be used when type is LoadBalancer")
    for index, one in enumerate(ranges):
        report.text(f"spec.loadBalancerSourceRanges[{index}]", str(one).strip(), words.cidr)
    if spec.get("loadBalancerClass") is not None:
        if kind != "LoadBalancer":
            report.add("spec.loadBalancerClass", "may only be used when type is LoadBalancer")
        report.text("spec.loadBalancerClass", spec["loadBalancerClass"], words.qualified_name)
    health = spec.get("healthCheckNodePort")
    report.between("spec.healthCheckNodePort", health, 0, 65535)
    if health and not (kind == "LoadBalancer" and policy == "Local"):
        report.add("spec.healthCheckNodePort", "may only be set for a LoadBalancer with policy Local")
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        report.add("spec.allocateLoadBalancerNodePorts", "may only be used when type is LoadBalancer")
    _reach(spec, report)


def _reach(spec: Mapping[str, Any], report: Report) -> None:
    """Check which end of a Service a client is sent to."""
    spread = ("PreferClose", "PreferSameZone", "PreferSameNode")
    if spec.get("trafficDistribution") is not None:
        report.choice("spec.trafficDistribution", spec["trafficDistribution"], spread, optional=False)
    families = items(spec.get("ipFamilies"))
    for index, family in enumerate(families):
        report.choice(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"), optional=False)
    report.unique("spec.ipFamilies", families)
    policies = ("SingleStack", "PreferDualStack", "RequireDualStack")
    report.choice("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), policies)
    config = spec.get("sessionAffinityConfig")
    affinity = mapping(mapping(config).get("clientIP"))
    report.between("spec.sessionAffinityConfig.clientIP.timeoutSeconds", affinity.get("timeoutSeconds"), 1, 86400)
    if config is not None and spec.get("sessionAffinity") != "ClientIP":
        report.add("spec.sessionAffinityConfig", "may only be set with sessionAffinity ClientIP")


def ingress(obj: Mapping[str, Any], report: Report) -> None:
    """Check an Ingress."""
    spec = mapping(obj.get("spec"))
    if not items(spec.get("rules")) and spec.get("defaultBackend") is None:
        report.add("spec", "either defaultBackend or rules must be given")
    if spec.get("defaultBackend") is not None:
        _backend("spec.defaultBackend", mapping(spec["defaultBackend"]), report)
    annotations = mapping(mapping(obj.get("metadata")).get("annotations"))
    if "kubernetes.io/ingress.class" in annotations and spec.get("ingressClassName") is not None:
        report.add("metadata.annotations", "kubernetes.io/ingress.class may not be set beside ingressClassName")
    report.text("spec.ingressClassName", spec.get("ingressClassName"), words.dns_subdomain)
    for place, rule in each("spec.rules", spec.get("rules")):
        _host(f"{place}.host", rule.get("host") or "", report)
        if rule.get("http") is not None and not items(mapping(rule["http"]).get("paths")):
            report.add(f"{place}.http.paths", "is required")
        for inner, path in each(f"{place}.http.paths", mapping(rule.get("http")).get("paths")):
            _path(inner, path, report)
    for place, tls in each("spec.tls", spec.get("tls")):
        report.text(f"{place}.secretName", tls.get("secretName") or None, words.dns_subdomain)
        for index, host in enumerate(items(tls.get("hosts"))):
            check = words.wildcard_subdomain if "*" in str(host) else words.dns_subdomain
            report.text(f"{place}.hosts[{index}]", host, check)


def _host(path: str, host: str, report: Report) -> None:
    if not host:
        return
    if not words.ip_address(host):
        report.add(path, f"{host!r} must be a DNS name, not an IP address")
        return
    report.text(path, host, words.wildcard_subdomain if "*" in host else words.dns_subdomain)


def _path(path: str, value: Mapping[str, Any], report: Report) -> None:
    kinds = ("Exact", "ImplementationSpecific", "Prefix")
    report.choice(f"{path}.pathType", value.get("pathType"), kinds, optional=False)
    text = value.get("path") or ""
    if value.get("pathType") in ("Exact", "Prefix"):
        if not text.startswith("/"):
            report.add(f"{path}.path", f"{text!r} must be an absolute path")
        bad = [part for part in ("//", "/./", "/../", "%2f", "%2F") if part in text]
        bad += [end for end in ("/..", "/.") if text.endswith(end)]
        if bad:
            report.add(f"{path}.path", f"{text!r} must not contain {bad[0]!r}")
    elif text and not text.startswith("/"):
        report.add(f"{path}.path", f"{text!r} must be an absolute path")
    _backend(f"{path}.backend", mapping(value.get("backend")), report)


def _backend(path: str, value: Mapping[str, Any], report: Report) -> None:
    resource, found = value.get("resource"), value.get("service")
    if resource is not None and found is not None:
        report.add(path, "cannot set both resource and service")
    if resource is not None:
        for field in ("kind", "name"):
            report.required(f"{path}.resource.{field}", mapping(resource).get(field))
        return
    if found is None:
        report.add(path, "service or resource is required")
        return
    target = mapping(found)
    if report.required(f"{path}.service.name", target.get("name")):
        report.text(f"{path}.service.name", target["name"], words.dns_1035_label)
    port = mapping(target.get("port"))
    if port.get("name") and port.get("number"):
        report.add(path, "cannot set both port name and port number")
    elif port.get("name"):
        report.text(f"{path}.service.port.name", port["name"], words.port_name)
    elif port.get("number"):
        report.between(f"{path}.service.port.number", port["number"], 1, 65535)
    else:
        report.add(path, "port name or number is required")


def network_policy(obj: Mapping[str, Any], report: Report) -> None:
    """Check a NetworkPolicy."""
    spec = mapping(obj.get("spec"))
    selector("spec.podSelector", spec.get("podSelector"), report)
    types = items(spec.get("policyTypes"))
    if len(types) > 2:
        report.add("spec.policyTypes", "may not hold more than two")
    else:
        for index, kind in enumerate(types):
            report.choice(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"), optional=False)
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for place, rule in each(f"spec.{direction}", spec.get(direction)):
            for inner, port in each(f"{place}.ports", rule.get("ports")):
                _policy_port(inner, port, report)
            for inner, peer in each(f"{place}.{peers}", rule.get(peers)):
                _peer(inner, peer, report)


def _policy_port(path: str, value: Mapping[str, Any], report: Report) -> None:
    report.choice(f"{path}.protocol", value.get("protocol"), _PROTOCOLS)
    port, end = value.get("port"), value.get("endPort")
    if isinstance(port, str):
        report.text(f"{path}.port", port, words.port_name)
    elif port is not None:
        report.between(f"{path}.port", port, 1, 65535)
    if end is None:
        return
    if port is None:
        report.add(f"{path}.endPort", "may not be given without port")
    elif isinstance(port, str):
        report.add(f"{path}.endPort", "may not be given when port is a name")
    elif end < port:
        report.add(f"{path}.endPort", "must be greater than or equal to port")
    report.between(f"{path}.endPort", end, 1, 65535)


def _peer(path: str, value: Mapping[str, Any], report: Report) -> None:
    chosen = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if value.get(key) is not None]
    if not chosen:
        report.add(path, "must name a peer")
    if "ipBlock" in chosen and len(chosen) > 1:
        report.add(path, "may not name selectors beside ipBlock")
    for key in ("podSelector", "namespaceSelector"):
        selector(f"{path}.{key}", value.get(key), report)
    if "ipBlock" in chosen:
        _ip_block(f"{path}.ipBlock", mapping(value["ipBlock"]), report)


def _ip_block(path: str, value: Mapping[str, Any], report: Report) -> None:
    import ipaddress  # noqa: PLC0415 - only where an address range is checked

    if not report.required(f"{path}.cidr", value.get("cidr")):
        return
    whole = str(value["cidr"])
    report.text(f"{path}.cidr", whole, words.cidr)
    for index, inner in enumerate(items(value.get("except"))):
        place = f"{path}.except[{index}]"
        report.text(place, inner, words.cidr)
        if words.cidr(whole) or words.cidr(str(inner)):
            continue
        outer, hole = ipaddress.ip_network(whole, strict=False), ipaddress.ip_network(inner, strict=False)
        same = outer.version == hole.version
        if not same or outer.prefixlen >= hole.prefixlen or hole.network_address not in outer:
            report.add(place, f"{inner!r} must be a strict part of {whole}")
