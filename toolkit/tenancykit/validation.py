"""Plain data to frozen models: every fault of a document at once, each with file, line, what is allowed and a cure."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.scalars import whole_number
from kubeanswers.source import Document, Path_

M = TypeVar("M", bound=BaseModel)

_SHOWN = 60

_MEANT: Final[Mapping[str, tuple[str, str, str]]] = {
    "greater_than_equal": ("is too small", "{ge:g} or more", ""),
    "greater_than": ("is too small", "more than {gt:g}", ""),
    "less_than_equal": ("is too large", "at most {le:g}", ""),
    "less_than": ("is too large", "less than {lt:g}", ""),
    "too_short": ("has too few entries", "at least {min_length}", "write one"),
    "int_type": ("is not a whole number", "", "write it in digits"),
    "int_parsing": ("is not a whole number", "", "write it in digits"),
    "int_parsing_size": ("is too large", "", "write a smaller number"),
    "int_from_float": ("is not a whole number", "", "round it"),
    "float_type": ("is not a number", "", "write it in digits"),
    "float_parsing": ("is not a number", "", "write it in digits"),
    "finite_number": ("is not a finite number", "", "write it in digits"),
    "bool_type": ("is neither true nor false", "", ""),
    "bool_parsing": ("is neither true nor false", "", ""),
    "string_type": ("is not text", "", "put it in quotes"),
    "tuple_type": ("is not a list", "", "write '- ' before each entry, or [one, two]"),
    "list_type": ("is not a list", "", "write '- ' before each entry, or [one, two]"),
    "dict_type": ("is not a mapping", "", "write key: value"),
    "model_type": ("is not a mapping", "{keys}", ""),
}
"""What pydantic's kinds of error mean to who wrote the file: what is wrong, what is allowed, what to do."""

