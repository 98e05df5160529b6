"""Options and components: all that the facts list is there, every id exists, every number says where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.errors import CatalogueError
from tenancykit.catalogue.class_facts import is_class_fact
from tenancykit.catalogue.layers import LAYERS, LAYERS_FILE
from tenancykit.catalogue.model import DIMENSIONS, Footprint, Lifecycle, Limit, Option, Quantity
from tenancykit.catalogue.reading import OWN_ROOT, SECTIONS, SOURCES, Catalogue, load_catalogue, yaml_files
from tenancykit.catalogue.whole import read_whole
from tenancykit.design.facts import class_facts
from tenancykit.design.model import choose
from tenancykit.design.validity import resolve_class
from tests.catalogue.scenarios import scenario

CATALOGUE = load_catalogue()
OPTIONS = tuple(CATALOGUE.options.values())
TYPED = {"control_plane": "cluster", "node_isolation": "placement", "runtime": "sandbox", "gpu_sharing": "gpu"}


def traits(catalogue: Catalogue) -> frozenset[str]:
    return frozenset(trait for option in catalogue.options.values() for trait in option.provides)


def shared_facts(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((shared / "facts" / "options.yaml").read_text("utf-8"))
    return loaded


def test_every_option_of_the_facts_is_here_and_others_have_sources_of_their_own(shared: Path) -> None:
    facts = shared_facts(shared)
    stated = {(dim, entry["id"]) for dim, entries in facts["dimensions"].items() for entry in entries}
    later = yaml.safe_load((shared / "facts" / "refresh-2026-11.yaml").read_text("utf-8"))["options"]
    added = {(dim, entry["id"]) for dim, entries in later.items() for entry in entries if dim in DIMENSIONS}
    ours = {(option.dimension, option.id) for option in OPTIONS}
    assert stated <= ours
    assert not [o.id for o in OPTIONS if (o.dimension, o.id) not in stated | added and not o.sources]


def test_sources_carry_the_addresses_of_the_facts(shared: Path) -> None:
    facts = shared_facts(shared)
    assert {key: CATALOGUE.sources[key].url for key in facts["sources"]} == facts["sources"]
    unread = re.findall(r"[a-z0-9_]+", facts["meta"]["not_opened"].split(":", 1)[1].split(". ", 1)[0])
    for key in set(unread) & set(facts["sources"]):
        assert not CATALOGUE.sources[key].opened, key


def test_mig_instances_per_gpu_are_those_of_the_facts(shared: Path) -> None:
    entries = shared_facts(shared)["dimensions"]["gpu_sharing"]
    profiles = next(entry for entry in entries if entry["id"] == "gpu_mig")["profiles"]
    gpu = CATALOGUE.options["gpu_mig"].gpu
    assert gpu is not None
    for model, counts in profiles.items():
        assert gpu.profiles[model].items() >= counts.items(), model


def test_there_are_options_in_ten_dimensions() -> None:
    assert len(OPTIONS) >= 76
    assert {option.dimension for option in OPTIONS} == set(DIMENSIONS)


def test_every_layer_offers_a_choice() -> None:
    for dimension, layers in LAYERS.items():
        for layer in layers:
            assert any(o.layer == layer and o.selectable for o in CATALOGUE.in_dimension(dimension)), (dimension, layer)


def test_everything_alive_can_be_chosen_and_only_the_archived_project_cannot() -> None:
    assert [option.id for option in OPTIONS if not option.selectable] == ["cp_hnc"]
    case = scenario()
    rest = ("node_shared", "rt_runc", "net_np_default_deny", "st_shared_sc", "gpu_exclusive", "id_oidc_rbac")
    _, broken = resolve_class(choose(CATALOGUE, ("cp_hnc", *rest)), case.tenants.classes[0], case, CATALOGUE)
    assert any("is not for new designs: ARCHIVED" in one.words and "cp_hnc" in one.behind for one in broken)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.id)
def test_option_says_what_the_other_rooms_read(option: Option) -> None:
    expected = TYPED.get(option.dimension)
    if option.layer in ("fleet", "dispatch", "tier"):
        expected = None
    for section in TYPED.values():
        assert (getattr(option, section) is not None) == (section == expected), section
    assert option.what
    assert option.provides
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", trait) for trait in option.provides)


def test_traits_and_option_ids_never_collide() -> None:
    assert not traits(CATALOGUE) & set(CATALOGUE.options)
    assert not any(is_class_fact(trait) for trait in traits(CATALOGUE))


def test_the_list_of_class_facts_here_is_the_one_scenarios_produce() -> None:
    for case in (scenario(), scenario(virtualised=False, fabric="roce", mode="fixed", control_plane="self-managed")):
        assert all(map(is_class_fact, class_facts(case, case.tenants.classes[0])))


def test_every_condition_reads_facts_that_exist() -> None:
    known = traits(CATALOGUE) | set(CATALOGUE.options)
    conditions = [(o.id, need.when) for o in OPTIONS for need in o.needs]
    conditions += [(c.id, foot.when) for c in CATALOGUE.components.values() for foot in c.footprint]
    for where, condition in conditions:
        unknown = {atom for atom in condition.atoms() if atom not in known and not is_class_fact(atom)}
        assert not unknown, where


def test_every_need_can_be_met_and_can_be_missed() -> None:
    for option in OPTIONS:
        for need in option.needs:
            atoms = sorted(need.when.atoms())
            outcomes = {
                need.when.holds({a for bit, a in enumerate(atoms) if chosen >> bit & 1})
                for chosen in range(1 << len(atoms))
            }
            assert outcomes == {True, False}, (option.id, str(need.when))


Stated = Quantity | Limit | Footprint | Lifecycle


def _stated_numbers() -> Iterator[tuple[str, str, bool, str]]:
    """Where, source, assumption and note of every number of options and components."""
    stated: list[tuple[str, Stated]] = []
    for option in OPTIONS:
        of_option: tuple[Stated, ...] = (*option.overhead, *option.limits, option.lifecycle)
        stated += [(option.id, entry) for entry in of_option]
        if option.sandbox and (option.sandbox.cpu_milli or option.sandbox.memory_mib):
            yield option.id, option.sandbox.source, option.sandbox.assumption, ""
        if option.gpu and (option.gpu.replicas > 1 or option.gpu.profiles):
            yield option.id, option.gpu.source, option.gpu.assumption, ""
    for component in CATALOGUE.components.values():
        of_component: tuple[Stated, ...] = (*component.footprint, component.lifecycle)
        stated += [(component.id, entry) for entry in of_component]
    for where, entry in stated:
        if isinstance(entry, Lifecycle) and entry.minor_releases_12m is None and entry.support_months is None:
            continue
        yield where, entry.source, entry.assumption, entry.note


@pytest.mark.parametrize(("where", "source", "assumption", "note"), list(_stated_numbers()))
def test_every_number_has_a_source_or_says_assumption(where: str, source: str, assumption: bool, note: str) -> None:
    assert source or assumption, where
    if source:
        assert source in CATALOGUE.sources, where
        assert CATALOGUE.sources[source].opened or assumption, f"{where} rests on a page nobody read"
    if where in CATALOGUE.components and assumption:
        assert note, f"{where} does not say how the assumption was made"


def test_kinds_a_component_brings_come_with_a_source() -> None:
    assert all(component.sources for component in CATALOGUE.components.values() if component.crds)


def test_every_source_is_used_and_every_stated_source_exists() -> None:
    named = {key for option in OPTIONS for key in option.sources}
    named |= {need.source for option in OPTIONS for need in option.needs if need.source}
    named |= {key for component in CATALOGUE.components.values() for key in component.sources}
    assert named <= set(CATALOGUE.sources)
    files = [path for path in OWN_ROOT.rglob("*.yaml") if path.name != "sources.yaml"]
    words = set(re.findall(r"[A-Za-z0-9_]+", "\n".join(path.read_text("utf-8") for path in files)))
    assert set(CATALOGUE.sources) <= words


def test_components_exist_are_used_and_stand_on_a_cluster() -> None:
    used: set[str] = set()

    def visit(identifier: str) -> None:
        if identifier not in used:
            used.add(identifier)
            for following in CATALOGUE.components[identifier].requires:
                visit(following)

    for option in OPTIONS:
        for identifier in option.components:
            visit(identifier)
    assert used == set(CATALOGUE.components)
    for option in CATALOGUE.in_dimension("control_plane"):
        if option.layer == "tenancy":
            assert "kubernetes-cluster" in option.components, option.id


@pytest.mark.parametrize(
    ("component", "requires"),
    [
        ("opencost", "prometheus-stack"),
        ("mig-manager", "gpu-operator"),
        ("kai-reservation-pods", "kai-scheduler"),
        ("vgpu-manager", "vgpu-licence-server"),
        ("capsule-proxy", "capsule"),
        ("k0rdent", "capi-core"),
        ("kamaji-control-plane", "kamaji-datastore"),
        ("dpu-controller", "metal3"),
    ],
)
def test_what_cannot_run_without_another_says_so(component: str, requires: str) -> None:
    assert requires in CATALOGUE.components[component].requires


def test_footprints_are_stated_once_for_each_state_of_high_availability() -> None:
    for component in CATALOGUE.components.values():
        for state in ({"high-availability"}, set[str]()):
            facts = state | {"gpu", "exposed"}
            scopes = [foot.scope for foot in component.footprint if foot.pods and foot.when.holds(facts)]
            assert len(scopes) == len(set(scopes)), component.id


def test_what_is_installed_for_each_tenant_takes_resources_for_each_tenant() -> None:
    for component in CATALOGUE.components.values():
        if component.scope == "tenant" and component.footprint:
            assert {foot.scope for foot in component.footprint} <= {"tenant", "node"}, component.id


def test_charts_are_pinned() -> None:
    charts = [component.helm for component in CATALOGUE.components.values() if component.helm]
    assert len(charts) >= 25
    for chart in charts:
        assert re.search(r"\d+\.\d+", chart.version), chart.chart
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", chart.as_of), chart.chart
        assert chart.repository.startswith(("https://", "oci://")), chart.chart


def test_one_file_holds_one_option_under_its_own_name_and_names_its_schema() -> None:
    for path in (OWN_ROOT / "options").rglob("*.yaml"):
        option = CATALOGUE.options[path.stem]
        assert path.parent.name == option.dimension
    for folder in ("options", "components", "rules", "references"):
        for path in (OWN_ROOT / folder).rglob("*.yaml"):
            first, *rest = path.read_text("utf-8").splitlines()
            assert first.startswith("# yaml-language-server: $schema="), path.name
            assert not any(line.lstrip().startswith("#") for line in rest), path.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer": "mesh"}, "layer 'mesh' is not of runtime; allowed: runtime"),
        ({"components": ["gvisor-instaler"]}, "did you mean gvisor-installer?"),
        ({"sources": ["gvisor_gpuu"]}, "did you mean gvisor_gpu?"),
        ({"needs": [{"when": "not (gpu", "why": "x"}]}, "a bracket is not closed"),
    ],
)
def test_a_wrong_option_of_the_users_own_is_named_with_its_cure(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    (tmp_path / "options").mkdir()
    data = {"id": "rt_own", "dimension": "runtime", "layer": "runtime", "name": "Own", "what": "Ours."}
    text = yaml.safe_dump({**data, "sources": ["k8s_mt"], **change})
    (tmp_path / "options" / "rt_own.yaml").write_text(text, "utf-8")
    with pytest.raises(CatalogueError, match=re.escape(message)) as caught:
        _ = load_catalogue(tmp_path).options
    assert "rt_own.yaml:" in str(caught.value)


def test_an_option_of_the_users_own_replaces_ours_by_id(tmp_path: Path) -> None:
    (tmp_path / "options").mkdir()
    text = (OWN_ROOT / "options" / "runtime" / "rt_runc.yaml").read_text("utf-8").replace("name: runc", "name: crun")
    (tmp_path / "options" / "rt_runc.yaml").write_text(text, "utf-8")
    options = load_catalogue(tmp_path).options
    assert options["rt_runc"].name == "crun"
    assert options.replaced == {"rt_runc": "catalogue/options/runtime/rt_runc.yaml:1"}


def test_every_file_of_the_catalogue_stands_where_something_reads_it() -> None:
    read = {file for section in SECTIONS for file in yaml_files(OWN_ROOT / section)}
    assert set(yaml_files(OWN_ROOT)) == {*read, OWN_ROOT / SOURCES, OWN_ROOT / LAYERS_FILE}
    read_whole(load_catalogue())
