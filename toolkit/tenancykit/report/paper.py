"""What people add to a decision record: who wrote it, when, where it stands, who signs, who owns which risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from kubeanswers.errors import Fault, InputError
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
        raise InputError(
            [Fault(f"paper: {'.'.join(map(str, e['loc']))}", e["msg"]) for e in error.errors(include_url=False)]
        ) from None
