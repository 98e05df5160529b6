from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.errors import OutputError
from kubeanswers.validation.schema import validate_object
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario

Reference = Callable[[str], ResolvedDesign]
ObjectsOf = Callable[[Path], list[tuple[str, dict[str, Any]]]]
REFERENCES = sorted(load_catalogue().references)


@pytest.fixture(scope="module")
def trees(
    tmp_path_factory: pytest.TempPathFactory, reference: Reference, small: Scenario, catalogue: Catalogue
) -> Callable[[str], Path]:
    """Return the export of a reference architecture, written once."""
    root = tmp_path_factory.mktemp("exports")

    def made(identifier: str) -> Path:
        target = root / identifier
        if not target.exists():
            export(reference(identifier), small, catalogue, target, decision_hash="0123abcd")
        return target

    return made


@pytest.mark.parametrize("identifier", REFERENCES)
def test_every_object_of_every_reference_architecture_is_strictly_valid(
    identifier: str, trees: Callable[[str], Path], objects_of: ObjectsOf
) -> None:
    found = objects_of(trees(identifier))
    assert len(found) > 50
    faults = {f"{file}: {o['kind']} {o['metadata']['name']}": validate_object(o) for file, o in found}
    assert {place: what for place, what in faults.items() if what} == {}


@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36", "1.37"])
def test_every_object_is_strictly_valid_on_each_maintained_kubernetes(
    version: str,
    tmp_path: Path,
    catalogue: Catalogue,
    reference: Callable[..., ResolvedDesign],
    small: Scenario,
    objects_of: ObjectsOf,
) -> None:
    scenario = small.model_copy(update={"kubernetes": version})
    export(reference("RA01", scenario), scenario, catalogue, tmp_path / "out")
    found = objects_of(tmp_path / "out")
    assert len(found) > 50
    assert [fault for _, o in found for fault in validate_object(o, version)] == []


@pytest.mark.parametrize("identifier", REFERENCES)
def test_a_kustomization_lists_exactly_the_files_beside_it(
    identifier: str, trees: Callable[[str], Path], files_of: Callable[[Path], list[Path]]
) -> None:
    tree = trees(identifier)
    listed: set[Path] = set()
    for file in tree.rglob("kustomization.yaml"):
        resources = yaml.safe_load(file.read_text())["resources"]
        assert len(resources) == len(set(resources)) > 0
        for name in resources:
            path = (file.parent / name).resolve()
            assert path.is_file() or (path / "kustomization.yaml").is_file(), f"{file}: {name}"
            assert path.is_relative_to(tree)
            listed.add(path if path.is_file() else path / "kustomization.yaml")
    roots = {f.resolve() for f in tree.glob("clusters/*/kustomization.yaml")}
    assert {f.resolve() for f in files_of(tree)} == listed | roots


@pytest.mark.parametrize("identifier", REFERENCES)
def test_no_object_appears_twice_in_a_cluster(identifier: str, trees: Callable[[str], Path]) -> None:
    tree = trees(identifier)
    for cluster in tree.glob("clusters/*/kustomization.yaml"):
        seen: set[tuple[str, ...]] = set()
        for document in built(cluster):
            metadata = document["metadata"]
            key = (document["apiVersion"], document["kind"], metadata.get("namespace", ""), metadata["name"])
            assert key not in seen
            seen.add(key)


def built(kustomization: Path) -> list[dict[str, Any]]:
    """Return what ``kubectl kustomize`` would print for a folder of an export."""
    found: list[dict[str, Any]] = []
    for name in yaml.safe_load(kustomization.read_text())["resources"]:
        path = kustomization.parent / name
        if path.is_dir():
            found += built(path / "kustomization.yaml")
        else:
            found += list(yaml.safe_load_all(path.read_text()))
    return found


@pytest.mark.parametrize("identifier", REFERENCES)
def test_every_object_says_why_it_is_there(
    identifier: str, trees: Callable[[str], Path], objects_of: ObjectsOf, reference: Reference
) -> None:
    chosen = {option for found in reference(identifier).classes for option in found.choice.options}
    for file, document in objects_of(trees(identifier)):
        annotations = document["metadata"]["annotations"]
        assert set(annotations["tenancykit.dev/because"].split(",")) <= chosen, file
        assert annotations["tenancykit.dev/requirement"]
        assert annotations["tenancykit.dev/decision"] == "0123abcd"
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "tenancykit"
        assert labels["app.kubernetes.io/part-of"] == identifier.lower()


