"""Pod Security answers per enforced level, ephemeral containers included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubeanswers.pod_security import CONTROLS, LEVELS, Violation, violations
from tests.oracle.comparison import Comparison

_TITLES = frozenset(control.title for control in CONTROLS)


def compare_pod_security(data: Mapping[str, Any], folder: Path) -> Comparison:  # noqa: ARG001 - one signature for all
    result = Comparison(data["set"])
    for case in data["cases"]:
        for level in LEVELS:
            answer = case[level]
            if answer["code"] not in (200, 201, 403):
                result.unanswerable += 1  # the pod is invalid in itself; Pod Security gave no answer
                continue
            found = _asked(case, level, answer)
            expected = (answer["code"] != 403, _titles(answer.get("message", "")))
            answered = (not found, sorted({item.title for item in found}))
            result.add(case["id"], level, expected, answered, "; ".join(map(str, found)))
    return result


def _asked(case: Mapping[str, Any], level: str, answer: Mapping[str, Any]) -> list[Violation]:
    """Answer the request that was answered: the create, or the ephemeral containers added after it."""
    spec, metadata = case["pod"]["spec"], case["pod"].get("metadata")
    found = violations(spec, level, metadata)
    if found or not case.get("ephemeralContainers") or answer.get("at") == "create":
        return found
    return violations({**spec, "ephemeralContainers": case["ephemeralContainers"]}, level, metadata)


def _titles(message: str) -> list[str]:
    _, _, text = message.partition(':latest": ')
    return sorted(title for title in _TITLES if re.search(rf"(?:^|, ){re.escape(title)}s? \(", text))
