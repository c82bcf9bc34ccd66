"""What a person sees of a study."""

import math

from rich.table import Table

from pellucid.cli.screens.screen import Screen
from pellucid.metrics import Estimate
from pellucid.printable import printable
from pellucid.studies import Place, Result


def report(screen: Screen, result: Result) -> None:
    """The claims with their outcomes, the figures of each row, and where all of it lies."""
    table = Table("claim", "outcome", "seeds", "difference", title="claims")
    for one in result.told:
        table.add_row(one.claim.says, one.outcome, str(one.n), _shown(one.difference))
    screen.out.print(table)
    letters = {
        row.name: f"{chr(65 + number % 26)}{number // 26 or ''}" for number, row in enumerate(result.study.rows)
    }
    table = Table("means over seeds", *letters.values())
    for figure in result.figures:
        table.add_row(figure, *(_shown(result.over_seeds(Place(row, figure))) for row in letters))
    screen.out.print(table)
    for row, letter in letters.items():
        screen.out.print(printable(f"{letter}  {row}"))
    for line in result.failures:
        screen.out.print(printable(f"failed: {line}"))
    screen.out.print(printable(f"page: {result.path / 'report.html'}"))


def _shown(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    half = (estimate.high - estimate.low) / 2
    return f"{estimate.value:.3f}" + (f" ± {half:.3f}" if math.isfinite(half) else "")
