"""Writing the MNIST tables: figures as JSON, means and intervals as Markdown."""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy.stats import t as student

RESULTS = Path(__file__).parent.parent / "docs" / "results"
COLUMNS = {
    "clean": "clean",
    **{name: name for name in ("L2 1.5", "L2 2.5", "L2 3.5", "Linf .1", "Linf .2", "Linf .25", "Linf .3")},
    "AutoAttack": "AutoAttack",
    "attack area": "attack ARA",
    "chance area": "BTR ARA",
    "gradient": "gradient",
    "cosine": "cosine",
}


def render(name: str, scale: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what is known: every seed's figures, and the table between the marks of the page where there is one.

    What was written before and is not known here, as on another machine, is kept.
    """
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"mnist-{name}.json"
    before = json.loads(file.read_text())["methods"] if file.exists() else {}
    rows = {row: before.get(row, {}) | dict(seeds) for row, seeds in known.items()}
    file.write_text(json.dumps({"scale": dict(scale), "methods": rows}, indent=1) + "\n")
    table = tabulated(rows)
    page = RESULTS / f"mnist-{name}.md"
    if page.exists():
        before, _, rest = page.read_text().partition("<!-- table -->\n")
        _, _, after = rest.partition("<!-- end of table -->\n")
        page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->\n{after}")
    else:
        print(table)


def tabulated(known: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures that every network has: a row for each method that was measured."""
    seeds = {row: list(found.values()) for row, found in known.items() if found}
    columns = [
        column for column in COLUMNS if all(column in figures for found in seeds.values() for figures in found)
    ]
    head = f"| method | seeds | {' | '.join(COLUMNS[column] for column in columns)} |\n|{'---|' * (len(columns) + 2)}"
    return "\n".join([head, *(_row(row, found, columns) for row, found in seeds.items())])


def _row(name: str, seeds: list[Mapping[str, float]], columns: list[str]) -> str:
    cells = [_cell([seed[column] for seed in seeds], 4 if "area" in column else 3) for column in columns]
    return f"| {name} | {len(seeds)} | {' | '.join(cells)} |"


def _cell(values: list[float], digits: int) -> str:
    return f"{statistics.mean(values):.{digits}f}{interval(values, digits)}"


def interval(values: list[float], digits: int) -> str:
    """The half-width of a 95 % t-interval of the mean, as " ± 0.01"; nothing for a single value."""
    if len(values) < 2:
        return ""
    half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / len(values) ** 0.5
    return f" ± {half:.{digits}f}"
