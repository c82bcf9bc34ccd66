"""`python -m benchmarks [NAME...] [--rounds N]`: time everything, print ratios, write `benchmarks/results/`."""

import argparse
from collections.abc import Callable
from functools import partial

import torch

from benchmarks import (
    alternatives,
    areas,
    attacks,
    ensembles,
    explainers,
    faithfulness,
    lime_masks,
    normlime,
    objectives,
    precision,
    references,
    retraining,
    scaling,
    second_order,
    stability,
    training_step,
)

BENCHMARKS: dict[str, tuple[Callable[[int], None], int]] = {
    "training-step-simple-cnn": (partial(training_step.run, name="simple-cnn"), 100),
    "training-step-resnet18": (partial(training_step.run, name="resnet18"), 8),
    "second-order-simple-cnn": (partial(second_order.run, name="simple-cnn"), 60),
    "second-order-resnet18": (partial(second_order.run, name="resnet18"), 8),
    "objectives": (objectives.run, 20),
    "alternatives": (alternatives.run, 20),
    "alternatives-compiled": (alternatives.run_compiled, 10),
    "attacks-pgd": (attacks.pgd, 3),
    "attacks-curve": (attacks.curve, 1),
    "auto-attack": (ensembles.run, 1),
    "auto-attack-cifar": (partial(ensembles.run, images=8, kind="resnet44", name="auto-attack-cifar"), 1),
    "areas-digits": (partial(areas.run, kind="digits", images=100, name="areas-digits"), 1),
    "areas-mnist": (partial(areas.run, kind="mnist", images=16, name="areas-mnist"), 1),
    "areas-cifar": (partial(areas.run, kind="cifar", images=12, name="areas-cifar"), 1),
    "precision": (precision.run, 1),
    "references": (references.run, 5),
    "retraining": (retraining.run, 3),
    "normlime": (normlime.run, 3),
    "normlime-rankings": (normlime.rankings, 5),
    "explainers-simple-cnn": (partial(explainers.run, name="simple-cnn"), 8),
    "explainers-resnet18": (partial(explainers.run, name="resnet18"), 3),
    "faithfulness-simple-cnn": (faithfulness.run, 3),
    "faithfulness-lenet": (partial(faithfulness.run, name="lenet"), 7),
    "stability-simple-cnn": (partial(stability.run, name="simple-cnn"), 8),
    "stability-resnet18": (partial(stability.run, name="resnet18"), 3),
    "lime": (lime_masks.run, 3),
    "lime-free": (lime_masks.run_free, 3),
    "scaling": (scaling.run, 3),
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, help="how often each is timed")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    for name in arguments.names or BENCHMARKS:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark '{name}' (there are: {', '.join(BENCHMARKS)})")
        run, rounds = BENCHMARKS[name]
        run(arguments.rounds or rounds)


if __name__ == "__main__":
    main()
