from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeanswers.errors import InputError
from kubeanswers.source import dump_yaml, parse_yaml, read_yaml


def test_values_know_their_lines() -> None:
    document = parse_yaml("a:\n  - b: 1\n    c: two\n", "x.yaml")
    assert document.data == {"a": [{"b": 1, "c": "two"}]}
    assert document.where(("a", 0, "c")) == "x.yaml:3: a[0].c"
    assert document.line(("a", 0, "missing")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2\n", "x:2: key 'a' appears twice"),
        ("a: [1, 2\nb: 3\n", "x:2: YAML syntax"),
        ("", "is empty"),
        ("a: 1\n---\nb: 2\n", "holds 2 YAML documents"),
        ("a: !!python/object:os.system x\n", "is not allowed"),
        ("[1, 2]: x\n", "a key is not text"),
        ("a: &x 1\nb:\n  <<: {c: 1}\n", "merge keys"),
        ("a: 1\nb: \x00\n", "x:2: holds the control character U+0000"),
        ("a:\n\tb: 1\n", "x:2: YAML syntax: a tab indents this line"),
        ("[" * 5000, "x:1: is nested deeper than 100 levels"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "x:1: is nested deeper than 100 levels"),
        ("a: &a [*a]\n", "x:1: is nested deeper than 100 levels"),
        ("- " * 100_000 + "a", "x:1: is nested deeper than 100 levels"),
    ],
)
def test_broken_yaml_is_an_error_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "x")
    assert told in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(InputError, match=r"bomb\.yaml:1: aliases repeat more than 200,000 values"):
        parse_yaml("\n".join(lines), "bomb.yaml")


def test_a_long_list_without_aliases_is_no_bomb() -> None:
    assert len(parse_yaml("a: [" + "x, " * 300_000 + "x]", "x").data["a"]) == 300_001


def test_words_that_were_read_as_something_else_are_kept_as_written() -> None:
    document = parse_yaml("a: 012\nb: yes\nc: 10\nd: '012'\n", "x")
    assert document.data == {"a": 10, "b": True, "c": 10, "d": "012"}
    assert document.written == {("a",): "012", ("b",): "yes"}


def test_a_large_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    with pytest.raises(InputError, match="is 50 MiB large; allowed: at most 8 MiB"):
        read_yaml(file)


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_yaml(file)
    file.write_bytes("a: 1\nb: Zürich\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"binary\.yaml:2: is not UTF-8 text; save it as UTF-8"):
        read_yaml(file)
    with pytest.raises(InputError, match="is a folder"):
        read_yaml(tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device that never ends")
def test_a_file_that_never_ends_is_refused() -> None:
    with pytest.raises(InputError, match="is a device; allowed: a file or a pipe"):
        read_yaml("/dev/zero")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_end_are_read(tmp_path: Path, ends: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + f"a: 1{ends}b: |{ends}  two{ends}".encode())
    document = read_yaml(file)
    assert document.data == {"a": 1, "b": "two\n"}
    assert document.line(("b",)) == 2


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc-_ =:#'\"é", min_size=1, max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_what_is_written_reads_back_the_same(data: object) -> None:
    if data is None:
        return
    assert parse_yaml(dump_yaml(data), "x").data == data
