from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancykit.manifests.yaml_writer import scalar, write_document, write_documents

TRICKY = ["yes", "1e3", "0x1", "010", "1:20", "~", "=", "-", "a: b", "a #b", "10Gi", "<<", "!x", "&a", "*", "\tx\n", ""]
BLOCKS = ["a\nb", "a\n\n", "\n", "a\nb\n", " a\n", "a\n b\n", "a\n \n", "a\u2028b\n", "a\x00\n"]
texts = st.one_of(st.text(max_size=20), st.sampled_from(TRICKY + BLOCKS))
leaves = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(texts, trees, min_size=1, max_size=4))
def test_what_is_written_reads_back_as_the_same_data(data: dict[str, Any]) -> None:
    text = write_document(data)
    assert yaml.load(text, yaml.SafeLoader) == data


def test_several_documents_are_one_stream() -> None:
    documents: list[dict[str, Any]] = [{"a": 1}, {"b": [1, {"c": "x"}]}]
    assert list(yaml.safe_load_all(write_documents(documents))) == documents


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write_document({"a": value})


def test_other_kinds_of_values_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot hold bytes"):
        write_document({"a": b"x"})


@pytest.mark.parametrize("text", ["true", "No", "null", "on", "1", "2024-01-01", "a: b", "- a", "@x"])
def test_text_that_could_be_taken_for_something_else_is_quoted(text: str) -> None:
    assert scalar(text).startswith('"')


@pytest.mark.parametrize("text", ["apps/v1", "t-acme", "10Gi", "500m", "registry.k8s.io/pause:v3"])
def test_plain_words_stay_plain(text: str) -> None:
    assert scalar(text) == text
