"""Moving a weight in the studio: time until ranking, reasons and chart are redrawn, for a scenario of 1,000 tenants."""

from __future__ import annotations

import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence

import tenancykit as tk
from harness import line, report
from tenancykit.criterion_names import CRITERIA
from tenancykit.studio import Studio

MOVES = 200
TENANTS = 1_000
_TABS = ("Ranking", "Sensitivity", "Compare")


def thousand_tenants() -> tk.Scenario:
    """Return the inference scenario with 1,000 tenants, limits on people and time lifted so that most are ranked."""
    scenario = tk.load_scenario("saas-inference")
    counts = {"basic": 800, "premium": 150, "regulated": 50}
    classes = tuple(c.model_copy(update={"count": counts[c.id]}) for c in scenario.tenants.classes)
    limits = scenario.requirements.model_copy(update={"go_live_weeks": None, "platform_engineers": None})
    tenants = scenario.tenants.model_copy(update={"classes": classes})
    return scenario.model_copy(update={"tenants": tenants, "requirements": limits})


def moved(act: Callable[[str, float], None]) -> tuple[list[float], list[float]]:
    """Return the seconds each of 200 seeded moves takes, and the CPU seconds."""
    chance = random.Random(7)  # noqa: S311 - moves of a slider, not a secret
    act("cost", 0.5)
    times, cpu = [], []
    gc.collect()
    for _ in range(MOVES):
        name, value = chance.choice(CRITERIA), round(0.05 + 0.95 * chance.random(), 2)
        start, spent = time.perf_counter(), time.process_time()
        act(name, value)
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - spent)
    return times, cpu


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return statistics.quantiles(times, n=20)[-1] * 1000


def moves() -> list[dict[str, object]]:
    """Return p95 per tab; the baseline measures every design again at each move."""
    scenario = thousand_tenants()
    start = time.perf_counter()
    study = tk.compare(scenario)
    naive = (time.perf_counter() - start) * 1000
    lines = []
    for tab in _TABS:
        studio = Studio(study)
        studio.go(tab)
        times, cpu = moved(_mover(studio))
        found = p95(times)
        lines.append(
            line(
                f"studio: move a weight, {tab.lower()} shown, p95",
                found,
                "ms",
                n=TENANTS,
                ratio_to={"measuring every design again": round(naive / found, 1)},
                median=round(statistics.median(times) * 1000, 3),
                cpu_p95=round(p95(cpu), 3),
                moves=MOVES,
                ranked=len(study.ranking.labels) if study.ranking is not None else 0,
                peak_memory_mib=_peak(studio),
            )
        )
    return lines


def _mover(studio: Studio) -> Callable[[str, float], None]:
    def act(name: str, value: float) -> None:
        studio.do(lambda: studio.session.weigh(**{name: value}))

    return act


def _peak(studio: Studio) -> float:
    tracemalloc.start()
    studio.do(lambda: studio.session.weigh(isolation=0.33))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1024 / 1024, 2)


if __name__ == "__main__":
    report("Moving a weight in the studio.", [moves])
