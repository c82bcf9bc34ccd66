"""Nearest failures: the published walk of 450 steps against attacks that need fewer gradients.

What is compared is counted, not timed: gradient evaluations per image, and distances image by image.
"""

from typing import Any

import torch

from benchmarks.networks import subjects
from benchmarks.timing import record
from pellucid import metrics
from pellucid.attacks import DDN, FMN, BelowChance, Goal, Misclassified, Nearest, woods2019
from pellucid.norms import RMS

GOALS: dict[str, tuple[Goal, Nearest]] = {
    "attack": (Misclassified(), woods2019.ATTACK_AREA),
    "below chance": (BelowChance(), woods2019.BELOW_CHANCE_AREA),
}


def run(rounds: int, images: int = 8) -> None:
    """Medians, areas and gradient evaluations; `rounds` is of no use, since nothing is timed."""
    results: dict[str, Any] = {}
    for subject, (model, x, y, _) in {**subjects(64, "mnist"), **subjects(images, "resnet")}.items():
        for name, (goal, published) in GOALS.items():
            attacks = {
                "published": published,
                "published, clipped": Nearest(goal=goal),
                "fmn": FMN(norm=RMS(), goal=goal),
                "ddn": DDN(norm=RMS(), goal=goal),
            }
            rows = {}
            for label, attack in attacks.items():
                found = attack(model, x, y)
                distance = found.distance.where(found.reached, torch.inf)
                tried = ~found.settled
                rows[label] = {
                    "area": metrics.area(distance, classes=10).value,
                    "median": float(distance[tried].median()),
                    "gradients": float(found.backwards[tried].double().mean()),
                    "unreached": int((~found.reached).sum()),
                    "distances": distance.tolist(),
                }
            results[f"{subject}, {name}"] = rows
            for label, row in rows.items():
                print(
                    f"{subject}, {name}: {label:18} area {row['area']:.5f}  median {row['median']:.5f}  "
                    f"gradients {row['gradients']:.0f}  unreached {row['unreached']}",
                    flush=True,
                )
    record("areas", {"subjects": results})