@pytest.mark.parametrize("identifier", REFERENCES)
def test_no_secret_is_ever_written(identifier: str, trees: Callable[[str], Path], objects_of: ObjectsOf) -> None:
    assert [file for file, o in objects_of(trees(identifier)) if o["kind"] == "Secret"] == []


def test_two_exports_are_the_same_bytes_and_the_second_says_so(
    tmp_path: Path, reference: Reference, small: Scenario, catalogue: Catalogue
) -> None:
    first = export(reference("RA03"), small, catalogue, tmp_path / "a")
    second = export(reference("RA03"), small, catalogue, tmp_path / "b")
    again = export(reference("RA03"), small, catalogue, tmp_path / "a")
    assert first.changes.added.count == second.changes.added.count == again.changes.unchanged.count
    assert again.changes.is_identical
    files = sorted(f.relative_to(tmp_path / "a") for f in (tmp_path / "a").rglob("*") if f.is_file())
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_design_replaces_the_tree_and_leaves_no_file_of_the_old_one(
    tmp_path: Path, reference: Reference, small: Scenario, catalogue: Catalogue
) -> None:
    export(reference("RA01"), small, catalogue, tmp_path / "out")
    changes = export(reference("RA09"), small, catalogue, tmp_path / "out").changes
    assert changes.removed.count > 0
    fresh = export(reference("RA09"), small, catalogue, tmp_path / "fresh")
    assert fresh.objects > 0
    names = [{str(f.relative_to(t)) for f in t.rglob("*")} for t in (tmp_path / "out", tmp_path / "fresh")]
    assert names[0] == names[1]


