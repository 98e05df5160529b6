"""The first three lines of a comparison as HTML, what did not fit them folded below."""

from __future__ import annotations

import html

from tenancykit.report.opening import opening
from tenancykit.study.comparison import Study


def opening_html(study: Study) -> str:
    """Return the three lines as paragraphs and the details as a list that opens."""
    opened = opening(study)
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in opened.lines)
    if not opened.details:
        return lines
    listed = "".join(f"<li>{html.escape(text)}</li>" for text in opened.details)
    return f"{lines}<details><summary>In detail</summary><ul>{listed}</ul></details>"


__all__ = ["opening_html"]
