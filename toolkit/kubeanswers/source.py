"""YAML text to plain data that remembers file and line, and the way back to text: the same data, the same bytes."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

import yaml

from kubeanswers.errors import Fault, InputError
from kubeanswers.inputs import decoded, read_bytes
from kubeanswers.records import dataclass
from kubeanswers.scalars import NOT_JSON, is_ambiguous, resolve


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads unquoted words as kubectl does, whatever file they stand in."""

    def resolve(self, kind: type[Any], value: Any, implicit: Any) -> Any:
        """Return the tag of a node; that of an unquoted word is what :func:`scalars.resolve` makes of it."""
        if kind is not yaml.ScalarNode or not implicit[0]:
            return super().resolve(kind, value, implicit)
        if value == "<<":
            return _MERGE_TAG
        return _FLOAT_TAG if value in NOT_JSON else _TAGS[type(resolve(value))]


_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_FLOAT_TAG: Final = "tag:yaml.org,2002:float"
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_NULL_TAG: Final = "tag:yaml.org,2002:null"
_TAGS: Final[Mapping[type, str]] = {
    str: _TEXT_TAG,
    bool: "tag:yaml.org,2002:bool",
    int: "tag:yaml.org,2002:int",
    float: _FLOAT_TAG,
    type(None): _NULL_TAG,
}
_MADE_OF: Final[Mapping[str, tuple[type, ...]]] = {
    **{tag: (kind,) for kind, tag in _TAGS.items()},
    _FLOAT_TAG: (int, float),
    "tag:yaml.org,2002:timestamp": (str,),
}
"""What a scalar of each tag is made of."""

MAX_BYTES: Final = 8 * 1024 * 1024
"""Largest input file read, in bytes. Assumption: a scenario of 10,000 named tenants is under 2 MiB."""

_MAX_REPEATS: Final = 200_000
_MAX_DEPTH: Final = 100
_HARMLESS_DEPTH: Final = 1_000

Path_ = tuple[str | int, ...]
Place = Callable[[Path_], str]
"""Says where a path stands in a file, as :meth:`Document.where` does."""


@dataclass(frozen=True)
class Document:
    """One YAML document as plain data with the line of every value.

    Attributes:
        name: how the file is called in messages.
        data: mappings, lists, strings, numbers, booleans and None.
        lines: 1-based line of each value by its path of keys and indices.
        written: what stands in the file, for unquoted words that were read as something else (``012`` as 10).
    """

    name: str
    data: Any
    lines: Mapping[Path_, int] = field(default_factory=dict, repr=False)
    written: Mapping[Path_, str] = field(default_factory=dict, repr=False)

    def at(self, path: Sequence[str | int]) -> Any:
        """Return the value at ``path``."""
        value = self.data
        for part in path:
            value = value[part]
        return value

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of the value at ``path``, or of its nearest enclosing value."""
        key = tuple(path)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def where(self, path: Sequence[str | int]) -> str:
        """Return ``file:line: field.path[0]`` for messages."""
        text = field_text(path)
        return f"{self.name}:{self.line(path)}" + (f": {text}" if text else "")


def field_text(path: Sequence[str | int]) -> str:
    """Return a path of keys and indices as people write it: ``tenants.classes[0].kind``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def read_text(path: str | os.PathLike[str], *, limit: int = MAX_BYTES) -> str:
    """Return the text of a file, with plain line ends; never reads more than the limit.

    Raises:
        InputError: the file is missing, is a folder, is too large, or is not UTF-8 text.
    """
    return decoded(read_bytes(path, limit), str(path))


def read_yaml(path: str | os.PathLike[str], *, name: str | None = None, limit: int = MAX_BYTES) -> Document:
    """Return the single YAML document of a file.

    Raises:
        InputError: as :func:`read_text` and :func:`parse_yaml`.
    """
    return parse_yaml(read_text(path, limit=limit), name or str(path))


def parse_yaml(text: str, name: str) -> Document:
    """Return the single YAML document in ``text``.

    Raises:
        InputError: a syntax error, several documents, a duplicate key, an alias that expands without bound,
            a key that is not text, or nesting deeper than 100 levels.
    """
    documents = list(parse_all(text, name))
    if not documents:
        raise InputError(Fault(name, "is empty", "one YAML document", "write the document or remove the file"))
    if len(documents) > 1:
        raise InputError(
            Fault(name, f"holds {len(documents)} YAML documents", "one", "remove the '---' lines or split the file")
        )
    return documents[0]


def parse_all(text: str, name: str) -> Iterator[Document]:
    """Yield every YAML document in ``text`` that is not empty.

    Raises:
        InputError: as :func:`parse_yaml`, except that several documents are welcome.
    """
    _refuse_control_characters(text, name)
    loader = _Loader(text)
    try:
        _refuse_depth(text, name)
        while loader.check_node():
            node = loader.get_node()
            builder = _Builder(name, loader)
            data = builder.build(node)
            if builder.faults:
                raise InputError(builder.faults)
            if data is not None:
                yield Document(name, data, builder.lines, builder.written)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = str(error.problem or error.context)
        if "cannot start any token" in problem and "\t" in _line_of(text, line):
            problem = "a tab indents this line; YAML indents with spaces"
        raise InputError(Fault(f"{name}:{line}", f"YAML syntax: {problem}", cure="correct the YAML here")) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise InputError(Fault(name, f"YAML cannot be read: {first}", cure="correct the YAML")) from None
    finally:
        loader.dispose()


