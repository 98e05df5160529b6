"""Seeded mutations: of bytes, of lines, and of the structure YAML text stands for."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import yaml

HOSTILE: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        False,
        -1,
        0,
        1,
        2**31,
        2**63,
        10**30,
        0.5,
        1e308,
        -1e-308,
        "",
        " ",
        "x" * 300,
        "~",
        "no",
        "1e3",
        "-e5",
    ),
    *(
        "0x1",
        "\u00b2",
        "\u0663",
        "9" * 5000,
        "1:30",
        "=",
        "<<",
        "\x1b[2J",
        "\u202egnp",
        "a\nb",
        "\ud800",
        "../../x",
        "/dev/zero",
        "a!b",
        "{{ .Values.x }}",
    ),
    *(
        "9999999999999Gi",
        "-1Gi",
        "1e400",
        "NaN",
        "10.0.0.0/99",
        "::1/0",
        "*",
        "[",
        "{",
        "&a",
        "*a",
        "!!int x",
        "'",
        "\0",
    ),
    *([], {}, [None], [[]], {"": None}, {"a": {"b": []}}, ["a", 1, None, {}], [{}, {}], {"kind": "List", "items": {}}),
)
WORDS: Final = (
    *(
        b"-e5",
        b"1e3",
        b".inf",
        b"~",
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"\t",
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"---\n",
    ),
    *(
        b"...\n",
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!int ",
        b"!x ",
        b"|\n",
        b">\n",
        b"%YAML 9.9\n",
        b"\r\n",
        b"\xef\xbb\xbf",
        b'"',
        b"'",
    ),
    *(
        b"#",
        b",",
        b";",
        b"99999999999999999999",
        b"-1",
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"\x1f\x8b",
        b"PK\x03\x04",
        b"=cmd|' /C'!A0",
    ),
)


def mutated(seed: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """Return a changed copy of a seed."""
    made = seed
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        change = draw.choices((_structure, _bytes, _lines, _spliced), (6, 3, 2, 1))[0]
        made = change(made, others, draw)
    return made


def _bytes(data: bytes, _: list[bytes], draw: random.Random) -> bytes:
    if not data:
        return draw.choice(WORDS)
    at, size = draw.randrange(len(data)), draw.choice((1, 1, 2, 8, 64))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :],
        lambda: data[:at] + draw.choice(WORDS) + data[at:],
        lambda: data[:at] + draw.choice(WORDS) + data[at + size :],
        lambda: data[:at] + data[at + size :],
        lambda: data[:at],
        lambda: data[:at] + data[at : at + size] * draw.choice((2, 50)) + data[at:],
    )
    return draw.choice(ways)()


def _lines(data: bytes, _: list[bytes], draw: random.Random) -> bytes:
    lines = data.split(b"\n")
    first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
    way = draw.randrange(4)
    if way == 0:
        lines[first], lines[second] = lines[second], lines[first]
    elif way == 1:
        del lines[first]
    elif way == 2:
        lines.insert(first, lines[second])
    else:
        lines[first] = draw.choice((b"  ", b" ", b"")) + lines[first].lstrip()
    return b"\n".join(lines)


def _spliced(data: bytes, others: list[bytes], draw: random.Random) -> bytes:
    other = draw.choice(others) if others else b""
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


def _structure(data: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """Put something hostile in the place of one value, key or entry; bytes where the text has no structure."""
    structure = _structure_of(data)
    if structure is None:
        return _bytes(data, others, draw)
    documents = pickle.loads(structure)  # noqa: S301 - our own, of a line below
    places = [place for document in documents for place in _places(document)]
    if not places:
        return _bytes(data, others, draw)
    holder, key = draw.choice(places)
    way = draw.randrange(6)
    if way < 3:
        holder[key] = draw.choice(HOSTILE)
    elif way == 3:
        del holder[key]
    elif way == 4 and isinstance(holder, dict):
        holder[str(draw.choice(HOSTILE))[:40]] = holder.pop(key)
    else:
        other, there = draw.choice(places)
        holder[key] = other.get(there) if isinstance(other, dict) else holder[key]
    try:
        if data.lstrip()[:1] in (b"{", b"["):
            return json.dumps(documents[0]).encode("utf-8", "surrogatepass")
        text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=None)
        return str(text).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return _bytes(data, others, draw)


@lru_cache(maxsize=2000)
def _structure_of(data: bytes) -> bytes | None:
    """Return the documents of a text, pickled: a seed is parsed once, and every mutation gets a copy of its own."""
    try:
        return pickle.dumps(list(yaml.load_all(data.decode(), Loader=yaml.CSafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None  # PyYAML itself stumbles over a few, such as an empty !!int


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending and len(found) < 5000:
        one = pending.pop()
        items = list(one.items()) if isinstance(one, dict) else list(enumerate(one)) if isinstance(one, list) else []
        found += [(one, key) for key, _ in items]
        pending += [inner for _, inner in items if isinstance(inner, dict | list)]
    return found
