"""A frozen class made here cannot be told from one that the standard library makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from kubeanswers import records
from kubeanswers.errors import Fault

Decorator = Callable[..., Any]


def _classes(dataclass: Decorator) -> dict[str, type]:
    @dataclass(frozen=True)
    class Plain:
        """Two fields, one with a default."""

        name: str
        number: int = 3

    @dataclass(frozen=True)
    class Made:
        name: str
        found: list[int] = field(default_factory=list, repr=False, compare=False)
        kept: dict[str, int] = field(default_factory=dict, hash=False)

    @dataclass(frozen=True, eq=False)
    class Itself:
        name: str
        number: int = 3

    @dataclass(frozen=True)
    class Nothing:
        """No field."""

    @dataclass(frozen=True)
    class Checked:
        name: str

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("no name")

    @dataclass(frozen=True)
    class Own:
        name: str
        other: int = 0

        def __hash__(self) -> int:
            return 7

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and other.name == self.name

        def __repr__(self) -> str:
            return "own"

    @dataclass(frozen=True)
    class Equal:  # noqa: PLW1641 - its hash is made
        name: str

        def __eq__(self, other: object) -> bool:
            return True

    @dataclass(frozen=True, slots=True)
    class Slotted:
        name: str

    @dataclass(frozen=True, order=True)
    class Ordered:
        name: str

    @dataclass(frozen=True)
    class Derived:
        name: str
        kept: str = field(init=False, default="")

    @dataclass
    class Open:
        name: str

    return {one.__name__: one for one in vars().values() if isinstance(one, type)}


OURS, THEIRS = _classes(records.dataclass), _classes(dataclasses.dataclass)


def _told(call: Callable[[], object]) -> str:
    """Return what a call gives or how it fails, without the decorator's name."""
    try:
        return repr(call())
    except (TypeError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", OURS)
def test_a_class_answers_as_one_of_the_standard_library_does(name: str) -> None:
    ours, theirs = OURS[name], THEIRS[name]
    first = () if name == "Nothing" else ("a",)
    asked: list[Callable[[type], object]] = [
        lambda one: one(*first),
        lambda one: one(*first) == one(*first),
        lambda one: one(*first) != object(),
        lambda one: one("a") == one("b"),
        lambda one: hash(one(*first)) == hash(one(*first)),
        lambda one: one(*first, 4) == one(*first, 5),
        lambda one: one(""),
        lambda one: one(name="b"),
        lambda one: one(),
        lambda one: one("a", 1, 2, 3, 4),
        lambda one: setattr(one(*first), "name", "b"),
        lambda one: setattr(one(*first), "unheard", "b"),
        lambda one: delattr(one(*first), "name"),
        lambda one: delattr(one(*first), "unheard"),
        lambda one: replace(one(*first), name="c"),
        lambda one: dataclasses.asdict(one(*first)),
        lambda one: copy.deepcopy(one(*first)),
        lambda one: one(*first) < one(*first),
        lambda one: getattr(one, "__match_args__"),  # noqa: B009 - a class of no known kind
        lambda one: [(each.name, each.type, each.default) for each in dataclasses.fields(one)],
        lambda one: {one(*first), one(*first)},
    ]
    answers = [[_told(lambda ask=ask, one=one: ask(one)) for ask in asked] for one in (ours, theirs)]  # type: ignore[misc]
    assert answers[0] == answers[1]
    shown = [str(inspect.signature(one)) for one in (ours, theirs)]
    assert shown[0] == shown[1]


def test_what_fails_to_be_set_is_told_as_frozen() -> None:
    one = OURS["Plain"]("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        one.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'number'"):
        del one.number


def test_a_default_that_is_made_is_made_for_each() -> None:
    one, other = OURS["Made"]("a"), OURS["Made"]("a")
    one.found.append(1)
    assert one == other
    assert other.found == []


def test_what_holds_itself_is_shown() -> None:
    holder = OURS["Made"]("a", kept={})
    holder.kept["itself"] = holder
    assert "..." in repr(holder)


def test_an_object_is_sent_to_another_process_and_comes_back_equal() -> None:
    fault = Fault("here", "wrong", "right")
    assert pickle.loads(pickle.dumps(fault)) == fault  # noqa: S301 - our own bytes
