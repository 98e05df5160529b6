"""The objects of an export as a tree that can be changed, and the ways of changing it that weakenings are made of."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RBAC = "rbac.authorization.k8s.io"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Object = dict[str, Any]


class Tree:
    """The objects of one cluster of an export, by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[Path, list[Object]] = {}
        for file in sorted(root.rglob("*.yaml")):
            if file.name != "kustomization.yaml" and not {"helm", "api-server"} & set(file.relative_to(root).parts):
                documents = list(yaml.load_all(file.read_text(encoding="utf-8"), _LOADER))
                if all(isinstance(data, dict) and "kind" in data for data in documents):
                    self.files[file] = documents

    def objects(self, *kinds: str) -> Iterator[Object]:
        """Yield the objects of some kinds; of every kind where none is named."""
        for documents in self.files.values():
            yield from (item for item in documents if not kinds or item["kind"] in kinds)

    @property
    def group(self) -> str:
        """A group of one of the tenants."""
        for item in self.objects("RoleBinding"):
            for subject in item.get("subjects", ()):
                if subject["kind"] == "Group" and subject["name"].startswith("tenant:"):
                    return str(subject["name"])
        return "system:authenticated"

    @property
    def groups(self) -> list[str]:
        """Groups of the tenants."""
        named = (s["name"] for i in self.objects("RoleBinding") for s in i.get("subjects", ()) if s["kind"] == "Group")
        return sorted({str(name) for name in named if name.startswith("tenant:")})

    @property
    def spaces(self) -> list[str]:
        """Namespaces of the tenants."""
        found = (item["metadata"] for item in self.objects("Namespace"))
        return [str(i["name"]) for i in found if "tenancykit.dev/tenant" in i.get("labels", {})]

    @property
    def space(self) -> str:
        """A namespace of one of the tenants."""
        spaces = [
            i["metadata"]
            for i in self.objects("Namespace")
            if "tenancykit.dev/tenant" in i["metadata"].get("labels", {})
        ]
        return str(spaces[0]["name"]) if spaces else "default"

    def add(self, *items: Object) -> None:
        """Add objects to the first file that holds any."""
        file = next(iter(self.files))
        self.files[file].extend(copy.deepcopy(list(items)))

    def remove(self, item: Object) -> None:
        """Take an object out of its file."""
        for documents in self.files.values():
            documents[:] = [other for other in documents if other is not item]

    def write(self, changed: set[Path] | None = None) -> None:
        """Write the files."""
        for file, documents in self.files.items():
            if changed is None or file in changed:
                file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


@dataclass(frozen=True)
class Weakening:
    """One way; ``apply`` says whether the tree has anything to weaken so."""

    title: str
    apply: Callable[[Tree], bool]


def named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def bound(rules: list[Object], to: Object, namespace: str = "") -> list[Object]:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    ref = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "weakening"}
    return [
        named(f"{RBAC}/v1", "ClusterRole", "weakening", rules=rules),
        named(f"{RBAC}/v1", kind, "weakening", namespace, roleRef=ref, subjects=[to]),
    ]


def group(name: str) -> Object:
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def adding(*items: Object) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        for item in items:
            made = copy.deepcopy(item)
            if made["metadata"].get("namespace") == "TENANT":
                made["metadata"]["namespace"] = tree.space
            tree.add(made)
        return True

    return apply


def removing(kind: str) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        found = next(tree.objects(kind), None)
        if kind == "Namespace":
            found = next((i for i in tree.objects(kind) if i["metadata"]["name"] == tree.space), None)
        if found is None:
            return False
        tree.remove(found)
        return True

    return apply


def changing(kinds: tuple[str, ...], change: Callable[[Object], None]) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        for item in tree.objects(*kinds):
            before = copy.deepcopy(item)
            change(item)
            if item != before:
                return True
        return False

    return apply


def to(*path: str, value: Any) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        for key in path[:-1]:
            item = item.setdefault(key, {})
        item[path[-1]] = value

    return change


def rules(**fields: Any) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        for rule in item["spec"]["matchConstraints"]["resourceRules"]:
            rule.update(fields)

    return change
