from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import tenancykit as tk
from tenancykit.api import EXAMPLES
from tenancykit.scenario.reading import read_scenario
from tenancykit.studio.edits import (
    add_item,
    copy_item,
    remove_item,
    remove_key,
    scenario_text,
    set_list,
    set_value,
    written,
)

TEXT = """\
# who
tenants:
  - id: a   # the first
    count: 3
    wishes: {isolation: L1}
  - {id: b, count: 4}
empty:
"""


def test_a_replaced_value_leaves_comments_and_layout_as_they_were() -> None:
    assert set_value(TEXT, ("tenants", 0, "count"), 7) == TEXT.replace("count: 3", "count: 7")


def test_a_value_in_braces_is_replaced_in_place() -> None:
    assert set_value(TEXT, ("tenants", 1, "count"), 9) == TEXT.replace("count: 4", "count: 9")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tenants", 0, "kind"), "team"),
        (("tenants", 1, "kind"), "team"),
        (("tenants", 0, "wishes", "control"), "L2"),
        (("tenants", 1, "wishes", "control"), "L2"),
        (("empty",), 5),
        (("empty", "deep", "deeper"), "x"),
        (("new",), None),
    ],
)
def test_a_missing_key_is_added_where_it_belongs(path: tuple[str | int, ...], value: object) -> None:
    data = yaml.safe_load(set_value(TEXT, path, value))
    for part in path:
        data = data[part]
    assert data == value
    assert "# the first" in set_value(TEXT, path, value)


def test_an_edit_beyond_a_list_is_refused() -> None:
    with pytest.raises(KeyError):
        set_value(TEXT, ("tenants", 5, "count"), 1)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("tenants", 0, "count"), ("tenants", 1, "id"), ("tenants", 0, "wishes", "isolation"), ("empty",)]),
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
)
def test_an_edit_changes_one_value_and_nothing_else(path: tuple[str | int, ...], value: object) -> None:
    before, after = yaml.safe_load(TEXT), yaml.safe_load(set_value(TEXT, path, value))
    place = before
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert after == before


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
@settings(max_examples=60, deadline=None)
def test_text_is_written_so_that_yaml_reads_it_back(text: str) -> None:
    assert yaml.safe_load(f"key: {written(text)}") == {"key": text}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_text_of_a_scenario_reads_back_as_the_scenario(name: str) -> None:
    scenario = tk.load_scenario(name)
    again = tk.parse_scenario(scenario_text(scenario))
    assert again.model_dump() == scenario.model_dump()
    assert again.model_dump() == read_scenario(tk.example(name)).model_dump()


LISTS = """\
# head
block:
  # about a
  - id: a   # first
    note: >-
      long
  # about b
  - id: b
    flow: [x, {y: 1}]   # both

  # after the list
flow: [1, {two: 2}, "3"]   # numbers
one:   # alone
  - only
none: []
null_one:
scalars:
- s
- t
"""
"""Lists in every shape an author writes."""
CHANGES = {
    "add": lambda text, path: add_item(text, path[:-1], {"id": "new", "sub": {"deep": [1]}}),
    "copy": copy_item,
    "remove": remove_item,
}
COMMENTS = ("# head", "# both", "# after the list", "# numbers", "# alone")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "path",
    [
        *(("block", 0), ("block", 1), ("flow", 0), ("flow", 1), ("flow", 2), ("one", 0), ("scalars", 0)),
        *(("scalars", 1), ("block", 1, "flow", 0), ("block", 1, "flow", 1)),
    ],
)
def test_an_item_is_added_copied_or_removed_and_all_else_stays(change: str, path: tuple[str | int, ...]) -> None:
    expected = yaml.safe_load(LISTS)
    items = expected
    for part in path[:-1]:
        items = items[part]
    if change == "add":
        items.append({"id": "new", "sub": {"deep": [1]}})
    elif change == "copy":
        items.append(items[path[-1]])
    else:
        del items[path[-1]]
    text = CHANGES[change](LISTS, path)
    assert yaml.safe_load(text) == expected
    lost = {"# both"} if (change, path) == ("remove", ("block", 1)) else set()
    assert [c for c in COMMENTS if c not in text and c not in lost] == []


