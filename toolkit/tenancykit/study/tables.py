"""A study's figures as pandas tables: stable column names, units in ``attrs["units"]``, a row a design or a figure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from tenancykit.criterion_names import CRITERIA
from tenancykit.study.evaluation import Evaluation

if TYPE_CHECKING:
    import pandas as pd


def designs(
    evaluations: Sequence[Evaluation],
    standing: Mapping[str, tuple[int, float]],
    values: Mapping[tuple[str, str], float],
    front: Collection[str],
) -> pd.DataFrame:
    """Return a row a design.

    Columns: ``name``, ``rank`` (missing where not admitted), ``value`` (0 to 1), ``level``; per criterion its figure,
    ``<criterion>_low`` and ``<criterion>_high`` (P10 and P90) and ``<criterion>_value`` (0 to 1); ``on_front``.

    Args:
        evaluations: the designs, in the order of the rows.
        standing: rank and value of those admitted, by id.
        values: value of a design on a criterion, 0 to 1.
        front: ids on the Pareto front.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import, and no command needs it

    rows = []
    for evaluation in evaluations:
        rank, value = standing.get(evaluation.id, (None, None))
        row: dict[str, object] = {"design": evaluation.id, "name": evaluation.name, "rank": rank, "value": value}
        row["level"] = evaluation.scores["isolation"].figures["level"]
        for name in CRITERIA:
            score = evaluation.scores[name]
            row |= {name: score.value, f"{name}_low": score.low, f"{name}_high": score.high}
            row[f"{name}_value"] = values[evaluation.id, name]
        row["on_front"] = evaluation.id in front
        rows.append(row)
    table = pd.DataFrame(rows).set_index("design").astype({"rank": "Int64", "value": "float64"})
    first = evaluations[0]
    units = {"value": "0 to 1"}
    for name in CRITERIA:
        units |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), first.scores[name].unit)
        units[f"{name}_value"] = "0 to 1"
    table.attrs["units"] = units
    return table


def bill(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return a row a design and a column a category of its cost, and ``total``; money per month."""
    import pandas as pd  # noqa: PLC0415 - as above

    rows = {e.id: dict(e.scores["cost"].figures["per_month"]) for e in evaluations}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("design")
    table["total"] = table.sum(axis=1)
    unit = f"{evaluations[0].scenario.infrastructure.currency} per month"
    table.attrs["units"] = dict.fromkeys(map(str, table.columns), unit)
    return table


def toil(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return a row a design and a column a kind of toil, and ``total``; hours per month (P50)."""
    import pandas as pd  # noqa: PLC0415 - as above

    rows = {e.id: dict(e.scores["operations"].figures["toil_by_kind"]) for e in evaluations}
    table = pd.DataFrame.from_dict(rows, orient="index").fillna(0.0).rename_axis("design")
    table = table[sorted(table.columns)]
    table["total"] = table.sum(axis=1)
    table.attrs["units"] = dict.fromkeys(map(str, table.columns), "hours per month")
    return table


def exposure(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return a row a design, class and plane: open days a year with P10 and P90, nines, share that is assumed.

    Columns: ``design``, ``class``, ``plane``, ``days``, ``low``, ``high``, ``nines``, ``assumption_share``.
    """
    import pandas as pd  # noqa: PLC0415 - as above

    rows = [
        {
            "design": evaluation.id,
            "class": one.class_id,
            "plane": one.plane,
            "days": one.days,
            "low": one.low,
            "high": one.high,
            "nines": one.nines,
            "assumption_share": one.assumption_share,
        }
        for evaluation in evaluations
        for one in evaluation.scores["isolation"].detail.exposure
    ]
    table = pd.DataFrame(rows)
    days = dict.fromkeys(("days", "low", "high"), "open days a year")
    table.attrs["units"] = {**days, "nines": "nines", "assumption_share": "0 to 1"}
    return table
