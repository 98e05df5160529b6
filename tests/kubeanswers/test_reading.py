"""Whatever is handed in, what can be read is read, the rest is named, and no Secret's value stays."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import Fault
from kubeanswers.objects import from_dicts
from kubeanswers.parsing import parse_documents
from kubeanswers.reading import Reading, read_objects
from kubeanswers.shapes import Shapes
from kubeanswers.source import dump_yaml

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: a}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def names(reading: Reading) -> list[str]:
    return sorted(item.name for item in reading.objects)


def kustomization(*resources: str, **more: object) -> str:
    return json.dumps({"resources": list(resources), **more})


def test_one_broken_file_of_many_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"good.yaml": MAP % "good", "bad.yaml": "a: [1\nb: }", "more.yml": MAP % "more"})
    reading = read_objects([tmp_path])
    assert names(reading) == ["good", "more"]
    assert len(reading.faults) == 1
    assert reading.faults[0].where == f"{tmp_path / 'bad.yaml'}:2"


def test_documents_before_the_broken_one_are_kept_with_their_lines(tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": f"{MAP % 'one'}---\n{MAP % 'two'}---\nx: [\n"})
    reading = read_objects([tmp_path / "all.yaml"])
    assert [(item.name, item.where.line) for item in reading.objects] == [("one", 1), ("two", 5)]
    assert len(reading.faults) == 1


def test_lists_json_and_standard_input_are_read(tmp_path: Path) -> None:
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "a"}} for name in "xy"]
    write(tmp_path, {"dump.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": items[:1]})})
    typed = "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: z, namespace: a}\n"
    reading = read_objects([tmp_path / "dump.json", "-"], stdin=io.StringIO(f"{typed}---\n{json.dumps(items[1])}"))
    assert names(reading) == ["x", "y", "z"]
    assert {item.kind for item in reading.objects} == {"ConfigMap"}


@pytest.mark.parametrize("kind", ["Secret", "List"])
def test_secret_values_are_dropped_as_they_are_read(tmp_path: Path, kind: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "a",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"key":"aHVudGVyMg=="}}',
                "keep": "me",
            },
        },
        "data": {"key": "aHVudGVyMg=="},
        "stringData": {"other": "hunter2"},
    }
    document = secret if kind == "Secret" else {"apiVersion": "v1", "kind": "List", "items": [secret]}
    write(tmp_path, {"s.json": json.dumps(document)})
    reading = read_objects([tmp_path])
    kept = json.dumps(reading.objects.objects[0].data)
    assert "hunter2" not in kept
    assert "aHVudGVyMg" not in kept
    assert reading.objects.objects[0].data["data"] == {"key": "", "other": ""}
    assert reading.objects.objects[0].annotations == {"keep": "me"}


def test_a_broken_secret_is_not_quoted_in_its_fault(tmp_path: Path) -> None:
    write(tmp_path, {"s.yaml": "kind: Secret\nstringData: {password: 'hunter2 hunter2\n"})
    reading = read_objects([tmp_path / "s.yaml"])
    assert reading.faults
    assert "hunter2" not in str(reading.faults)


def test_a_kustomization_is_followed_and_its_namespace_applied(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "kustomization.yaml": kustomization("base", "extra.yaml", namespace="team"),
            "base/kustomization.yaml": kustomization("map.yaml"),
            "base/map.yaml": MAP % "m",
            "base/unused.yaml": MAP % "unused",
            "extra.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n",
        },
    )
    reading = read_objects([tmp_path])
    assert [(item.kind, item.namespace, item.name) for item in reading.objects] == [
        ("ConfigMap", "team", "m"),
        ("Namespace", "", "team"),
    ]
    assert any("unused.yaml" in text for text in reading.skipped)
    assert reading.faults == ()


def test_kustomize_references_in_a_circle_are_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/kustomization.yaml": kustomization("../b", "one.yaml"),
            "a/one.yaml": MAP % "one",
            "b/kustomization.yaml": kustomization("../a"),
        },
    )
    reading = read_objects([tmp_path])
    assert any("circle" in fault.what for fault in reading.faults)
    assert names(reading) == ["one"]


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ("missing.yaml", "does not exist"),
        ("https://example.com/base", "not fetched"),
        ("github.com/x/y//base", "not fetched"),
    ],
)
def test_a_kustomize_resource_that_is_not_there_is_named(tmp_path: Path, resource: str, what: str) -> None:
    write(tmp_path, {"kustomization.yaml": kustomization(resource, "ok.yaml"), "ok.yaml": MAP % "ok"})
    reading = read_objects([tmp_path])
    assert names(reading) == ["ok"]
    told = [fault.what for fault in reading.faults] + list(reading.unread)
    assert [what in text for text in told] == [True]


def test_kustomize_features_that_are_not_applied_are_said(tmp_path: Path) -> None:
    text = kustomization("m.yaml", helmCharts=[{"name": "c"}], patches=[{"path": "missing.yaml"}])
    write(tmp_path, {"kustomization.yaml": text, "m.yaml": MAP % "m"})
    reading = read_objects([tmp_path])
    assert names(reading) == ["m"]
    assert ["helmCharts" in fault.what for fault in reading.faults] == [True, False]
    assert "missing.yaml" in reading.faults[1].what


def test_symbolic_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(MAP % "outside", encoding="utf-8")
    folder = tmp_path / "in"
    write(folder, {"in.yaml": MAP % "in"})
    (folder / "link.yaml").symlink_to(outside)
    (folder / "within.yaml").symlink_to(folder / "in.yaml")
    reading = read_objects([folder])
    assert names(reading) == ["in"]
    assert [fault.where for fault in reading.faults] == [str(folder / "link.yaml")]


def test_unrendered_helm_templates_are_said_to_be_so(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n",
            "chart/values.yaml": "replicas: 1\n",
            "chart/templates/deploy.yaml": "kind: Deployment\nmetadata: {name: {{ .Release.Name }}}\n",
            "loose.yaml": "kind: X\nspec: {{ .Values.x | toYaml }}\n",
        },
    )
    reading = read_objects([tmp_path])
    assert len(reading.objects) == 0
    assert all("unrendered Helm template" in fault.what for fault in reading.faults)
    assert len(reading.faults) == 2


def test_templates_of_argo_cd_are_not_taken_for_helm(tmp_path: Path) -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: '{{tenant}}', namespace: argocd}\n"
    write(tmp_path, {"set.yaml": text})
    assert read_objects([tmp_path]).faults == ()


def test_files_that_hold_no_object_are_noted_or_refused_if_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"values.yaml": "replicas: 3\n", "m.yaml": MAP % "m"})
    assert len(read_objects([tmp_path]).skipped) == 1
    assert "not a Kubernetes object" in read_objects([tmp_path / "values.yaml"]).faults[0].what


def test_missing_paths_wrong_encodings_and_duplicate_keys_are_faults(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\xfe")
    write(tmp_path, {"twice.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, name: b, namespace: n}\n"})
    reading = read_objects([tmp_path, tmp_path / "nosuch"])
    whats = " | ".join(fault.what for fault in reading.faults)
    assert "no such file" in whats
    assert "UTF-8" in whats
    assert "twice" in whats


def test_aliases_that_explode_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    write(tmp_path, {"bomb.yaml": "\n".join(lines), "deep.yaml": "[" * 500, "loop.yaml": "a: &a [*a]"})
    faults = read_objects([tmp_path]).faults
    assert len(faults) == 3
    assert any("two million" in fault.what for fault in faults)


def test_the_later_of_two_definitions_counts() -> None:
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "a"}, "data": {"v": "1"}}
    two = {**one, "data": {"v": "2"}}
    objects = from_dicts([one, two])
    assert len(objects) == 1
    assert objects.objects[0].data["data"] == {"v": "2"}
    assert len(objects.duplicates) == 1


def test_kinds_a_set_defines_are_known_wherever_they_stand() -> None:
    thing = {"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": "t"}}
    names_ = {"kind": "Thing", "plural": "things"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.dev"},
        "spec": {"group": "example.dev", "scope": "Cluster", "names": names_},
    }
    assert [item.kind for item in from_dicts([thing]).unknown_kinds] == ["Thing"]
    objects = from_dicts([thing, definition])
    assert objects.unknown_kinds == ()
    assert objects.objects[0].namespaced is False


scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8), st.floats(-1e6, 1e6))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.dictionaries(st.text(min_size=1, max_size=5), values, min_size=1, max_size=4))
def test_what_we_write_is_read_back_unchanged(data: dict[str, object]) -> None:
    faults: list[Fault] = []
    text = dump_yaml(data)
    found = [value for value, _ in parse_documents(text, "f", faults)]
    assert faults == []
    assert found == [data]


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    list(parse_documents(text, "f", []))


TENANT_TEXT = """apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: "t-NAME", labels: {NAME: x, k8s-app: v1}}
data:
  folded: a NAME
    NAME
  same: k8s
  text: |
    NAME and other7