@pytest.mark.parametrize("path", [("none",), ("null_one",), ("missing",), ("block", 0, "deep")])
def test_a_list_that_is_not_there_begins_with_its_first_item(path: tuple[str | int, ...]) -> None:
    found = yaml.safe_load(add_item(LISTS, path, "x"))
    for part in path:
        found = found[part]
    assert found == ["x"]


def test_what_is_no_item_of_a_list_is_refused() -> None:
    for path in (("block", 5), ("block", 0, "id", 0)):
        with pytest.raises(KeyError):
            remove_item(LISTS, path)
    with pytest.raises(KeyError):
        add_item(LISTS, ("block", 0, "id"), 1)


KEYS = """\
a: 1   # one
b: {x: 1, y: 2}
c:
  d: [1]   # four
  e:
    - f
g: {only: 1}
h:
  i: {deep: {deeper: 1}}
"""


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        (("a",), ("a",)),
        (("b", "x"), ("b", "x")),
        (("b", "y"), ("b", "y")),
        (("c", "e"), ("c", "e")),
        (("g", "only"), ("g",)),
        (("h", "i", "deep", "deeper"), ("h",)),
        (("h",), ("h",)),
    ],
)
def test_a_key_goes_with_what_it_leaves_empty_and_nothing_else(path: tuple[str, ...], gone: tuple[str, ...]) -> None:
    expected = yaml.safe_load(KEYS)
    place = expected
    for part in gone[:-1]:
        place = place[part]
    del place[gone[-1]]
    assert yaml.safe_load(remove_key(KEYS, path)) == expected
    assert remove_key(KEYS, ("c", "nothing")) == KEYS


@pytest.mark.parametrize("path", [("flow",), ("scalars",), ("missing",), ("none",), ("null_one",), ("one",)])
@pytest.mark.parametrize("wanted", [["t"], ["u", "t"], ["s", "t", "v"]])
def test_a_list_becomes_what_is_wanted(path: tuple[str, ...], wanted: list[str]) -> None:
    found = yaml.safe_load(set_list(LISTS, path, wanted))
    assert sorted(found[path[0]]) == sorted(wanted)
    assert {k: v for k, v in found.items() if k != path[0]} == {
        k: v for k, v in yaml.safe_load(LISTS).items() if k != path[0]
    }


@pytest.mark.parametrize(
    ("line", "value", "found"),
    [
        ("memory: 15Gi  # median", "16Gi", "memory: 16Gi  # median"),
        ("cpu: 11400m", "500m", "cpu: 500m"),
        ("memory: 4Gi", "1.5Ti", "memory: 1.5Ti"),
        ('cpu: "4"', 5, 'cpu: "5"'),
        ("cpu: '4'", 0.5, "cpu: '0.5'"),
        ("cpu: 4", 5, "cpu: 5"),
        ("name: a", "0xFF", 'name: "0xFF"'),
        ("name: a", "1e3", 'name: "1e3"'),
        ('name: "x y"', 5, "name: 5"),
        ('cpu: "4"', "500m", "cpu: 500m"),
    ],
)
def test_an_amount_keeps_its_unit_and_its_quotes(line: str, value: float | str, found: str) -> None:
    assert set_value(line, (line.partition(":")[0],), value) == found


@pytest.mark.parametrize("name", ["Ada Lovelace", "CFO: the #1", "no", "1234", "O'Brien", '"', "{a", "- b", "é"])
@pytest.mark.parametrize("text", ["a: 1", "a: 1\nstakeholders:\n  b: {cost: 1}", "a: 1\nstakeholders: {b: {cost: 1}}"])
def test_somebody_of_any_name_is_added(text: str, name: str) -> None:
    found = text
    for key, value in (("isolation", 0.25), ("cost", 0.75)):
        found = set_value(found, ("stakeholders", name, key), value)
    assert yaml.safe_load(found)["stakeholders"][name] == {"isolation": 0.25, "cost": 0.75}
