"""`pellucid list`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.errors import UnknownName, suggestion
from pellucid.registry import Registry

REGISTRIES = {
    "recipes": "pellucid.train:RECIPES",
    "models": "pellucid.models:MODELS",
    "data": "pellucid.data:DATA",
    "terms": "pellucid.objectives:TERMS",
    "weights": "pellucid.objectives:WEIGHTS",
    "neighbors": "pellucid.objectives:NEIGHBORS",
    "training-presets": "pellucid.train:PRESETS",
    "optimizers": "pellucid.train:OPTIMIZERS",
    "schedules": "pellucid.train:SCHEDULES",
    "augmentations": "pellucid.data:AUGMENTATIONS",
    "activations": "pellucid.models:ACTIVATIONS",
    "attacks": "pellucid.attacks:ATTACKS",
    "presets": "pellucid.attacks:PRESETS",
    "aims": "pellucid.attacks.explanations:AIMS",
    "explainers": "pellucid.explainers:EXPLAINERS",
    "metrics": "pellucid.evaluate.explanations:METRICS",
    "similarities": "pellucid.metrics.agreement:SIMILARITIES",
    "rankings": "pellucid.evaluate.retrain:RANKINGS",
    "segmentations": "pellucid.explainers.lime:SEGMENTATIONS",
    "composites": "pellucid.explainers.propagation:COMPOSITES",
    "references": "pellucid.train.references:REFERENCES",
    "class-similarities": "pellucid.metrics.neurons:CLASS_SIMILARITIES",
    "checks": "pellucid.evaluate:CHECKS",
    "goals": "pellucid.attacks:GOALS",
    "norms": "pellucid.norms:NORMS",
    "profiles": "pellucid.audits:PROFILES",
    "parts": "pellucid.audits:PARTS",
    "studies": "pellucid.studies:STUDIES",
    "columns": "pellucid.studies:COLUMNS",
}


@click.command("list")
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR")
@as_json
def list_command(kind: str | None, out: Path, as_json: bool) -> None:
    """List what there is: recipes, models, data, terms, ..., or the runs in DIR."""
    from pellucid.cli.screens import listed
    from pellucid.cli.screens.screen import Screen

    if kind is not None and kind not in (*REGISTRIES, "runs"):
        raise UnknownName(f"there is no list of '{kind}'{suggestion(kind, (*REGISTRIES, 'runs'))}")
    found: dict[str, Any] = {name: _entries(place) for name, place in REGISTRIES.items() if _asked(kind, name)}
    if kind in (None, "runs"):
        from pellucid import runs

        found["runs"] = runs.headlines(out)
    print_json(found) if as_json else listed.report(Screen(), found)


def _asked(kind: str | None, name: str) -> bool:
    """Whether a list is wanted; presets are those of attacks and of trainings."""
    return kind in (None, name) or (kind, name) == ("presets", "training-presets")


def _entries(place: str) -> dict[str, str]:
    import importlib

    module, _, name = place.partition(":")
    entries: Registry[Any] = getattr(importlib.import_module(module), name)
    return {entry: entries.summary_of(entry) for entry in entries}
