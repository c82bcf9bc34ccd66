"""`python -m benchmarks.studies FOLDER...`: write what `pellucid study` left in folders to `docs/results/`.

Each gets a page and, beside it, the JSON that the page is written from.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.timing import machine
from pellucid import studies

RESULTS = Path(__file__).parent.parent / "docs" / "results"
ORDER = ("holds", "does not hold", "cannot be told")
VERBS = (("holds", "hold"), ("does not", "do not"), ("cannot be told", "cannot be told"))


def page(content: Mapping[str, Any]) -> str:
    """The page of a study's results: claims first, then figures, then how they were found."""
    claims, seeds = content["claims"], content["seeds"]
    costs = any("cost" in row for row in content["rows"].values())
    told = [sum(claim["outcome"] == one for claim in claims) for one in ORDER]
    verbs = [one if count == 1 else several for count, (one, several) in zip(told, VERBS, strict=True)]
    counts = ", ".join(f"{count} {verb}" for count, verb in zip(told, verbs, strict=True))
    lines = [
        f"# {content['summary'].partition(':')[0]}",
        "",
        f"{content['summary'].partition(': ')[2].capitalize()} Of {len(claims)} claims {counts}.",
        "",
        "```text",
        content["command"],
        "```",
        "",
        f"Measured on {content['measured']} with torch {content['torch']} on a CPU, one thread; {len(seeds)} seeds. "
        "Differences are means over seeds with Student's 95 % interval, and more speaks for the claim. *p* tells how "
        f"often signs turned by chance give as large a one: {2 / 2 ** len(seeds):.3g} or more with {len(seeds)}. "
        f"Nothing is corrected for {len(claims)} claims. [How an outcome is told](../how-to/study.md) says more; all "
        f"seeds and settings are in [{content['name']}.json]({content['name']}.json).",
        "",
        "| claim | outcome | n | difference | p |",
        "|---|---|---|---|---|",
        *map(_claim, claims),
        "",
        *_figures(content),
        "",
        "## To know",
        "",
        *(f"- {remark}" for remark in content["remarks"]),
        *(["- *cost* are seconds for a thousand images beside other work, which says little."] if costs else []),
        *(f"- **{name}**: {about}." for name, about in content["networks"].items()),
        f"- {content['paper']}",
        "",
    ]
    return "\n".join(lines)


def _claim(claim: Mapping[str, Any]) -> str:
    found = claim["difference"]
    margin = f" (to exceed {claim['margin']:g})" if claim["margin"] else ""
    shown = "" if found is None else f"{_shown(found)}{margin}"
    p = "" if claim["p"] is None else f"{claim['p']:.3f}"
    comment = f" {claim['comment']}" if claim["outcome"] != "cannot be told" else ""
    return f"| {claim['says']} | **{claim['outcome']}**.{comment} | {claim['n']} | {shown} | {p} |"


def _figures(content: Mapping[str, Any]) -> list[str]:
    """Figures down, networks across where they are few; else the other way around."""
    rows = content["rows"]
    names = list(next(iter(rows.values())))
    if len(names) > len(rows):
        lines = [f"| figure | {' | '.join(rows)} |", "|---|" + "---|" * len(rows)]
        return lines + [f"| {name} | {' | '.join(_shown(row[name]) for row in rows.values())} |" for name in names]
    lines = [f"| network | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
    return lines + [f"| {row} | {' | '.join(_shown(own[name]) for name in names)} |" for row, own in rows.items()]


def _shown(estimate: Mapping[str, float] | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate['value']:.3f} ± {(estimate['high'] - estimate['low']) / 2:.3f}"


def publish(folder: Path) -> None:
    """Write one study's JSON and page."""
    found = json.loads((folder / "results.json").read_text())
    name = folder.name.rpartition("-")[0].rpartition("-")[0]
    study = studies.find(name)
    content = {
        "name": f"study-{name}",
        "summary": study.summary,
        "paper": study.paper,
        "remarks": list(study.remarks),
        "networks": {row.name: row.about for row in study.rows},
        "command": f"pellucid study {name} --scale {found['about']['scale']}",
        "measured": time.strftime("%Y-%m-%d"),
        "torch": machine()["torch"],
        **{part: found[part] for part in ("seeds", "claims", "rows", "about", "settings", "cells", "failures")},
    }
    (RESULTS / f"study-{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    (RESULTS / f"study-{name}.md").write_text(page(content))


if __name__ == "__main__":
    for place in sys.argv[1:]:
        publish(Path(place))
