"""How a scenario says what its figures are worth: ends of scales, stakes, and exchange rates in money."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tenancykit.scenario.fields import CriterionId, Finite, Model, Slug
from tenancykit.scenario.worth import parse_rate

Plane = Literal["control", "compute", "network", "storage", "accelerator", "performance"]
"""Planes of isolation."""


def _bare(value: Any) -> Any:
    if isinstance(value, str) and re.search(r"[0-9]\s*[^0-9.,_\s]", value):
        raise ValueError(
            f"{value!r} carries a unit; write the number alone, such as 500000: cost is read as the scenario's "
            "currency a month, effort as person-days, operations as hours a month"
        )
    return value


class Ends(Model):
    """The two ends of a scale where less is better: cost, effort, operations."""

    best: Annotated[Finite, Field(ge=0), BeforeValidator(_bare)]
    """Figure of value 1."""
    worst: Annotated[Finite, Field(gt=0), BeforeValidator(_bare)]
    """Figure of value 0; figures beyond it are extrapolated."""

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) == 2:
            return {"best": value[0], "worst": value[1]}
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Ends:
        if self.best == self.worst:
            raise ValueError(f"both ends are {self.best:g}; write two different figures, the better (lower) first")
        if self.best > self.worst:
            raise ValueError(
                f"the ends are reversed: best is {self.best:g} and worst {self.worst:g}, and less is better here; "
                "exchange them"
            )
        return self


class Pair(Model):
    """The two ends of a scale, whichever direction is better."""

    best: Finite
    """Figure of value 1."""
    worst: Finite
    """Figure of value 0; figures beyond it are extrapolated."""

    @model_validator(mode="after")
    def _apart(self) -> Pair:
        if self.best == self.worst:
            raise ValueError(f"both ends are {self.best:g}; write two different figures")
        return self


def _of_nines(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and not -1 <= value <= 12:
        raise ValueError(
            f"{value!r} is no number of nines; allowed: -1 to 12 (nines say how rarely something stands open: "
            "1 is 36.5 days a year, 2 is 3.65)"
        )
    return value


Nine = Annotated[Finite, Field(ge=-1, le=12), BeforeValidator(_of_nines)]
"""Nines of isolation: minus the decimal logarithm of the share of time open."""


class Nines(Model):
    """The two ends of a scale of isolation, in nines: minus the decimal logarithm of the share of time open."""

    must: Nine | None = None
    """What the class must have: value 0. 1 nine: 36.5 days a year open; 2 nines: 3.65 days."""
    plenty: Nine | None = None
    """What would be plenty: value 0.95."""

    @model_validator(mode="after")
    def _in_order(self) -> Nines:
        if self.must is not None and self.plenty is not None and self.must >= self.plenty:
            how = "equal" if self.must == self.plenty else "reversed"
            raise ValueError(
                f"the ends are {how}: must is {self.must:g} and plenty {self.plenty:g} nines; more nines are better, "
                "so plenty has to be the larger"
            )
        return self


class ClassNines(Nines):
    """Ends of isolation for a tenant class, and how much the class counts."""

    planes: dict[Plane, Nines] = Field(default_factory=dict)
    """Ends for single planes; the class's own where not stated."""
    stake: Annotated[Finite, Field(ge=0, le=1_000_000)] | None = None
    """How much one tenant of the class counts beside one of another; default by data sensitivity and tier."""


class Scales(Model):
    """Ends of the scales that figures are valued on; derived from the scenario where not stated."""

    cost: Ends | None = None
    """Cost per month, in the scenario's currency."""
    effort: Ends | None = None
    """Implementation effort, person-days."""
    operations: Ends | None = None
    """Toil, hours per month."""
    isolation: dict[Slug, ClassNines] = Field(default_factory=dict)
    """Isolation per tenant class."""
    added: dict[CriterionId, Pair] = Field(default_factory=dict)
    """Criteria registered beside the four, by id."""


def _flow(value: Any) -> Any:
    if isinstance(value, dict):
        return value  # rates per class, told one by one
    parse_rate(value, of="nine", flows=True)
    return value


def _once(of: str) -> Any:
    def checked(value: Any) -> Any:
        parse_rate(value, of=of, flows=False)
        return value

    return checked


PerNine = Annotated[str, BeforeValidator(_flow)]
"""Money per month and nine, such as ``21000 USD/month per nine``."""


class Worth(Model):
    """Exchange rates instead of weights: what things are worth in money, beyond wages, which the bill holds already."""

    isolation: PerNine | dict[Slug, PerNine] | None = None
    """What one nine more on every plane is worth a month: for all tenants together, or per class."""
    person_day: Annotated[str, BeforeValidator(_once("person-day"))] | None = None
    """What a person-day of implementation saved is worth, once, such as ``640 USD``; an hour of toil is worth an eighth
    of it unless ``hour`` says otherwise."""
    hour: Annotated[str, BeforeValidator(_once("hour"))] | None = None
    """What an hour of toil saved is worth, such as ``80 USD``."""


__all__ = ["ClassNines", "Ends", "Nines", "Pair", "Plane", "Scales", "Worth"]