def test_an_export_interrupted_half_way_leaves_the_old_tree(
    tmp_path: Path, reference: Reference, small: Scenario, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    export(reference("RA01"), small, catalogue, target)
    before = {f: f.read_bytes() for f in target.rglob("*") if f.is_file()}

    def fails(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr("tenancykit.manifests.tree.trace.trace_text", fails)
    with pytest.raises(MemoryError):
        export(reference("RA09"), small, catalogue, target)
    assert {f: f.read_bytes() for f in target.rglob("*") if f.is_file()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_extra_files_lie_in_the_tree_and_cannot_leave_it(
    tmp_path: Path, reference: Reference, small: Scenario, catalogue: Catalogue
) -> None:
    export(reference("RA01"), small, catalogue, tmp_path / "out", extra_files={"decision.md": "# Why\n"})
    assert (tmp_path / "out" / "decision.md").read_text() == "# Why\n"
    with pytest.raises(OutputError, match="would leave"):
        export(reference("RA01"), small, catalogue, tmp_path / "out", extra_files={"../decision.md": "x"})
    assert not (tmp_path / "decision.md").exists()


def test_display_names_are_harmless_and_shown_beside_the_kubernetes_name(trees: Callable[[str], Path]) -> None:
    tree = trees("RA01")
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", part) for f in tree.rglob("*") for part in f.relative_to(tree).parts)
    index = yaml.safe_load((tree / "index.yaml").read_text())
    shown = {tenant["kubernetesName"]: tenant["name"] for tenant in index["tenants"]}
    assert shown == {"x": "../x", "research-2": "research-2", "script": "<script>", "gold-tier-2": "gold-tier-2"}
    namespace = yaml.safe_load((tree / "clusters/tenancykit-platform/tenants/script/namespaces.yaml").read_text())
    assert namespace["metadata"]["annotations"]["tenancykit.dev/tenant-name"] == "<script>"


def test_a_tenant_cannot_take_the_name_of_a_cluster_of_the_platform(
    tmp_path: Path, catalogue: Catalogue, reference: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["tenants"]["named"] = [{"name": "tenancykit management", "class": "research"}]
    scenario = Scenario.model_validate(data)
    result = export(reference("RA09", scenario), scenario, catalogue, tmp_path / "out")
    assert (result.directory / "clusters" / "t-tenancykit-management" / "kustomization.yaml").is_file()
    assert (result.directory / "clusters" / "tenancykit-management" / "kustomization.yaml").is_file()


@pytest.mark.parametrize(
    "name", ["../x", "<script>", "=1+1", "Ünï çødé", "日本", "a" * 200, "x; rm -rf /", "true", "'\"`"]
)
def test_any_printable_tenant_name_exports_and_validates(
    tmp_path: Path,
    name: str,
    catalogue: Catalogue,
    reference: Callable[..., ResolvedDesign],
    small: Scenario,
    objects_of: ObjectsOf,
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["tenants"]["named"] = [{"name": name, "class": "research"}]
    scenario = Scenario.model_validate(data)
    export(reference("RA01", scenario), scenario, catalogue, tmp_path / "out")
    found = objects_of(tmp_path / "out")
    assert [fault for _, o in found for fault in validate_object(o)] == []
    shown = [o["metadata"]["annotations"].get("tenancykit.dev/tenant-name") for _, o in found]
    assert name in shown
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]


def test_memory_does_not_grow_with_the_number_of_tenants(
    tmp_path: Path, catalogue: Catalogue, reference: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    peaks = []
    for count in (20, 160):
        data = small.model_dump(by_alias=True, mode="json")
        data["tenants"]["classes"][0]["count"] = count
        scenario = Scenario.model_validate(data)
        design = reference("RA01", scenario)
        tracemalloc.start()
        result = export(design, scenario, catalogue, tmp_path / str(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert result.tenants == count + 2
    few, many = peaks
    assert many < few * 1.5 + 2**19


def test_the_index_says_what_to_apply_in_which_order(trees: Callable[[str], Path]) -> None:
    index = yaml.safe_load((trees("RA09") / "index.yaml").read_text())
    assert [step["cluster"] for step in index["apply"]] == [
        "tenancykit-management",
        "each cluster of class research",
        "each cluster of class gold-tier",
    ]
    assert "clusters/tenancykit-management/helm/kamaji-operator" in index["apply"][0]["helm"]
    for step in index["apply"]:
        for folder in step["helm"]:
            assert (trees("RA09") / folder / "values.yaml").is_file()
    for tenant in index["tenants"]:
        for folder in tenant["folders"]:
            assert (trees("RA09") / folder / "kustomization.yaml").is_file()


@pytest.mark.parametrize("identifier", REFERENCES)
def test_the_trace_names_every_file_of_objects_and_who_asks_for_it(
    identifier: str, trees: Callable[[str], Path], files_of: Callable[[Path], list[Path]]
) -> None:
    tree = trees(identifier)
    trace = yaml.safe_load((tree / "trace.yaml").read_text())
    carried: set[str] = set()
    for requirements in trace["classes"].values():
        for entry in requirements.values():
            assert entry["askedBy"]
            carried |= set(entry["carriedBy"])
    own = {t["kubernetesName"]: t for t in yaml.safe_load((tree / "index.yaml").read_text())["tenants"]}
    for file in files_of(tree):
        if file.name != "kustomization.yaml":
            assert pattern(str(file.relative_to(tree)), own) in carried


def pattern(path: str, tenants: dict[str, Any]) -> str:
    parts = path.split("/")
    if "tenants" in parts:
        parts[parts.index("tenants") + 1] = "<tenant>"
        if parts[1] in tenants:
            parts[1] = "<tenant>"
    return "/".join(parts)


def test_every_chart_is_pinned_to_a_version_and_a_repository(trees: Callable[[str], Path]) -> None:
    found = 0
    for identifier in REFERENCES:
        for file in trees(identifier).rglob("chart.yaml"):
            pin = yaml.safe_load(file.read_text())
            assert pin["version"]
            assert pin["repository"].startswith(("https://", "oci://"))
            assert f"--version {pin['version']}" in pin["install"]
            assert isinstance(yaml.safe_load((file.parent / "values.yaml").read_text()), dict)
            found += 1
    assert found > 40


def test_the_readme_names_what_no_chart_installs_and_what_breaks_a_rule(
    trees: Callable[[str], Path], reference: Reference
) -> None:
    text = (trees("RA05") / "README.md").read_text()
    assert "vCluster Platform" in text
    assert "kubectl apply --server-side -k clusters/tenancykit-management" in text
    for reason in reference("RA05").violations:
        assert str(reason) in text
