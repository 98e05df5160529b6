from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeanswers.errors import Fault, InputError
from kubeanswers.parsing import parse_documents
from kubeanswers.scalars import NOT_JSON, decimal_number, is_ambiguous, key_text, resolve, whole_number
from kubeanswers.source import dump_yaml, parse_yaml

ANSWERS = json.loads((Path(__file__).parent / "cases" / "kubectl_words.json").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = ANSWERS["values"]
KEYS: dict[str, str] = ANSWERS["keys"]


def alike(ours: object, theirs: object) -> bool:
    numbers = (int, float)
    if isinstance(ours, numbers) and isinstance(theirs, numbers) and bool not in (type(ours), type(theirs)):
        return float(ours) == float(theirs)
    return type(ours) is type(theirs) and ours == theirs


def test_every_word_reads_as_real_kubectl_read_it() -> None:
    assert len(VALUES) > 700
    assert [word for word, said in VALUES.items() if not alike(resolve(word), said)] == []


def test_every_key_is_called_as_real_kubectl_called_it() -> None:
    assert [word for word, said in KEYS.items() if key_text(word) != said] == []


def test_every_reader_of_files_reads_the_words_alike() -> None:
    words = [word for word in VALUES if word not in NOT_JSON]
    text = "words:\n" + "".join(f"- {word}\n" for word in words)
    faults: list[Fault] = []
    ((objects, _),) = parse_documents(text, "f", faults)
    ours = parse_yaml(text, "f").data["words"]
    assert faults == []
    assert [word for word, read in zip(words, objects["words"], strict=True) if not alike(read, VALUES[word])] == []
    assert [word for word, read in zip(words, ours, strict=True) if not alike(read, VALUES[word])] == []


@pytest.mark.parametrize("word", sorted(NOT_JSON))
def test_a_number_json_cannot_write_is_refused_where_kubectl_refuses_it(word: str) -> None:
    faults: list[Fault] = []
    assert list(parse_documents(f"a: {word}\n", "f", faults)) == []
    assert "JSON has no word for" in faults[0].what
    assert f'"{word}"' == dump_yaml({"a": word})[3:-1]


@pytest.mark.parametrize("text", ["!!int tomb", "!!float tomb", "!!bool tomb", "!!null tomb", '!!int "tomb"'])
def test_a_tag_that_its_value_does_not_allow_is_refused_without_showing_the_value(text: str) -> None:
    faults: list[Fault] = []
    assert list(parse_documents(f"a: {text}\n", "f", faults)) == []
    with pytest.raises(InputError) as refused:
        parse_yaml(f"a: {text}\n", "f")
    assert all("tomb" not in str(told) and "f:1" in str(told) for told in (*faults, refused.value))


@pytest.mark.parametrize(("text", "value"), [("!!int 5", 5), ("!!str 5", "5"), ("!!float 5", 5), ("!!bool yes", True)])
def test_a_tag_that_fits_is_taken_at_its_word(text: str, value: object) -> None:
    ((data, _),) = parse_documents(f"a: {text}\n", "f", [])
    assert alike(data["a"], value)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=8), st.sampled_from([*VALUES, *KEYS]), st.from_regex(r"[-+.0-9eExob_:]{1,8}")))
def test_what_any_reader_might_take_for_something_else_is_known_to_be_ambiguous(text: str) -> None:
    if not isinstance(resolve(text), str) or text in NOT_JSON:
        assert is_ambiguous(text)
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    if text.strip() == text and not isinstance(read, str | list | dict) and "#" not in text and "!" not in text:
        assert is_ambiguous(text) or "\n" in text or text.startswith(("---", "...", "|", ">", "&", "%"))


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "+1", "-1", "1_000", "²", "٣", "1٣", "\uff11", "9" * 5000, "0x1", "1e3", "1.0"]
)
def test_a_whole_number_is_digits_of_ascii_alone(text: str) -> None:
    assert whole_number(text) is None
    assert whole_number("0012") == 12
    assert whole_number("70000", most=65535) is None


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-inf", "1_000", "1,5", "²", "٣", "1e٣", "0x10", "1e", ".", "=1+1", "12:30"]
)
def test_a_decimal_number_is_what_digits_of_ascii_write(text: str) -> None:
    assert decimal_number(text) is None
    assert [decimal_number(one) for one in ("1", "-.5", "+1.", "1e3")] == [1.0, -0.5, 1.0, 1000.0]
