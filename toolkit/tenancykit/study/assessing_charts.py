"""Helm charts installed in a cluster, or asked for in its repository, as objects that signs can speak of."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import InputError
from kubeanswers.objects import ManifestObject, Where, mapping, mappings, scalar_text
from kubeanswers.source import read_yaml

_CHART_LABEL: Final = "helm.sh/chart"
_VERSIONED: Final = re.compile(r"^(?P<chart>.+?)-v?[0-9]+(\.|$)")


def charts_of(objects: Iterable[ManifestObject]) -> Iterator[ManifestObject]:
    """Yield the charts that objects carry the label of, or ask for (Argo CD Applications, Flux HelmReleases).

    Helm's own release records name the release; it is taken for the chart's name (assumption: most are called alike).
    """
    seen: set[tuple[str, str]] = set()
    for item in objects:
        for chart, values in _named(item):
            place = item.namespace
            if chart and (chart, place) not in seen:
                seen.add((chart, place))
                yield _chart(chart, place, values, item.where)


def _named(item: ManifestObject) -> Iterator[tuple[str, Any]]:
    labelled = _VERSIONED.match(item.labels.get(_CHART_LABEL, ""))
    if labelled:
        yield labelled["chart"], {}
    if item.group == "argoproj.io" and item.kind == "Application":
        for source in [mapping(item.spec.get("source")), *mappings(item.spec.get("sources"))]:
            yield scalar_text(source.get("chart")), mapping(source.get("helm")).get("valuesObject")
    if item.group == "helm.toolkit.fluxcd.io" and item.kind == "HelmRelease":
        yield scalar_text(mapping(mapping(item.spec.get("chart")).get("spec")).get("chart")), item.spec.get("values")
    if item.kind == "Secret" and item.data.get("type") == "helm.sh/release.v1":
        yield item.labels.get("name", ""), {}


def charts_in(paths: Iterable[str | os.PathLike[str]]) -> dict[str, list[ManifestObject]]:
    """Return the charts an export pins (``helm/<release>/chart.yaml`` with the values beside it), by where they go.

    Keys are ``clusters/<name>`` and ``classes/<id>``; an empty key for those of a folder that is no export.
    """
    found: dict[str, list[ManifestObject]] = {}
    for path in paths:
        root = Path(path)
        for file in sorted(root.rglob("helm/*/chart.yaml")) if root.is_dir() else ():
            try:
                stated = mapping(read_yaml(file).data)
                beside = file.with_name("values.yaml")
                values = read_yaml(beside).data if beside.is_file() else {}
            except InputError:
                continue  # a file of somebody else's that happens to be called so
            if stated.get("chart"):
                first, second = (*file.relative_to(root).parts, "", "")[:2]
                place = f"{first}/{second}" if first in ("clusters", "classes") else ""
                chart = _chart(
                    scalar_text(stated["chart"]), scalar_text(stated.get("namespace")), values, Where(str(file))
                )
                found.setdefault(place, []).append(chart)
    return found


def _chart(name: str, namespace: str, values: Any, where: Where) -> ManifestObject:
    metadata = {"name": name, "namespace": namespace}
    data = {"apiVersion": "helm/v1", "kind": "Chart", "metadata": metadata, "values": mapping(values)}
    return ManifestObject(data, where)