_OLD_NUMBER: Final = re.compile(r"[-+]?0[0-9_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
"""Numbers that YAML 1.1 reads to the base 8 or 60."""


def validate(model: type[M], document: Document, path: Path_ = ()) -> M:
    """Return the model built from the value at ``path`` of a document.

    Raises:
        InputError: with one fault per thing wrong, in the order of their lines.
    """
    data = document.at(path)
    if not isinstance(data, dict):
        raise InputError(Fault(document.where(path), f"is {_kind(data)}", f"a mapping with the keys {_keys(model)}"))
    misread = list(_misread(model, document, path))
    try:
        made = model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults = [_fault(detail, model, document, path) for detail in details if not _follows(detail, details)]
        places = {fault.where for fault in misread}
        faults = [*misread, *(fault for fault in faults if fault.where not in places)]
        raise InputError(sorted(set(faults), key=lambda f: (_line(f), f))) from None
    if misread:
        raise InputError(misread)
    return made


def _misread(model: type[BaseModel], document: Document, prefix: Path_) -> Iterator[Fault]:
    """Yield the numbers that YAML reads in another base than people do, and the words it reads as truth."""
    for path, written in document.written.items():
        if path[: len(prefix)] != prefix:
            continue
        value = document.at(path)
        if isinstance(value, bool):
            if _annotation_at(model, path[len(prefix) :]) in (int, float, Decimal):
                yield Fault(document.where(path), f"{written} is not a number", cure="write it in digits")
        elif _OLD_NUMBER.fullmatch(written):
            what = f"{written} is read by YAML as the number {value}"
            yield Fault(document.where(path), what, cure=f"write {value}, or '{written}' in quotes for text")


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a fault only follows from another.

    A list is too short because its items are faulty themselves; what may be a text or a mapping is no mapping because
    it is a text with a fault of its own, and no text because it is a mapping with one.
    """
    place = detail["loc"]
    if detail["type"] in ("dict_type", "list_type", "tuple_type", "model_type"):
        return any(d["type"] == "value_error" and d["loc"][:-1] == place[:-1] for d in details)
    if detail["type"] == "string_type":
        return any(len(d["loc"]) > len(place) and d["loc"][: len(place) - 1] == place[:-1] for d in details)
    return detail["type"] == "too_short" and any(
        len(d["loc"]) > len(place) and d["loc"][: len(place)] == place for d in details
    )


def _line(fault: Fault) -> int:
    parts = fault.where.removesuffix(":").split(":")
    return next(filter(None, map(whole_number, map(str.strip, parts[1:]))), 0)


def _fault(detail: ErrorDetails, model: type[BaseModel], document: Document, prefix: Path_) -> Fault:
    inner = _data_path(detail["loc"], document, prefix)
    place = (*prefix, *inner)
    where = document.where(place)
    context = detail.get("ctx") or {}
    kind = detail["type"]
    if kind == "extra_forbidden":
        parent = _model_at(model, inner[:-1])
        known = _field_names(parent) if parent else []
        return Fault(where, f"unknown key {inner[-1]!r}", ", ".join(known), did_you_mean(str(inner[-1]), known))
    if kind == "missing":
        missing = str(detail["loc"][-1])
        parent_place = place[:-1] if place and place[-1] == missing else place
        allowed = _examples(model, inner if inner and inner[-1] == missing else (*inner, missing))
        return Fault(document.where(parent_place), f"key {missing!r} is missing", allowed, f"add {missing}: ...")
    shown = _shown(detail["input"], document.written.get(place))
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return Fault(where, f"{shown} is unknown", expected, _meant(detail["input"], expected))
    if kind == "value_error":
        message = str(context.get("error", detail["msg"]))
        return Fault(where, message.replace(repr(detail["input"]), shown, 1))
    if kind in _MEANT:
        what, allowed, cure = _MEANT[kind]
        expected_here = _model_at(model, inner)
        keys = _keys(expected_here) if expected_here else ""
        return Fault(where, f"{shown} {what}", allowed.format(**context, keys=keys), cure)
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    shapes = _examples(model, inner) if kind == "string_pattern_mismatch" else ""
    return Fault(where, f"{shown} is written otherwise" if shapes else f"{shown}: {message}", shapes)


def _examples(model: type[BaseModel], path: Path_) -> str:
    """Return what may be written for a field: its words, or the examples its model gives."""
    annotation = _annotation_at(model, path)
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(map(str, typing.get_args(annotation)))
    owner = _model_at(model, path[:-1])
    fields = owner.model_fields.items() if owner else ()
    stated = next((info.examples for name, info in fields if path[-1] in (name, info.alias)), None)
    return f"the form of {' or '.join(map(str, stated))}" if stated else ""


def _meant(value: Any, expected: str) -> str:
    return did_you_mean(str(value), expected.split(", "))


def _shown(value: Any, written: str | None = None) -> str:
    if isinstance(value, dict | list) or value is None:
        return f"{_kind(value)}" if value or value is None else f"an empty {'list' if value == [] else 'mapping'}"
    text = written or repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _kind(data: Any) -> str:
    return {list: "a list", dict: "a mapping", str: "text", bool: "true/false", type(None): "nothing"}.get(
        type(data), "a number"
    )


def _data_path(loc: tuple[str | int, ...], document: Document, prefix: Path_) -> Path_:
    """Keep the parts of pydantic's location that exist in the data (it also names union members)."""
    kept: Path_ = ()
    for position, part in enumerate(loc):
        if (*prefix, *kept, part) in document.lines or position == len(loc) - 1:
            kept = (*kept, part)
    if kept and (*prefix, *kept) not in document.lines and isinstance(kept[-1], str) and "[" in kept[-1]:
        kept = kept[:-1]
    return kept


def _field_names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(_field_names(model))


def _model_at(model: type[BaseModel], path: Path_) -> type[BaseModel] | None:
    return _models_in(_annotation_at(model, path))


def _annotation_at(model: type[BaseModel], path: Path_) -> Any:
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        found = _models_in(current)
        fields = found.model_fields if found else {}
        info = next((i for name, i in fields.items() if part in (name, i.alias)), None)
        if info is None:
            continue
        current = info.annotation
    arguments = [a for a in typing.get_args(current) if a is not type(None)]
    optional = typing.get_origin(current) in (typing.Union, types.UnionType) and len(arguments) == 1
    return _bare(arguments[0] if optional else current)


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _models_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (tuple, list, dict, typing.Union, types.UnionType, typing.Annotated):
        for argument in typing.get_args(annotation):
            found = _models_in(argument)
            if found:
                return found
    return None
