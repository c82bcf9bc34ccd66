"""Nearest failures: the searches of an audit against one of ten times the steps, and against published searches.

What is compared is counted, not timed: gradient evaluations per image, and distances image by image.
"""

from typing import Any

import torch

from benchmarks.networks import nursery
from benchmarks.timing import record
from pellucid import metrics
from pellucid.attacks import FMN, Attack, BelowChance, Goal, Misclassified, Nearest
from pellucid.audits.searches import nearest
from pellucid.norms import RMS

GOALS: dict[str, Goal] = {"attack": Misclassified(), "below chance": BelowChance()}
LONG = "ten times standard"


def run(rounds: int, kind: str, images: int, name: str) -> None:
    """Areas, medians and gradient evaluations; `rounds` is of no use, since nothing is timed."""
    results: dict[str, Any] = {}
    for subject, (model, x, y) in nursery(images, kind).items():
        for label, goal in GOALS.items():
            attacks: dict[str, Attack] = {
                "quick": nearest(goal, 40),
                "standard": nearest(goal, 50),
                LONG: nearest(goal, 500),
                "FMN, first step of 2, 30": FMN(steps=30, step=2.0, published=True, norm=RMS(), goal=goal),
                "published walk, clipped": Nearest(goal=goal),
            }
            rows: dict[str, Any] = {}
            results[f"{subject}, {label}"] = rows
            for attack, search in attacks.items():
                found = search(model, x, y)
                distance = found.distance.where(found.reached, torch.inf)
                tried = ~found.reached_at_start
                rows[attack] = {
                    "area": metrics.area(distance, classes=10).value,
                    "median": float(distance[tried].median()),
                    "gradients": float(found.backwards[tried].double().mean()),
                    "unreached": int((~found.reached).sum()),
                    "distances": distance.tolist(),
                }
                record(name, {"images": images, "subjects": results})
            for attack, row in rows.items():
                print(
                    f"{subject}, {label}: {attack:24} area {row['area']:.5f} "
                    f"({row['area'] / rows[LONG]['area']:.3f})  median {row['median']:.5f}  "
                    f"gradients {row['gradients']:.0f}  unreached {row['unreached']}",
                    flush=True,
                )
