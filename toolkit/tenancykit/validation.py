"""Plain data to frozen models: every fault of a document at once, each with file, line, what is allowed and a cure."""

from __future__ import annotations

import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tenancykit.errors import Fault, InputError, did_you_mean
from tenancykit.source import Document, Path_

M = TypeVar("M", bound=BaseModel)

_SHOWN = 60


def validate(model: type[M], document: Document, path: Path_ = ()) -> M:
    """Return the model built from the value at ``path`` of a document.

    Raises:
        InputError: with one fault per thing wrong, in the order of their lines.
    """
    data = document.data
    for part in path:
        data = data[part]
    if not isinstance(data, dict):
        raise InputError(Fault(document.where(path), f"is {_kind(data)}", f"a mapping with the keys {_keys(model)}"))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults = [_fault(detail, model, document, path) for detail in details if not _follows(detail, details)]
        raise InputError(sorted(set(faults), key=lambda f: (_line(f), f))) from None


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a list is only too short because its items are faulty themselves."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(d["loc"]) > len(place) and d["loc"][: len(place)] == place for d in details
    )


def _line(fault: Fault) -> int:
    parts = fault.where.removesuffix(":").split(":")
    return next((int(part) for part in parts[1:] if part.strip().isdigit()), 0)


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
        return Fault(document.where(parent_place), f"key {missing!r} is missing", cure=f"add {missing}: ...")
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        return Fault(where, f"{_shown(detail['input'])} is unknown", expected, _meant(detail["input"], expected))
    if kind == "value_error":
        return Fault(where, str(context.get("error", detail["msg"])))
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return Fault(where, f"{_shown(detail['input'])}: {message}")


def _meant(value: Any, expected: str) -> str:
    return did_you_mean(str(value), expected.split(", "))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _kind(data: Any) -> str:
    return {list: "a list", str: "text", bool: "true/false", type(None): "empty"}.get(type(data), "a number")


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
    return _models_in(current)


def _models_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (tuple, list, dict, typing.Union, types.UnionType, typing.Annotated):
        for argument in typing.get_args(annotation):
            found = _models_in(argument)
            if found:
                return found
    return None
