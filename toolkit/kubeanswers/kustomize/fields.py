"""The changes a kustomization makes to every object: namespace, names, labels, annotations, replicas and images.

Where each of them writes: https://github.com/kubernetes-sigs/kustomize, the default field specifications of its
transformers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from kubeanswers.kustomize.definition import Kustomization
from kubeanswers.kustomize.resources import Resource, changed
from kubeanswers.kustomize.settings import FieldSpec, Settings, field_spec, fitting, specs
from kubeanswers.objects import mapping, mappings, scalar_text, text_map

_TEMPLATE_LABELS: Final = """
* * metadata/labels+
* ReplicationController spec/template/metadata/labels+
* Deployment spec/template/metadata/labels+
* ReplicaSet spec/template/metadata/labels+
* DaemonSet spec/template/metadata/labels+
apps StatefulSet spec/template/metadata/labels+
batch Job spec/template/metadata/labels+
batch CronJob spec/jobTemplate/metadata/labels+
batch CronJob spec/jobTemplate/spec/template/metadata/labels+
"""
_CLAIM_LABELS: Final = "\napps StatefulSet spec/volumeClaimTemplates[]/metadata/labels+\n"
_AFFINITY: Final = "".join(
    f"apps {kind} spec/template/spec/affinity/{side}/{term}/labelSelector/matchLabels\n"
    for kind in ("Deployment", "StatefulSet")
    for side in ("podAffinity", "podAntiAffinity")
    for term in (
        "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
        "requiredDuringSchedulingIgnoredDuringExecution",
    )
)
_SELECTORS: Final = """
* Service spec/selector+
* ReplicationController spec/selector+
* Deployment spec/selector/matchLabels+
* ReplicaSet spec/selector/matchLabels+
* DaemonSet spec/selector/matchLabels+
apps StatefulSet spec/selector/matchLabels+
apps Deployment spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels
apps StatefulSet spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels
batch Job spec/selector/matchLabels
batch CronJob spec/jobTemplate/spec/selector/matchLabels
policy PodDisruptionBudget spec/selector/matchLabels
networking.k8s.io NetworkPolicy spec/podSelector/matchLabels
networking.k8s.io NetworkPolicy spec/ingress/from/podSelector/matchLabels
networking.k8s.io NetworkPolicy spec/egress/to/podSelector/matchLabels
"""
METADATA_LABELS: Final = specs("* * metadata/labels+")
TEMPLATE_LABELS: Final = specs(_TEMPLATE_LABELS)
CLAIM_LABELS: Final = specs(_CLAIM_LABELS)
COMMON_LABELS: Final = specs(_SELECTORS + _AFFINITY + _TEMPLATE_LABELS + _CLAIM_LABELS)
ANNOTATIONS: Final = specs(_TEMPLATE_LABELS.replace("/labels", "/annotations"))
_REPLICAS: Final = frozenset({"Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"})
_NAME: Final = ("metadata", "name")
_KEEP_THEIR_NAME: Final = frozenset({"CustomResourceDefinition", "Namespace"})
_DIGEST: Final = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"


def set_namespace(resources: Iterable[Resource], namespace: str, places: Iterable[FieldSpec] = ()) -> None:
    """Put every namespaced object into the namespace; a Namespace is renamed, subjects named ``default`` move along."""
    for item in resources:
        item.remember()
        if item.namespaced:
            item.named(namespace=namespace)
        if item.kind == "Namespace" and item.data.get("apiVersion") == "v1":
            item.named(name=namespace)
        elif item.kind in ("RoleBinding", "ClusterRoleBinding"):
            item.data = changed(item.data, ("subjects",), lambda one: _moved(one, namespace))
        elif item.kind == "APIService":
            item.data = changed(item.data, ("spec", "service", "namespace"), lambda _: namespace, "")
        elif item.kind == "CustomResourceDefinition":
            path = ("spec", "conversion", "webhook", "clientConfig", "service", "namespace")
            item.data = changed(item.data, path, lambda _: namespace)
        for place, create in fitting(places, item.group, item.kind):
            item.data = changed(item.data, place, lambda _: namespace, "" if create else None)


def _moved(subject: Any, namespace: str) -> Any:
    if isinstance(subject, Mapping) and subject.get("name") == "default":
        return {**subject, "namespace": namespace}
    return subject


def add_to_names(resources: Iterable[Resource], prefix: str, suffix: str, places: Iterable[FieldSpec] = ()) -> None:
    """Put prefix and suffix on every name but those of Namespaces, CustomResourceDefinitions and APIServices."""
    more = list(places)
    for item in resources:
        first = item.earlier[0] if item.earlier else item.identity
        kept = first.kind in _KEEP_THEIR_NAME or (first.kind, first.group) == ("APIService", "apiregistration.k8s.io")
        _lengthen(item, prefix, suffix, more if kept else [("", "", _NAME, False), *more])


def add_to_some_names(resources: Iterable[Resource], prefix: str, suffix: str, places: Iterable[FieldSpec]) -> None:
    """Put prefix and suffix on the names at these places alone, as a transformer that is written out does."""
    only = list(places)
    for item in resources:
        _lengthen(item, prefix, suffix, only)


def _lengthen(item: Resource, prefix: str, suffix: str, places: Iterable[FieldSpec]) -> None:
    for path, _ in fitting(places, item.group, item.kind):
        if path == _NAME:
            item.remember()
            item.prefixes += (prefix,) if prefix else ()
            item.suffixes += (suffix,) if suffix else ()
            item.named(name=f"{prefix}{item.name}{suffix}")
        else:
            item.data = changed(item.data, path, lambda old: f"{prefix}{old}{suffix}" if isinstance(old, str) else old)


def add_labels(resources: Iterable[Resource], pairs: Mapping[str, str], places: Iterable[FieldSpec]) -> None:
    """Set the labels or annotations at every place named."""
    chosen = tuple(places)

    def add(old: Any) -> Any:
        return {**text_map(old), **pairs}

    for item in resources:
        for path, create in fitting(chosen, item.group, item.kind):
            item.data = changed(item.data, path, add, {} if create else None)


def label_specs(entry: Mapping[str, Any], more: Settings) -> tuple[FieldSpec, ...]:
    """Return where an entry of ``labels`` is written: the object, and what its flags and fields add."""
    own = tuple(map(field_spec, mappings(entry.get("fields"))))
    if entry.get("includeSelectors") is True:
        return (*own, *COMMON_LABELS, *more.selectors)
    templates = (*TEMPLATE_LABELS, *more.templates) if entry.get("includeTemplates") is True else ()
    claims = (*CLAIM_LABELS, *more.claims) if entry.get("includeVolumeClaimTemplates") is True else ()
    return (*own, *templates, *claims, *METADATA_LABELS, *more.labels)


def set_replicas(resources: Iterable[Resource], entry: Mapping[str, Any], places: Iterable[FieldSpec] = ()) -> bool:
    """Set the number of replicas of the workload named; return whether there is one."""
    name, count = scalar_text(entry.get("name")), entry.get("count")
    found = False
    for item in resources:
        names = {item.name, *(one.name for one in item.earlier)}
        own = [(("spec", "replicas"), True)] if item.kind in _REPLICAS else []
        for path, create in (*own, *fitting(places, item.group, item.kind)):
            if name in names and isinstance(count, int):
                found = True
                item.data = changed(item.data, path, lambda _: count, 0 if create else None)
    return found


def set_image(resources: Iterable[Resource], entry: Mapping[str, Any], places: Iterable[FieldSpec] = ()) -> None:
    """Rename or retag an image wherever a container or an image volume names it."""
    try:
        pattern = re.compile(scalar_text(entry.get("name")) + _DIGEST)
    except re.error:
        return  # Kustomize matches nothing with it either

    def retag(image: Any) -> Any:
        return _retagged(image, entry) if isinstance(image, str) and pattern.fullmatch(image) else image

    for item in resources:
        if item.kind == "CustomResourceDefinition":
            continue
        item.data = _in_containers(item.data, retag)
        for path in (("spec", "volumes[]"), ("spec", "template", "spec", "volumes[]")):
            item.data = changed(item.data, (*path, "image", "reference"), retag)
        for place, _ in fitting(places, item.group, item.kind):
            item.data = changed(item.data, place, retag)


def _in_containers(node: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(node, list):
        made = [_in_containers(item, change) for item in node]
        return made if any(new is not old for new, old in zip(made, node, strict=True)) else node
    if not isinstance(node, Mapping):
        return node
    fields: dict[str, Any] = {}
    for key, value in node.items():
        new = _in_containers(value, change)
        if key in ("containers", "initContainers") and isinstance(new, list):
            new = changed(new, ("image",), change)
        if new is not value:
            fields[key] = new
    return {**node, **fields} if fields else node


def _retagged(image: str, entry: Mapping[str, Any]) -> str:
    rest, _, digest = image.partition("@")
    slash = rest.rfind("/")
    colon = rest.find(":", slash + 1)
    name, tag = (rest[:colon], rest[colon + 1 :]) if colon >= 0 else (rest, "")
    name = scalar_text(entry.get("newName")) or name
    new_tag, new_digest = scalar_text(entry.get("newTag")), scalar_text(entry.get("digest"))
    if new_tag or new_digest:
        tag, digest = new_tag, new_digest
    elif entry.get("tagSuffix"):
        tag, digest = tag + scalar_text(entry.get("tagSuffix")), ""
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def transform(resources: list[Resource], kustomization: Kustomization, more: Settings) -> None:
    """Make the changes a kustomization asks for between its patches and its replacements, in Kustomize's order."""
    if kustomization.word("namespace"):
        set_namespace(resources, kustomization.word("namespace"), more.namespaces)
    if kustomization.word("namePrefix"):
        add_to_names(resources, kustomization.word("namePrefix"), "", more.prefixes)
    if kustomization.word("nameSuffix"):
        add_to_names(resources, "", kustomization.word("nameSuffix"), more.suffixes)
    for entry in kustomization.entries("exactNames"):  # what a transformer writes that is written out, nowhere else
        names = scalar_text(entry.get("prefix")), scalar_text(entry.get("suffix"))
        add_to_some_names(resources, *names, map(field_spec, mappings(entry.get("fields"))))
    for entry in kustomization.entries("labels"):
        add_labels(resources, text_map(entry.get("pairs")), label_specs(entry, more))
    for entry in kustomization.entries("exactLabels"):
        add_labels(resources, text_map(entry.get("pairs")), map(field_spec, mappings(entry.get("fields"))))
    if kustomization.words("commonLabels"):
        add_labels(resources, kustomization.words("commonLabels"), (*COMMON_LABELS, *more.selectors))
    if kustomization.words("commonAnnotations"):
        add_labels(resources, kustomization.words("commonAnnotations"), (*ANNOTATIONS, *more.annotations))


_LOCAL: Final = "config.kubernetes.io/local-config"


def is_local(item: Resource) -> bool:
    """Return whether the object is for Kustomize's eyes only."""
    said = mapping(item.metadata.get("annotations")).get(_LOCAL)
    return said is not None and not isinstance(said, dict | list) and scalar_text(said) == "true"