---
- {number: 1e5, version: v1, word: NAME-5, anchor: &NAME [1], alias: *NAME}
"""
tokens = st.from_regex(r"[a-z]{1,3}[0-9]{0,2}(-[a-z0-9]{1,3})?", fullmatch=True)


@settings(max_examples=100)
@given(st.lists(tokens, min_size=1, max_size=8))
def test_documents_read_by_their_shape_are_what_the_parser_reads(drawn: list[str]) -> None:
    shapes = Shapes()
    for name in ("a1", "b2", *drawn):
        text = TENANT_TEXT.replace("NAME", name)
        plain: list[Fault] = []
        quick: list[Fault] = []
        assert list(parse_documents(text, "f", quick, shapes)) == list(parse_documents(text, "f", plain))
        assert quick == plain == []


def test_what_documents_of_one_shape_have_in_common_is_kept_once(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: team-%d}\ndata: {a: b}\n"
    (tmp_path / "all.yaml").write_text("---\n".join(text % i for i in range(5)), encoding="utf-8")
    objects = read_objects([tmp_path / "all.yaml"]).objects
    assert [item.namespace for item in objects] == [f"team-{i}" for i in range(5)]
    assert [item.where.line for item in objects] == [1, 6, 11, 16, 21]
    assert len({id(item.data["data"]) for item in objects}) < 5


def test_a_dump_of_millions_of_values_is_read_and_json_like_yaml(tmp_path: Path) -> None:
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{i}", "namespace": "a"}, "data": {"v": "1"}}
        for i in range(3)
    ]
    (tmp_path / "dump.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), "utf-8")
    (tmp_path / "big.yaml").write_text("apiVersion: v1\nkind: X\nmetadata: {name: x}\nv: [" + "1," * 2_000_100 + "1]\n")
    reading = read_objects([tmp_path])
    assert names(reading) == ["m0", "m1", "m2", "x"]
    assert reading.faults == ()


def test_a_file_is_read_without_setting_aside_what_it_could_hold_at_most(tmp_path: Path) -> None:
    import tracemalloc

    from kubeanswers.inputs import read_bytes

    (tmp_path / "small").write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert len(read_bytes(tmp_path / "small", 512 * 2**20)) == 1000
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


FOLDER_NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,5}[a-z0-9]", fullmatch=True) | st.sampled_from(
    (
        "e1001",
        "v1beta2",
        "x1",
        "b0001",
        "team-0001",
        "e-1001",
        "a-e1001",
        "c0ffee01",
        "team-0003",
        "team-12",
        "u-77",
        "u-7",
    )
)
TEMPLATES = st.lists(
    st.sampled_from(
        (
            *(
                "NAME",
                "t-NAME",
                "NAME-x",
                "0xNAME",
                "1.NAME",
                "XNAME",
                "NAME_",
                '"NAME"',
                "a.NAME.b",
                "NAMENAME",
                "[NAME, 1]",
            ),
            *("b0002", "team-0002", "1", "true", "null", "[a]", "{NAME: b}", "{a-NAME: b, a-team-0001: c}", "{ok: 1}"),
        )
    ),
    min_size=1,
    max_size=4,
)


def printed(*readings: Reading) -> list[str]:
    objects = [f"{item.where} {item.where.index} {item.data!r}" for reading in readings for item in reading.objects]
    return sorted([*objects, *(str(fault) for reading in readings for fault in reading.faults)])


@settings(max_examples=150)
@given(TEMPLATES, st.lists(FOLDER_NAMES, min_size=3, max_size=5, unique=True))
def test_files_read_by_their_twins_are_what_the_parser_reads(drawn: list[str], folders: list[str]) -> None:
    body = "".join(f"  k{i}: {value}\n" for i, value in enumerate(drawn))
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, namespace: NAME}}\nspec:\n{body}---\n{MAP % 'NAME'}"
    with tempfile.TemporaryDirectory() as place:
        for folder in folders:
            write(Path(place), {f"{folder}/all.yaml": text.replace("NAME", folder)})
        together = read_objects([place])
        apart = [read_objects([Path(place) / folder]) for folder in folders]
    assert printed(together) == printed(*apart)
