"""Secondary networks (Multus): pods of several tenants on one segment that no NetworkPolicy governs.

Sources: https://github.com/k8snetworkplumbingwg/multus-cni (issues 465 and 780: attachments of other namespaces,
``namespaceIsolation``); NetworkPolicy governs a pod's primary network only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.pods import PodView, pods_of
from kubeanswers.selectors import Selector
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import NETWORK, Path, Scene, finding

GROUP: Final = "k8s.cni.cncf.io"
_ANNOTATIONS: Final = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
_FOR_ALL: Final = "default"
"""Namespace whose definitions every pod may name (``globalNamespaces`` of Multus)."""
_OVERLAY: Final = "ovn-k8s-cni-overlay"
_PARENTS: Final = ("master", "bridge", "network", "netAttachDefName", "resourceName")
Attached = dict[tuple[str, str], set[str]]
Segment = tuple[str, ...]


def network_paths(scene: Scene) -> Iterator[Path]:
    """Yield the segments that pods of several tenants are attached to, or may attach to."""
    yield from _overlays(scene)
    definitions = {
        (item.namespace, item.name): (item, _segment(item))
        for item in scene.objects.of(GROUP, "NetworkAttachmentDefinition")
    }
    definitions |= dict(_by_operator(scene))
    if not definitions:
        return
    users: Attached = {}
    for pod in pods_of(scene.objects):
        tenant = scene.tenancy.by_namespace.get(pod.namespace, "")
        for key in _attached(pod) if tenant else ():
            users.setdefault(key, set()).add(tenant)
    segments: dict[Segment, list[tuple[ManifestObject, set[str]]]] = {}
    for_all = set[Segment]()
    for (space, name), (item, segment) in definitions.items():
        owner = scene.tenancy.by_namespace.get(space, "")
        used = users.get((space, name), set()) | ({owner} if owner else set())
        segments.setdefault(segment, []).append((item, used))
        if space == _FOR_ALL:
            for_all.add(segment)
    policies = bool(scene.objects.of(GROUP, "MultiNetworkPolicy"))
    for segment, found in segments.items():
        tenants = frozenset(tenant for _, used in found for tenant in used)
        item = max(found, key=lambda pair: len(pair[1]))[0]
        if len(tenants) > 1:
            yield _shared(item, tenants, policies=policies)
        elif segment in for_all:
            makers = frozenset(scene.hostile.makers())
            if len(makers) > 1:
                yield _shared(item, makers, policies=policies, attached=False)


def _overlays(scene: Scene) -> Iterator[Path]:
    """Yield secondary networks of OVN-Kubernetes that namespaces of several tenants are given."""
    for item in scene.objects.of("k8s.ovn.org", "ClusterUserDefinedNetwork"):
        network = mapping(item.spec.get("network"))
        roles = [mapping(network.get(key)).get("role") for key in ("layer2", "layer3", "localnet")]
        chosen = Selector.of(mapping(item.spec.get("namespaceSelector")))
        spaces = scene.tenancy.by_namespace if "Secondary" in roles else {}
        tenants = frozenset(t for name, t in spaces.items() if chosen.matches(scene.objects.namespaces[name]))
        if len(tenants) > 1:
            yield _shared(item, tenants, policies=bool(scene.objects.of(GROUP, "MultiNetworkPolicy")), attached=False)


def _by_operator(scene: Scene) -> Iterator[tuple[tuple[str, str], tuple[ManifestObject, Segment]]]:
    """Yield the networks of the SR-IOV operator, each with the definition it makes of it: its place and segment."""
    for item in scene.objects.of("sriovnetwork.openshift.io", "SriovNetwork", "SriovIBNetwork"):
        space = scalar_text(item.spec.get("networkNamespace")) or item.namespace
        device, vlan, partition = (scalar_text(item.spec.get(key)) for key in ("resourceName", "vlan", "pKey"))
        segment = ("", "sriov", device, vlan or partition) if device else (space, item.name)
        yield (space, item.name), (item, segment)


def _attached(pod: PodView) -> Iterator[tuple[str, str]]:
    notes = mapping(pod.metadata.get("annotations"))
    for key in _ANNOTATIONS:
        text = scalar_text(notes.get(key))
        if text.lstrip().startswith("["):
            try:
                entries = json.loads(text)
            except ValueError:
                continue
            for entry in mappings(entries):
                yield scalar_text(entry.get("namespace")) or pod.namespace, scalar_text(entry.get("name"))
            continue
        for word in filter(None, (part.strip() for part in text.split(","))):
            place, _, name = word.partition("@")[0].rpartition("/")
            yield place or pod.namespace, name


def _segment(item: ManifestObject) -> Segment:
    """Return what tells the segment of a definition apart: its parent device, bridge or network, and its VLAN."""
    config = _config(item)
    plugins = [mapping(entry) for entry in mappings(config.get("plugins"))] or [config]
    main = plugins[0]
    named = [scalar_text(main[key]) for key in _PARENTS if main.get(key)]
    parent = named[0] if named else item.annotations.get("k8s.v1.cni.cncf.io/resourceName", "")
    vlan = scalar_text(main.get("vlan")) or scalar_text(main.get("vlanId")) or scalar_text(main.get("pkey"))
    kind = scalar_text(main.get("type"))
    if kind == _OVERLAY:  # definitions that name one logical network share it, whichever namespaces they are in
        return ("", kind, scalar_text(main.get("name")) or f"{item.namespace}/{item.name}")
    if not parent:
        return (item.namespace, item.name)
    return ("", kind if kind not in ("macvlan", "ipvlan") else "l2", parent, vlan)


def _config(item: ManifestObject) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(scalar_text(item.spec.get("config")) or "{}"))
    except ValueError:
        return {}


def _shared(item: ManifestObject, tenants: frozenset[str], *, policies: bool, attached: bool = True) -> Path:
    names = sorted(tenants)
    verb = "share" if attached else "may attach to"
    return Path(
        finding(
            "network-secondary",
            Severity.MEDIUM if policies or not attached else Severity.HIGH,
            item,
            f"pods of {len(names)} tenants ({', '.join(names[:3])}) {verb} its segment, which no NetworkPolicy governs"
            + ("; MultiNetworkPolicies are not evaluated" if policies else ""),
            f"{names[0]} -> secondary interface -> {item} -> pods of {names[1]}",
            "give each tenant a segment of its own (VLAN or partition key), in its own namespace",
            NETWORK,
            names,
        ),
        tenants,
        tenants,
        sure=attached and not policies,
    )
