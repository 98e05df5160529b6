"""Helm releases of a cluster: charts pinned by the catalogue's components, and what has to be installed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tenancykit.catalogue.model import Component, HelmChart, Option
from tenancykit.catalogue.reading import Catalogue
from tenancykit.manifests.assemble import cluster_scope, sides_of
from tenancykit.manifests.builds import Chart, Side
from tenancykit.manifests.model import HelmRelease
from tenancykit.manifests.plan import ClusterPlan
from tenancykit.manifests.registry import build_of
from tenancykit.manifests.scope import ClassScope, ClusterScope, TenantScope, with_required
from tenancykit.manifests.yaml_writer import write_document

_ABSTRACT: Final = frozenset({"kubernetes-cluster", "management-cluster"})
"""Components that stand for the cluster itself."""


def releases(plan: ClusterPlan, scopes: dict[str, ClassScope]) -> Iterator[HelmRelease]:
    """Yield the Helm releases of a cluster, each once, in the order of the options that need them."""
    done: set[str] = set()
    for option in plan.chosen:
        catalogue = scopes[plan.classes[0].tenant_class.id].catalogue
        for chart in charts_of(option, catalogue):
            scope = cluster_scope(plan, scopes, option.id, chart.side)
            driven = catalogue.components[chart.component].drives if chart.component in catalogue.components else None
            if scope.classes and chart.component not in done and (not driven or driven in scope.makers):
                done.add(chart.component)
                yield _release(option.id, chart, scope)


def charts_of(option: Option, catalogue: Catalogue) -> tuple[Chart, ...]:
    """Return the charts of an option: those its build names, and the operators that drive what it hands out.

    An option that hands out whole accelerators through an operator brings that of every maker on offer.
    """
    own = build_of(option).charts
    named = {chart.component for chart in own}
    known = catalogue.components
    of_every_maker = "whole-gpu" in option.provides and any(known[name].drives for name in option.components)
    operators = (
        Chart(c.id, c.namespace, "hosts", requirement="isolation.accelerator")
        for c in known.values()
        if c.drives and c.namespace and c.id not in named and (of_every_maker or c.id in option.components)
    )
    return (*own, *operators)


def _release(option: str, chart: Chart, scope: ClusterScope) -> HelmRelease:
    pin = _pin(scope.catalogue, chart.component, option)
    return HelmRelease(
        name=chart.component,
        namespace=chart.namespace,
        chart=pin.chart,
        repository=pin.repository,
        version=pin.version,
        values=with_values(pin.required, chart.values(scope)),
        because=(option,),
        requirement=chart.requirement,
    )


def with_values(required: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return Helm values with those a chart requires; what a builder states itself counts."""
    made = dict(values)
    for key, value in required.items():
        if isinstance(value, Mapping):
            own = made.get(key)
            made[key] = with_values(value, own if isinstance(own, Mapping) else {})
        else:
            made.setdefault(key, value)
    return made


def tenant_releases(scope: TenantScope) -> Iterator[HelmRelease]:
    """Yield the Helm releases of one tenant in a cluster, named after the tenant."""
    sides = sides_of(scope.cls.found, scope.plan)
    for option in scope.cls.found.options:
        for chart in build_of(option).tenant_charts:
            if chart.side in sides:
                pin = _pin(scope.cls.catalogue, chart.component, option.id)
                yield HelmRelease(
                    name=scope.name,
                    namespace=scope.namespace,
                    chart=pin.chart,
                    repository=pin.repository,
                    version=pin.version,
                    values=with_values(pin.required, chart.values(scope)),
                    because=(option.id,),
                    requirement="isolation.control-plane",
                )


def has_tenant_releases(plan: ClusterPlan) -> bool:
    """Return whether some tenants of a cluster bring a release of their own there."""
    return any(
        chart.side in sides_of(found, plan)
        for found in plan.classes
        for option in found.options
        for chart in build_of(option).tenant_charts
    )


def _pin(catalogue: Catalogue, component: str, option: str) -> HelmChart:
    pin = catalogue.components[component].helm
    if pin is None:
        raise LookupError(f"component {component} of the catalogue pins no chart; {option} needs one")
    return pin


def chart_files(release: HelmRelease, decision: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a release: its values, and the pin of chart, version and repository with the command."""
    head = f"# Values of chart {release.chart} {release.version} from {release.repository}\n"
    head += f"# because: {', '.join(release.because)}; requirement: {release.requirement}\n"
    if decision:
        head += f"# decision: {decision}\n"
    yield f"helm/{release.name}/values.yaml", head + (write_document(release.values) if release.values else "{}\n")
    pin: dict[str, Any] = {
        "release": release.name,
        "namespace": release.namespace,
        "chart": release.chart,
        "version": release.version,
        "repository": release.repository,
        "install": install_command(release),
    }
    yield f"helm/{release.name}/chart.yaml", write_document(pin)


def install_command(release: HelmRelease, folder: str = "") -> str:
    """Return the command that installs a release, run from the export's folder or from the release's own."""
    if release.repository.startswith("oci://"):
        path = release.repository.rstrip("/")
        source = path if path.endswith(f"/{release.chart}") else f"{path}/{release.chart}"
    else:
        source = f"{release.chart} --repo {release.repository}"
    return (
        f"helm upgrade --install {release.name} {source} --version {release.version} "
        f"--namespace {release.namespace} --create-namespace --values {folder}values.yaml"
    )


def by_hand(plan: ClusterPlan, scopes: dict[str, ClassScope]) -> tuple[Component, ...]:
    """Return the components a cluster's options need that no chart of this export installs."""
    installed = {release.name for release in releases(plan, scopes)}
    wanted: dict[str, Component] = {}
    for found in plan.classes:
        sides = sides_of(found, plan)
        for option in found.options:
            build = build_of(option)
            catalogue = scopes[found.tenant_class.id].catalogue
            charts = charts_of(option, catalogue)
            installed |= {c.component for c in charts if c.side not in sides}
            installed |= {c.component for c in charts if catalogue.components[c.component].drives}
            installed |= {chart.component for chart in build.tenant_charts}
            placed = {side for side, _ in (*build.base, *build.tenant)}
            placed |= {chart.side for chart in charts} | {chart.side for chart in build.tenant_charts}
            if placed & sides or (not placed and "pods" in sides):
                needed = with_required(option.components, catalogue)
                wanted |= {n: c for n in sorted(needed) if _belongs(c := catalogue.components[n], sides)}
    return tuple(wanted[name] for name in sorted(wanted) if name not in installed | _ABSTRACT)


def _belongs(component: Component, sides: frozenset[Side]) -> bool:
    """Return whether a component runs in a cluster with these parts: fleets' in the hub, gateways with workloads."""
    if component.scope == "fleet":
        return bool(sides & {"hub", "machines"})
    return "run" in sides if component.id == "gateway-controller" else True
