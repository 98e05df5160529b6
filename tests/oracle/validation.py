"""Strict validation answers: is the object accepted or refused, as ``manifests.validation.schema`` says?"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubeanswers.errors import InputError
from kubeanswers.validation.decoding import read_json
from tests.oracle.comparison import Comparison

Validate = Callable[..., list[str]]

_POSTED_TO = {"namespace": "Namespace"}
"""Kind of the URL a case was posted to, by the first part of its id; the API server fills a missing kind from it."""


def compare_validation(data: Mapping[str, Any], folder: Path) -> Comparison:  # noqa: ARG001 - one signature for all
    validate: Validate = importlib.import_module("kubeanswers.validation.schema").validate_object
    result = Comparison(data["set"])
    for case in data["cases"]:
        problems = _problems(validate, case)
        accepted = case["code"] in (200, 201)
        why = f"{'; '.join(problems)} / recorded {case['code']}: {case.get('message', '')}"
        result.add(case["id"], case.get("op", "raw"), accepted, not problems, why)
    return result


def _problems(validate: Validate, case: Mapping[str, Any]) -> list[str]:
    if "raw" in case:  # posted as JSON, whatever it is
        try:
            document = read_json(case["raw"])
        except InputError as error:
            return [str(fault) for fault in error.faults]
        return validate(document)
    if case.get("op") == "update" and "old" in inspect.signature(validate).parameters:
        return validate(case["object"], old=case["old"])
    return validate(case["object"], kind_hint=_POSTED_TO.get(case["id"].partition("/")[0], ""))
