"""The workshop: exercises that check themselves, hints, and everybody's design on one chart."""

from __future__ import annotations

from tenancykit.studio.workshop.exercises import check, exercises, hint, task
from tenancykit.studio.workshop.group import Group, Submission, group, heard, submit
from tenancykit.studio.workshop.quotas import jobs
from tenancykit.studio.workshop.verdict import Exercise, Verdict

__all__ = [
    "Exercise",
    "Group",
    "Submission",
    "Verdict",
    "check",
    "exercises",
    "group",
    "heard",
    "hint",
    "jobs",
    "submit",
    "task",
]
