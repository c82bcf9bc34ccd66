"""An audit's figures as files for other programs and papers."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.audits import AuditFolder, Figure
from pellucid.files import json_text, write_text
from pellucid.printable import cell, printable

_COLUMNS = ("model", "part", "figure", "value", "low", "high", "n", "better", "note")


def tables(folder: AuditFolder) -> dict[str, Path]:
    """Write every figure as figures.json, figures.csv and figures.md in the audit's folder; where each lies."""
    figures = folder.figures()
    written = {
        "json": json_text(list(figures)) + "\n",
        "csv": _csv(figures),
        "md": _markdown(figures),
    }
    paths = {ending: folder.path / f"figures.{ending}" for ending in written}
    for ending, text in written.items():
        write_text(paths[ending], text)
    return paths


def _rows(figures: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for record in figures:
        estimate = record["estimate"] or {}
        numbers = [repr(estimate[name]) if name in estimate else "" for name in ("value", "low", "high", "n")]
        name = str(Figure.from_record(record))
        rows.append([record["model"], record["part"], name, *numbers, record["better"], record["note"]])
    return rows


def _csv(figures: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(cell, row) for row in _rows(figures))
    return buffer.getvalue()


def _markdown(figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| model | part | figure | value | 95 % interval | images | better |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for record in figures:
        estimate = record["estimate"]
        numbers = [f"no value: {_plain(record['note'])}", "", ""]
        if estimate:
            numbers = [
                f"{estimate['value']:.4g}",
                f"{estimate['low']:.4g} to {estimate['high']:.4g}",
                str(estimate["n"]),
            ]
        words = [record["model"], record["part"], str(Figure.from_record(record))]
        cells = [*map(_plain, words), *numbers, record["better"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text that Markdown and HTML take for text."""
    text = printable(text)
    for mark in "\\`*_{}[]<>#|&":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
