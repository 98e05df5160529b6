"""Which component of the catalogue brings a kind that an API server does not know, and how the export installs it."""

from __future__ import annotations

from pathlib import Path

from kubeanswers.errors import InputError
from kubeanswers.objects import mapping, scalar_text
from kubeanswers.source import read_yaml
from tenancykit.catalogue.reading import Catalogue


def installer_of(group: str, export: Path, cluster: str, catalogue: Catalogue) -> str:
    """Return what brings the kinds of an API group, with the command where the export pins its chart.

    A built-in group that is missing means an API server too old, or one that does not serve that version.
    """
    bringing = [component for component in catalogue.components.values() if group in component.api_groups]
    if not bringing:
        if "." not in group or group.endswith(".k8s.io"):
            return "it is part of Kubernetes: the API server is older than the export, or has it switched off"
        return "no component of the catalogue brings it: install the project's CustomResourceDefinitions"
    for component in bringing:
        for place in (export / "clusters" / cluster, *sorted((export / "classes").glob("*"))):
            text = _chart(place / "helm" / component.id / "chart.yaml", export)
            if text:
                return text
    return f"{' or '.join(component.name for component in bringing)} brings it, which the export asks to have ready"


def _chart(file: Path, export: Path) -> str:
    if not file.is_file():
        return ""
    try:
        stated = mapping(read_yaml(file).data)
    except InputError:
        return ""
    chart, version = scalar_text(stated.get("chart")), scalar_text(stated.get("version"))
    values = str(file.with_name("values.yaml").relative_to(export))
    command = scalar_text(stated.get("install")).replace("values.yaml", values)
    return f"chart {chart} {version} installs it: {command}"
