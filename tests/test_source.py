from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancykit.errors import InputError, OutputError
from tenancykit.source import dump_yaml, parse_yaml, read_yaml, write_text


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
        ("a: \x00\n", "YAML cannot be read"),
        ("[" * 5000, "x"),
    ],
)
def test_broken_yaml_is_an_error_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "x")
    assert told in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(InputError, match="aliases expand to more than two million values"):
        parse_yaml("\n".join(lines), "bomb.yaml")


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
    with pytest.raises(InputError, match="is a folder"):
        read_yaml(tmp_path)


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


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "a.txt"
    write_text(file, "one")
    write_text(file, "two")
    assert file.read_text(encoding="utf-8") == "two"
    assert [p.name for p in file.parent.iterdir()] == ["a.txt"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(file / "below-a-file.txt", "x")
