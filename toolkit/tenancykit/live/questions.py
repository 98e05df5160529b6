"""A question an API server can answer about a tenant, what the export claims, and what the server said."""

from __future__ import annotations

from typing import Literal

from kubeanswers.records import dataclass

State = Literal["allowed", "denied", "undecided"]
Verdict = Literal["as claimed", "open", "lacking", "undecided"]
About = Literal["access", "pods", "services", "bounds", "objects", "additions", "beside"]
"""What is asked about: rights (SubjectAccessReview), pods and Services that must be refused, what exceeds a quota or
limit (creations as dry run), objects of the export (a dry run that would change nothing), what others added to them,
and what lives beside them (our own evaluators over the live objects)."""


@dataclass(frozen=True)
class Reply:
    """One question with the export's claim and the server's answer.

    Attributes:
        about: what it is about.
        cluster: cluster asked.
        tenant: tenant it concerns; empty for the platform's own objects.
        question: the question in words.
        crossing: id of the crossing that is open if the server allows what the export denies; may be empty.
        claimed: what the export means, by its own audit.
        observed: what the server said.
        why: the server's reason; for an undecided answer what kept it from being one.
    """

    about: About
    cluster: str
    tenant: str
    question: str
    crossing: str
    claimed: State
    observed: State
    why: str = ""

    @property
    def verdict(self) -> Verdict:
        """As claimed; open or lacking where the server allows more or less than claimed; undecided without an answer.

        What the export leaves undecided, for it depends on what is not evaluated offline, the server settles: only
        what opens a crossing then counts against it.
        """
        if self.observed == "undecided":
            return "undecided"
        if self.observed == self.claimed:
            return "as claimed"
        if self.claimed == "undecided":
            return "open" if self.observed == "allowed" and self.crossing else "as claimed"
        return "open" if self.observed == "allowed" else "lacking"
