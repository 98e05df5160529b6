"""Examples compared once for every test that only reads them: measuring is most of what a test run takes."""

from __future__ import annotations

from functools import cache

import tenancykit as tk

EXAMPLES = ("ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid")
REFERENCES = [f"RA{n:02d}" for n in range(1, 17)]


@cache
def study(example: str, *variants: str) -> tk.Study:
    """Return an example compared as users compare it, with variants beside the references."""
    return tk.compare(tk.load_scenario(example), designs=variants)


@cache
def published(example: str, *variants: str) -> tk.Study:
    """Return an example's references as their sources publish them, not completed, with variants beside them."""
    return tk.compare(tk.load_scenario(example), designs=variants, as_published=True)


def candidates(example: str) -> list[str]:
    """Return the designs a comparison holds: the references and, with several classes, the best composition."""
    return [*REFERENCES, *(["HY1"] if len(tk.load_scenario(example).tenants.classes) > 1 else [])]
