"""What people add to a decision record: who wrote it, when, where it stands, who signs, who owns which risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from kubeanswers.errors import Fault, InputError, did_you_mean
from tenancykit.scenario.fields import Line, Model

Status = Literal["draft", "proposed", "accepted", "rejected", "superseded"]
RiskKind = Literal["security", "schedule", "budget", "operations", "decision"]

ROLES: Final[Mapping[RiskKind, str]] = {
    "security": "security lead",
    "schedule": "project lead",
    "budget": "budget holder",
    "operations": "platform lead",
    "decision": "architect",
}
"""Roles proposed as owners of risks, by what a risk is about."""


class Paper(Model):
    """What stands on a decision record beside what was worked out; none of it changes the decision's number."""

    author: Line = ""
    """Who wrote it; a blank to fill in unless given."""
    date: dt.date | None = None
    """Day it was written; a blank to fill in unless given, so that the same inputs give the same bytes."""
    status: Status = "proposed"
    """Where the decision stands."""
    before: Line = ""
    """Id of the compared design that stands today; nothing is said of today unless given."""
    sign_off: tuple[Line, ...] = Field(default=(), max_length=20)
    """Who signs; the scenario's stakeholders unless given."""
    owners: dict[RiskKind, Line] = Field(default_factory=dict)
    """Owners of risks by what they are about; roles are proposed for the others."""

    def owner(self, kind: RiskKind) -> str:
        """Return who owns a risk, or the role that is proposed."""
        return self.owners.get(kind) or f"{ROLES[kind]} (proposed)"


def paper_of(data: Mapping[str, Any]) -> Paper:
    """Return a paper from plain data.

    Raises:
        InputError: every fault of it at once.
    """
    try:
        return Paper.model_validate(data)
    except ValidationError as error:
        raise InputError([_fault(e) for e in error.errors(include_url=False)]) from None


_EXPECTED: Final[Mapping[str, str]] = {
    "status": ", ".join(get_args(Status)),
    "date": "a day as YYYY-MM-DD",
    "owners": f"owners of {', '.join(ROLES)}",
}
"""What a field takes, where the check's own words would not help."""


def _fault(error: ErrorDetails) -> Fault:
    field, given = str(error["loc"][0]), error["input"]
    where = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if field not in Paper.model_fields:
        known = Paper.model_fields
        return Fault(f"paper: {where}", "is unknown", ", ".join(known), did_you_mean(field, known))
    if field not in _EXPECTED:
        return Fault(f"paper: {where}", error["msg"].removeprefix("Value error, "))
    return Fault(f"paper: {where}", f"cannot be {given!r}", _EXPECTED[field])
