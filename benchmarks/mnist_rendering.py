"""Writing the MNIST tables: figures as JSON, means and intervals as Markdown."""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
# Student's t at 97.5 %, by degrees of freedom
_STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def render(name: str, scale: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what is known: every seed's figures, and the table between the marks of the page where there is one."""
    RESULTS.mkdir(exist_ok=True)
    content = {"scale": dict(scale), "methods": {row: dict(seeds) for row, seeds in known.items()}}
    (RESULTS / f"mnist-{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    rows = [_row(row, list(seeds.values())) for row, seeds in known.items() if seeds]
    head = f"| method | seeds | {' | '.join(COLUMNS.values())} |\n|{'---|' * (len(COLUMNS) + 2)}"
    table = "\n".join([head, *rows])
    page = RESULTS / f"mnist-{name}.md"
    if page.exists():
        before, _, rest = page.read_text().partition("<!-- table -->\n")
        _, _, after = rest.partition("<!-- end of table -->\n")
        page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->\n{after}")
    else:
        print(table)


def _row(name: str, seeds: list[Mapping[str, float]]) -> str:
    cells = [_cell([seed[column] for seed in seeds], 4 if "area" in column else 3) for column in COLUMNS]
    return f"| {name} | {len(seeds)} | {' | '.join(cells)} |"


def _cell(values: list[float], digits: int) -> str:
    return f"{statistics.mean(values):.{digits}f}{interval(values, digits)}"


def interval(values: list[float], digits: int) -> str:
    """The half-width of a 95 % t-interval of the mean, as " ± 0.01"; nothing for a single value."""
    if len(values) < 2:
        return ""
    half = _STUDENT[min(len(values) - 1, 9)] * statistics.stdev(values) / len(values) ** 0.5
    return f" ± {half:.{digits}f}"
