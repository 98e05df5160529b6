from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeanswers.errors import InputError
from kubeanswers.validation.custom_kinds import is_custom, known_kinds
from kubeanswers.validation.schema import validate_object
from tenancykit.auditing.tenant_signs import is_platform_namespace
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.manifests.builds import NOTHING
from tenancykit.manifests.charts import charts_of
from tenancykit.manifests.registry import BUILDERS, build_of
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tests.manifests.conftest import scenario_data

ALL = load_catalogue().options
OPTIONS = sorted(ALL)
HOSTED = ("cp_kamaji", "node_dedicated_tenant")


def test_the_registry_serves_exactly_the_options_of_the_catalogue(catalogue: Catalogue) -> None:
    assert set(BUILDERS) <= set(catalogue.options)
    assert not [name for name, option in catalogue.options.items() if build_of(option) is NOTHING]


@pytest.mark.parametrize("identifier", OPTIONS)
def test_an_option_has_builders_and_the_release_they_follow_or_says_why_not(identifier: str) -> None:
    build = build_of(ALL[identifier])
    serves = bool(build.base or build.tenant or charts_of(ALL[identifier], load_catalogue()) or build.tenant_charts)
    assert serves != bool(build.reason)
    assert serves == bool(build.upstream)


@pytest.mark.parametrize("identifier", OPTIONS)
def test_charts_are_pinned_by_the_options_own_components(identifier: str, catalogue: Catalogue) -> None:
    option = catalogue.options[identifier]
    maker = option.gpu.vendor if option.gpu else ""
    names = [chart.component for chart in charts_of(option, catalogue)]
    names += [chart.component for chart in build_of(option).tenant_charts]
    for name in names:
        component = catalogue.components[name]
        assert component.helm is not None
        assert name in option.components or component.drives not in (None, maker)


@pytest.mark.parametrize("identifier", OPTIONS)
def test_an_options_objects_are_built_named_after_it_and_valid(
    identifier: str,
    tmp_path: Path,
    catalogue: Catalogue,
    designed: Callable[..., ResolvedDesign],
    small: Scenario,
    objects_of: Callable[[Path], list[tuple[str, dict[str, Any]]]],
) -> None:
    option, build = catalogue.options[identifier], build_of(ALL[identifier])
    if not option.selectable:
        pytest.skip("retired: never built")
    vendor = option.gpu.vendor if option.gpu else ""
    if vendor == "amd":
        machines = {"sites": [{"id": "a", "provider": "oci"}], "nodes": [{"type": "oci_mi300x_8"}]}
        small = Scenario.model_validate(
            scenario_data() | {"infrastructure": scenario_data()["infrastructure"] | machines}
        )
    found: list[dict[str, Any]] = []
    for extra in ((), ("node_pool_class",), HOSTED):
        try:
            design = designed(*extra, identifier, scenario=small)
        except InputError:
            continue  # the option replaces one the hosted design needs
        tree = tmp_path / "-".join(("tree", *extra))
        export(design, small, catalogue, tree)
        found += [o for _, o in objects_of(tree)]
        charts = [f.read_text() for f in tree.rglob("chart.yaml")]
        found += [{"chart": text} for text in charts]
    objects = [o for o in found if "chart" not in o]
    assert [fault for o in objects for fault in validate_object(o, small.kubernetes)] == []
    caused = [o for o in objects if identifier in o["metadata"]["annotations"]["tenancykit.dev/because"].split(",")]
    if build.base or build.tenant:
        assert caused
    for chart in charts_of(option, catalogue):
        if catalogue.components[chart.component].drives not in (None, vendor):
            continue
        pin = catalogue.components[chart.component].helm
        assert pin is not None
        assert any(f"release: {chart.component}" in o.get("chart", "") for o in found)


def test_every_custom_kind_that_is_emitted_is_known(
    tmp_path: Path,
    catalogue: Catalogue,
    reference: Callable[[str], ResolvedDesign],
    small: Scenario,
    objects_of: Callable[[Path], list[tuple[str, dict[str, Any]]]],
) -> None:
    known = {(kind.api_version, kind.kind) for kind in known_kinds().values()}
    emitted: set[tuple[str, str]] = set()
    for identifier in catalogue.references:
        export(reference(identifier), small, catalogue, tmp_path / identifier)
        for _, document in objects_of(tmp_path / identifier):
            if is_custom(document["apiVersion"]) and not document["apiVersion"].startswith("constraints."):
                emitted.add((document["apiVersion"], document["kind"]))
    assert emitted <= known
    assert len(emitted) > 30


def test_every_known_custom_kind_has_a_source() -> None:
    assert all(kind.source.startswith("https://") for kind in known_kinds().values())


def test_the_namespace_of_every_chart_is_taken_for_the_platforms_by_its_name(catalogue: Catalogue) -> None:
    charts = {chart.namespace: option.id for option in ALL.values() for chart in charts_of(option, catalogue)}
    assert len(charts) > 20
    assert not {name: of for name, of in charts.items() if not is_platform_namespace(name, {})}
