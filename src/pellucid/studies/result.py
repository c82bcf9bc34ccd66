"""What a study came to: figures over seeds, and what they say of each claim."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pellucid import files, plain
from pellucid.ledger import checksums
from pellucid.metrics.estimates import Estimate
from pellucid.studies.cell import Measured
from pellucid.studies.claim import Place, Told, told
from pellucid.studies.study import Study


@dataclass(frozen=True, eq=False)
class Result:
    """The cells of a study that there are, and what follows from them.

    `about` is what figures depend on, `seeds` are those that were asked for, `settings` those of each row with its
    first seed, and `command` is what was typed.
    """

    study: Study
    cells: Sequence[Measured]
    about: Mapping[str, Any]
    path: Path
    seeds: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    command: str = ""

    @cached_property
    def values(self) -> dict[int, dict[Place, float]]:
        """Every finite figure, by seed and place."""
        found: dict[int, dict[Place, float]] = defaultdict(dict)
        for cell in self.cells:
            for figure, estimate in cell.figures.items():
                if math.isfinite(estimate.value):
                    found[cell.seed][Place(cell.row, figure)] = estimate.value
        return dict(found)

    @property
    def figures(self) -> list[str]:
        """The names of all figures, in the order of the columns."""
        there = dict.fromkeys(name for cell in self.cells for name in (*cell.figures, *cell.missing))
        order = {name: number for number, name in enumerate(self.study.columns)}
        return sorted(there, key=lambda name: order[name.partition("/")[0]])

    def over_seeds(self, place: Place) -> Estimate | None:
        """The mean over seeds of a figure, with Student's interval; none where there is no such figure."""
        import torch

        from pellucid.metrics.student import over_repeats

        values = [own[place] for own in self.values.values() if place in own]
        return over_repeats(torch.tensor(values).double()) if values else None

    @cached_property
    def told(self) -> list[Told]:
        """What the figures say of each claim."""
        return [told(claim, self.values) for claim in self.study.claims]

    @property
    def failures(self) -> list[str]:
        """What could not be trained or measured, a line each."""
        lines = [f"{cell.row}, seed {cell.seed}: {cell.failure}" for cell in self.cells if cell.failure]
        for cell in self.cells:
            lines += [f"{cell.row}, seed {cell.seed}, {name}: {why}" for name, why in cell.missing.items()]
        return lines

    @property
    def lacking(self) -> int:
        """How many cells have not been made."""
        return len(self.study.rows) * len(self.seeds) - len([cell for cell in self.cells if not cell.failure])

    def summary(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "path": str(self.path),
            "command": self.command,
            "about": dict(self.about),
            "seeds": list(self.seeds),
            "settings": dict(self.settings),
            "claims": [
                {
                    "says": one.claim.says,
                    "source": one.claim.source,
                    "outcome": one.outcome,
                    "n": one.n,
                    "difference": plain.dump(one.difference),
                    "margin": one.claim.margin,
                    "direction": one.claim.direction,
                    "p": one.p,
                    "comment": one.comment,
                    "first": [str(place) for place in one.claim.first],
                    "second": [str(place) for place in one.claim.second] or one.claim.than,
                    "pairs": plain.dump(one.pairs),
                }
                for one in self.told
            ],
            "rows": {
                row.name: {figure: plain.dump(self.over_seeds(Place(row.name, figure))) for figure in self.figures}
                for row in self.study.rows
            },
            "cells": [plain.dump(cell) for cell in self.cells],
            "failures": self.failures,
        }

    def write(self) -> None:
        """Write the results as JSON, the figures as CSV, and tables as Markdown."""
        with files.locked(self.path, wait=True):
            checksums.write(self.path / "results.json", files.json_text(self.summary()) + "\n")
            files.write_text(self.path / "figures.csv", self.csv())
            files.write_text(self.path / "tables.md", self.markdown())

    def csv(self) -> str:
        """A line for each figure of each network."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("row", "seed", "figure", "value", "low", "high", "n", "missing"))
        for cell in self.cells:
            for name, one in cell.figures.items():
                writer.writerow(
                    (cell.row, cell.seed, name, repr(one.value), repr(one.low), repr(one.high), one.n, "")
                )
            for name, why in cell.missing.items():
                writer.writerow((cell.row, cell.seed, name, "", "", "", "", why))
            if cell.failure:
                writer.writerow((cell.row, cell.seed, "", "", "", "", "", cell.failure))
        return text.getvalue()

    def markdown(self) -> str:
        """Claims with their outcomes, and the figures of rows over seeds."""
        lines = ["| claim | outcome | seeds | difference | p |", "|---|---|---|---|---|"]
        for one in self.told:
            p = "" if one.p is None else f"{one.p:.3f}"
            lines.append(f"| {_cell(one.claim.says)} | {one.outcome} | {one.n} | {_shown(one.difference)} | {p} |")
        lines += ["", f"| row | seeds | {' | '.join(map(_cell, self.figures))} |"]
        lines.append("|---|---|" + "---|" * len(self.figures))
        for row in self.study.rows:
            found = [self.over_seeds(Place(row.name, figure)) for figure in self.figures]
            seeds = len([cell for cell in self.cells if cell.row == row.name and not cell.failure])
            lines.append(f"| {_cell(row.name)} | {seeds} | {' | '.join(map(_shown, found))} |")
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _shown(estimate: Estimate | None) -> str:
    """A mean over seeds with half the width of its interval, where there are two or more."""
    if estimate is None:
        return ""
    digits = max(3, min(6, estimate.decimals))
    half = (estimate.high - estimate.low) / 2
    return f"{estimate.value:.{digits}f}" + (f" ± {half:.{digits}f}" if math.isfinite(half) else "")