def _line_of(text: str, line: int) -> str:
    return next(itertools.islice(text.splitlines(), line - 1, None), "")


def _refuse_control_characters(text: str, name: str) -> None:
    found = _NO_YAML.search(text)
    if found:
        where = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
        what = f"holds the control character U+{ord(found[0]):04X}"
        raise InputError(Fault(where, what, "printable text", "remove it, or write it as an escape in double quotes"))


def _refuse_depth(text: str, name: str) -> None:
    """Refuse nesting that would exhaust the stack of libyaml, which builds nodes by recursion.

    Only brackets and leading runs of indicators can nest without a long file: where both are few, there is no need
    to look closer.
    """
    if text.count("[") + text.count("{") <= _HARMLESS_DEPTH and not _LEADING_RUN.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _HARMLESS_DEPTH:
                raise _too_deep(event, name)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _too_deep(node: Any, name: str) -> InputError:
    where = f"{name}:{node.start_mark.line + 1}"
    return InputError(Fault(where, f"is nested deeper than {_MAX_DEPTH} levels", cure="flatten the structure"))


class _Builder:
    """Turns a node tree into plain data; counts what aliases repeat and notes duplicate keys."""

    def __init__(self, name: str, loader: Any) -> None:
        self.name = name
        self.loader = loader
        self.lines: dict[Path_, int] = {}
        self.written: dict[Path_, str] = {}
        self.faults: list[Fault] = []
        self.seen: set[int] = set()
        self.repeats = 0

    def build(self, node: Any) -> Any:
        return self._value(node, (), 0)

    def _fault(self, node: Any, what: str, cure: str) -> None:
        self.faults.append(Fault(f"{self.name}:{node.start_mark.line + 1}", what, cure=cure))

    def _value(self, node: Any, path: Path_, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise _too_deep(node, self.name)
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            value = self._scalar(node)
            if not isinstance(value, str) and node.value != str(value):
                self.written[path] = node.value
            return value
        self._count_repeats(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        return self._mapping(node, path, depth)

    def _count_repeats(self, node: Any) -> None:
        """Count the values that aliases write again; what stands in the file is bounded by its size."""
        if id(node) not in self.seen:
            self.seen.add(id(node))
            return
        self.repeats += 1 + len(node.value)
        if self.repeats > _MAX_REPEATS:
            where = f"{self.name}:{node.start_mark.line + 1}"
            what = f"aliases repeat more than {_MAX_REPEATS:,} values"
            raise InputError(Fault(where, what, cure="write the repeated part once per place, or nest aliases less"))

    def _scalar(self, node: Any) -> Any:
        if node.tag == _TEXT_TAG:
            return node.value
        if node.tag not in _MADE_OF:
            self._fault(node, f"tag {node.tag!r} is not allowed", "write plain text, a number or true/false")
            return None
        if node.tag == _FLOAT_TAG and node.value in NOT_JSON:
            return float(node.value.replace(".", "", 1))
        value = resolve(node.value)
        if type(value) not in _MADE_OF[node.tag]:
            self._fault(node, "holds a value its tag does not allow", "correct it, or drop the tag")
            return None
        # what kubectl rounds, because JSON numbers are floats, is a fault of its size here: keep every digit
        return int(node.value) if isinstance(value, float) and _DIGITS.fullmatch(node.value) else value

    def _mapping(self, node: Any, path: Path_, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE_TAG:
                self._fault(key_node, "merge keys (<<) are not supported", "write the keys out")
                continue
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if isinstance(key, bool | int | float):
                key = key_node.value
            if not isinstance(key, str):
                self._fault(key_node, "a key is not text", "quote the key")
                continue
            if key in result:
                self._fault(key_node, f"key {key!r} appears twice", "keep one of the two")
                continue
            result[key] = self._value(value_node, (*path, key), depth + 1)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
        return result


_NO_YAML: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DIGITS: Final = re.compile("[-+]?[0-9]{1,4000}")
_LEADING_RUN: Final = re.compile(rf"(?m)^[ ?:-]{{{_HARMLESS_DEPTH // 2},}}")


class _Dumper(yaml.CSafeDumper if hasattr(yaml, "CSafeDumper") else yaml.SafeDumper):  # type: ignore[misc]
    """Writes block style without aliases, so that equal parts never become ``&id001``."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if _CONTROL.search(value) or is_ambiguous(value) else ("|" if "\n" in value else None)
    return dumper.represent_scalar(_TEXT_TAG, value, style=style)


_Dumper.add_representer(str, _text)


def dump_yaml(data: Any, *, sort_keys: bool = False) -> str:
    """Return block-style YAML of plain data; the same data gives the same text.

    Raises:
        ValueError: a number is not finite.
    """
    _refuse_non_finite(data)
    return str(
        yaml.dump(data, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=4096, default_flow_style=False)
    )


def dump_yaml_all(documents: Sequence[Any]) -> str:
    """Return several documents as one YAML stream, separated by ``---``."""
    return "---\n".join(dump_yaml(document) for document in documents)


def _refuse_non_finite(data: Any) -> None:
    if isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"{data!r} cannot be written")
    if isinstance(data, Mapping):
        for value in data.values():
            _refuse_non_finite(value)
    elif isinstance(data, list | tuple):
        for value in data:
            _refuse_non_finite(value)
