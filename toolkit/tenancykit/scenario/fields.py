"""The kinds of value a scenario is written in: quantities, money, names and text, each refusing what it cannot be."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from kubeanswers import quantities
from kubeanswers.errors import did_you_mean
from tenancykit.criterion_names import CRITERIA

MAX_TENANT_NAME = 200
MAX_TENANTS = 1_000_000
MAX_MONEY: Final = 10**15
"""Largest amount of money; assumption: ten times the yearly product of the world, in dollars."""
KUBERNETES: Final = tuple(f"1.{minor}" for minor in range(25, 38))
"""Kubernetes versions whose object schemas are at hand."""

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SLUG: Final = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
_IMAGE: Final = re.compile(r"[a-z0-9][\w.:/@-]*", re.ASCII | re.IGNORECASE)
_AMOUNT: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3}|[kM])?", re.ASCII)


def _cpu(value: Any) -> int:
    return _in_range(quantities.millis(value), value)


def _memory(value: Any) -> int:
    return _in_range(quantities.whole(value), value)


def _in_range(amount: int, value: Any) -> int:
    if amount < 0:
        raise ValueError(f"{value!r} is negative; write zero or more")
    if amount > quantities.MAX_QUANTITY:
        raise ValueError(f"{_short(value)} is more than Kubernetes can count; write at most 2^63-1")
    return amount


def _money(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, str) and not _AMOUNT.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is not an amount of money; write a number without signs, such as 12500 or 0.85")
    elif isinstance(value, int | float | str) and not isinstance(value, bool):
        amount = quantities.parse_quantity(value)
    else:
        raise ValueError(f"{value!r} is not an amount of money; write a number")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{value!r} is not an amount of money; write a number of zero or more")
    if amount > MAX_MONEY:
        raise ValueError(f"{_short(value)} is no credible amount of money; write at most 1e15")
    return amount


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_TENANT_NAME // 4 else f"{text[:20]}... ({len(text)} characters)"


def _version(value: Any) -> str:
    if isinstance(value, float):
        raise ValueError(f"{value!r} was read as a number; put the version in quotes, such as '1.36'")  # noqa: TRY004 - as above
    if str(value) not in KUBERNETES:
        known = f"{KUBERNETES[0]} to {KUBERNETES[-1]}"
        raise ValueError(f"{value!r} is no Kubernetes version we know; write a minor version from {known}, in quotes")
    return str(value)


def _text(value: Any) -> str:
    return _printable(value, "the text", "\n\t")


def _line(value: Any, what: str = "the text") -> str:
    text = _printable(value, what)
    if len(text) > MAX_TENANT_NAME:
        raise ValueError(f"{what} has {len(text)} characters; at most {MAX_TENANT_NAME} are allowed")
    return text


def _word(value: Any, what: str = "the text") -> str:
    if isinstance(value, str) and not value.strip():
        raise ValueError(f"{what} is empty; write printable characters")
    return _line(value, what)


def _criterion(value: Any) -> str:
    name = _word(value, "a criterion")
    if name not in CRITERIA:
        told = did_you_mean(name, CRITERIA) or f"write one of {', '.join(CRITERIA)}, or register it first"
        raise ValueError(f"{name!r} is no criterion; {told}")
    return name


def _tenant(value: Any) -> str:
    return _word(value, "a tenant name")


def _printable(value: Any, what: str, welcome: str = "") -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text; put it in quotes")  # noqa: TRY004 - as above
    for character in value:
        if unicodedata.category(character) in _INVISIBLE and character not in welcome:
            raise ValueError(f"{what} holds the control character U+{ord(character):04X}; remove it")
    return value


def _slug(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text; put it in quotes")  # noqa: TRY004 - as above
    if not re.fullmatch(_SLUG, value) or value.endswith("\n"):
        folded = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
        near = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:40].strip("-")
        cure = f", such as {near}" if near else ""
        raise ValueError(
            f"{_short(value)} is not a short name; write lower-case letters, digits and '-', at most 40{cure}"
        )
    return value


def _image(value: Any) -> str:
    text = _line(value)
    if not _IMAGE.fullmatch(text):
        raise ValueError(f"{value!r} is not a container image; write a reference such as registry.example.com/app:1.0")
    return text


CpuMilli = Annotated[
    int,
    BeforeValidator(_cpu, json_schema_input_type=str | float),
    PlainSerializer(quantities.cpu_text, when_used="json"),
]
"""CPU in whole millicores; written as a Kubernetes quantity (``500m``, ``4``)."""
MemoryBytes = Annotated[
    int,
    BeforeValidator(_memory, json_schema_input_type=str | int),
    PlainSerializer(quantities.memory_text, when_used="json"),
]
"""Memory or storage in bytes; written as a Kubernetes quantity (``64Gi``)."""
Money = Annotated[Decimal, BeforeValidator(_money, json_schema_input_type=str | float)]
"""An exact amount of money in the scenario's currency."""
Version = Annotated[str, Field(pattern=r"^1\.[0-9]{2}$"), BeforeValidator(_version)]
"""A Kubernetes minor version whose object schemas are at hand."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
Slug = Annotated[str, Field(pattern=_SLUG), BeforeValidator(_slug)]
"""Lower-case letters, digits and '-', at most 40 characters."""
Text = Annotated[str, BeforeValidator(_text)]
Line = Annotated[str, BeforeValidator(_line)]
Word = Annotated[str, BeforeValidator(_word)]
CriterionId = Annotated[str, BeforeValidator(_criterion)]
"""Id of a criterion, one of the four or registered."""
Image = Annotated[str, BeforeValidator(_image)]
TenantName = Annotated[str, BeforeValidator(_tenant)]
Level = Literal["L0", "L1", "L2", "L3", "L4", "L5"]
"""Named isolation level; defined by rule in the catalogue (``levels.yaml``)."""


class Model(BaseModel):
    """A frozen input value that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
