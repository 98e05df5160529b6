"""Objects that share a verdict are those an API server answers alike: by their shape, by the form they were read in."""

from __future__ import annotations

import copy
import gc
import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.parsing import parse_forms
from kubeanswers.reading import read_objects
from kubeanswers.shapes import UNFORMED, Shapes
from kubeanswers.validation.answers import Validator, shape_of
from kubeanswers.validation.schema import validate_object
from tenancykit.auditing.validity import judged

WORKLOAD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "WORD", "namespace": "t-WORD", "labels": {"app": "OTHER"}},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "OTHER"}},
        "template": {
            "metadata": {"labels": {"app": "OTHER", "WORD": "x"}},
            "spec": {
                "containers": [
                    {
                        "name": "OTHER",
                        "image": "registry.example.com/WORD:1",
                        "ports": [{"name": "WORD", "containerPort": 80}],
                    }
                ]
            },
        },
    },
}
QUOTA: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "WORD", "namespace": "OTHER", "annotations": {"example.com/WORD": "OTHER"}},
    "spec": {"hard": {"pods": "OTHER", "requests.cpu": "WORD", "count/WORD.example.com": "1"}},
}
BINDING: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "WORD:OTHER", "namespace": "WORD"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "OTHER"},
    "subjects": [{"kind": "ServiceAccount", "name": "WORD", "namespace": "OTHER"}],
}
POLICY: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "WORD", "namespace": "OTHER"},
    "spec": {
        "podSelector": {"matchExpressions": [{"key": "WORD", "operator": "In", "values": ["OTHER"]}]},
        "ingress": [
            {"ports": [{"port": "WORD"}], "from": [{"namespaceSelector": {"matchLabels": {"a/WORD": "OTHER"}}}]},
        ],
    },
}  # fmt: skip
WORDS = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,7}", fullmatch=True),
    st.from_regex(r"[a-z]{1,3}[0-9]{1,3}[a-z-]{0,3}", fullmatch=True),
    st.from_regex(r"[a-z0-9-]{14,16}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9]{60,63}-?", fullmatch=True),
    st.sampled_from(
        (
            *("v1", "v2", "v1beta1", "v2beta2", "1", "10m", "1e3", "e1001"),
            *("ipv4", "ipv6", "sha256", "x1", "k8s", "Team-1", "a_1", ""),
        )
    ),
)  # fmt: skip
BROKEN: tuple[tuple[str, Any], ...] = (
    ("spec", {}),
    ("kind", "Gone"),
    ("apiVersion", "v1beta1"),
    ("metadata", {"name": "WORD"}),
)


def filled(node: Any, words: dict[str, str]) -> Any:
    """Return a node with words for placeholders, in keys as well."""
    if isinstance(node, dict):
        return {filled(key, words): filled(value, words) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, words) for value in node]
    return re.sub("WORD|OTHER", lambda found: words[found[0]], node) if isinstance(node, str) else node


def alike(word: str, mark: int) -> str:
    """Return a word of the same length and signs: every letter and digit another one."""
    letters, digits = "abcdfghijklmnopqrstuvwxyz", "0123456789"
    turned = (
        letters[(letters.index(sign) + mark) % 25] if sign in letters
        else digits[(int(sign) + mark) % 10] if sign in digits
        else sign
        for sign in word
    )  # fmt: skip
    return "".join(turned)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from((WORKLOAD, QUOTA, BINDING, POLICY)),
    st.tuples(WORDS, WORDS),
    st.tuples(WORDS, WORDS) | st.integers(1, 24),
    st.none() | st.sampled_from(BROKEN),
    st.none() | st.sampled_from(BROKEN),
)
def test_objects_of_one_shape_are_answered_alike_whatever_was_changed_in_them(
    made: dict[str, Any],
    words: tuple[str, str],
    others: tuple[str, str] | int,
    broken: tuple[str, Any] | None,
    also: tuple[str, Any] | None,
) -> None:
    told = others if isinstance(others, tuple) else (alike(words[0], others), alike(words[1], others))
    one = filled({**made, **dict([broken] if broken else [])}, dict(zip(("WORD", "OTHER"), words, strict=True)))
    other = filled({**made, **dict([also] if also else [])}, dict(zip(("WORD", "OTHER"), told, strict=True)))
    if shape_of(one) == shape_of(other):
        assert len(validate_object(one)) == len(validate_object(other))
        seen = Validator()
        assert [bool(seen.texts(obj)) for obj in (one, other, one)] == [
            bool(validate_object(o)) for o in (one, other, one)
        ]


def test_a_form_is_not_given_again_after_its_object_is_gone() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: NAME}\ndata: {shape: SHAPE}\n"
    kinds = [text.replace("SHAPE", "x" * length) for length in range(1, 50)]
    shapes = Shapes()
    for kind in kinds:
        for name in ("team-0001", "team-0002"):
            list(parse_forms(kind.replace("NAME", name), "f", [], shapes))
    places: set[int] = set()
    forms: set[int] = set()
    for kind in kinds:
        ((value, _, form),) = parse_forms(kind.replace("NAME", "team-0003"), "f", [], shapes)
        assert form != UNFORMED
        places.add(id(value))
        forms.add(form)
        del value
        gc.collect(0)
    assert len(forms) == len(kinds)
    assert len(places) < len(kinds)  # one object stood where another had been: its place would not have told them apart


PATCH = """resources: [objects.yaml]
patches:
- target: {kind: ResourceQuota, name: BROKEN}
  patch: '[{op: replace, path: /spec/hard/pods, value: many}]'
commonAnnotations: {example.com/seen: "yes"}
"""


def test_objects_that_a_kustomization_replaced_share_no_verdict_with_what_takes_their_place(tmp_path: Path) -> None:
    quota = copy.deepcopy(QUOTA)
    quota["spec"]["hard"] = {"pods": "5"}
    for number in range(60):
        folder = tmp_path / f"team-{number:04d}"
        folder.mkdir()
        name = f"quota-{number:04d}"
        text = json.dumps(filled(quota, {"WORD": name, "OTHER": folder.name}))
        (folder / "objects.yaml").write_text(f"# {folder.name}\n{text}\n", encoding="utf-8")
        broken = name if number % 3 == 0 else "none"
        (folder / "kustomization.yaml").write_text(PATCH.replace("BROKEN", broken), encoding="utf-8")
    reading = read_objects([tmp_path])
    assert not reading.faults
    refused = {one.item.namespace for one in judged(reading, "1.36")[0]}
    assert refused == {f"team-{number:04d}" for number in range(0, 60, 3)}
    assert refused == {item.namespace for item in reading.objects if validate_object(item.data)}
