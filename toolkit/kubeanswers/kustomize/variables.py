"""``vars`` of kustomizations: values of objects put where other objects say ``$(NAME)``.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/vars/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.kustomize.replacements import value_at
from kubeanswers.kustomize.resources import Resource, changed
from kubeanswers.kustomize.settings import FieldSpec, fitting, specs
from kubeanswers.objects import DEFAULT_NAMESPACE, mapping, scalar_text
from kubeanswers.records import dataclass

_REFERENCE: Final = re.compile(r"\$(?:\$|\(([^)]*)\))")
_WORKLOADS: Final = {
    "Pod": "spec",
    "CronJob": "spec/jobTemplate/spec/template/spec",
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), "spec/template/spec"),
}
_PLACES: Final = specs(
    "".join(
        f"* {kind} {place}/{group}/{rest}\n"
        for kind, place in _WORKLOADS.items()
        for group in ("containers", "initContainers")
        for rest in ("args", "command", "env/value", "volumeMounts/mountPath")
    )
    + "".join(
        f"* {kind} {place}/volumes/nfs/server\n"
        for kind, place in _WORKLOADS.items()
        if kind not in ("StatefulSet", "CronJob")
    )
    + """
* CronJob spec/jobTemplate/spec/template/volumes/nfs/server
* Deployment spec/template/metadata/annotations
* Ingress spec/rules/host
* Ingress spec/tls/hosts
* Ingress spec/tls/secretName
* Service spec/ports/port
* Service spec/ports/targetPort
* StatefulSet spec/volumeClaimTemplates/spec/nfs/server
* PersistentVolume spec/nfs/server
* * metadata/labels
* * metadata/annotations
"""
)


@dataclass
class Variables:
    """The variables of one build: what each is, and the object it stands in."""

    declared: dict[str, tuple[Resource | None, str]] = field(default_factory=dict)

    def declare(self, entry: Mapping[str, Any], resources: Iterable[Resource]) -> None:
        """Note a variable and the object that holds its value.

        Raises:
            ValueError: the name is taken, or several objects are meant.
        """
        name, meant = scalar_text(entry.get("name")), mapping(entry.get("objref"))
        if name in self.declared:
            raise ValueError(f"the variable {name!r} is declared twice: Kustomize refuses that")
        found = [item for item in resources if _is_meant(item, meant)]
        if len(found) > 1:
            raise ValueError(f"the variable {name!r} means {len(found)} objects: Kustomize refuses that")
        path = scalar_text(mapping(entry.get("fieldref")).get("fieldpath")) or scalar_text(
            mapping(entry.get("fieldref")).get("fieldPath")
        )
        self.declared[name] = (found[0] if found else None, path or "metadata.name")

    def resolve(self, resources: Iterable[Resource], more: Iterable[FieldSpec]) -> Iterable[str]:
        """Replace every mention in the objects; yield what cannot be."""
        values: dict[str, Any] = {}
        for name, (item, path) in self.declared.items():
            if item is None:
                yield f"the variable {name!r} means an object that is not there: Kustomize refuses that"
                continue
            try:
                values[name] = value_at(item, path)
            except ValueError:
                yield f"the variable {name!r} means the field {path}, which is not there: Kustomize refuses that"
        if not values:
            return
        places = (*_PLACES, *more)
        for item in resources:
            for place, _ in fitting(places, item.group, item.kind):
                item.data = changed(item.data, place, lambda old: _expanded(old, values))


def _is_meant(item: Resource, meant: Mapping[str, Any]) -> bool:
    """Return whether a variable's reference means an object; without a namespace it means any."""
    group, _, version = scalar_text(meant.get("apiVersion")).rpartition("/")
    group, version = scalar_text(meant.get("group")) or group, scalar_text(meant.get("version")) or version
    space = scalar_text(meant.get("namespace"))
    own = scalar_text(item.data.get("apiVersion")).rpartition("/")[2]
    if item.kind != meant.get("kind") or item.group != group or (version and own != version):
        return False
    names = (item.identity, *item.earlier)
    wanted = space or DEFAULT_NAMESPACE
    return any(
        one.name == meant.get("name") and (not space or not item.namespaced or one.namespace == wanted) for one in names
    )


def _expanded(old: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(old, Mapping):
        return {key: _expanded(value, values) for key, value in old.items()}
    if not isinstance(old, str) or "$" not in old:
        return old
    whole = _REFERENCE.fullmatch(old)
    if whole and whole[1] in values:
        return values[whole[1]]

    def known(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$"
        return scalar_text(values[found[1]]) if found[1] in values else found[0]

    return _REFERENCE.sub(known, old)
