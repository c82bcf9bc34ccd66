"""Runs at a glance: what their folders say without torch."""

import json
from pathlib import Path

from pellucid import limits
from pellucid.errors import PellucidError
from pellucid.ledger import checksums
from pellucid.metrics import Estimate
from pellucid.train import Epoch

MENDING = "the 'pellucid train' command that made it mends it"


def headlines(folder: Path) -> dict[str, str]:
    """A line for each run that lies in a folder, even if it is damaged, by the run's name."""
    return {path.parent.name: headline(path.parent) for path in sorted(folder.glob("*/spec.toml"))}


def headline(run: Path) -> str:
    """A run in one line, even if it is damaged."""
    try:
        epochs = epochs_in(run)
        if (run / "result.json").exists():
            return f"complete, test accuracy {accuracy_in(run)}"
    except PellucidError as error:
        return str(error)
    return f"stopped after epoch {len(epochs)}" if epochs else "begun"


def epochs_in(run: Path) -> list[Epoch]:
    """The epochs that a run is trained so far."""
    path = run / "epochs.jsonl"
    if not path.exists():
        return []
    with checksums.reading(path, MENDING):
        lines = checksums.read(path, MENDING, most=limits.JSON).decode().splitlines()
        epochs = [Epoch.from_record(json.loads(line)) for line in lines]
        _ = [str(epoch) for epoch in epochs]  # one that cannot be told holds something else than numbers
        return epochs


def accuracy_in(run: Path) -> Estimate:
    """What the network of a complete run scored on the test images."""
    path = run / "result.json"
    with checksums.reading(path, MENDING):
        return Estimate.from_record(checksums.read_json(path, MENDING)["test"])
