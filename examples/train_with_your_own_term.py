"""A loss term of your own, in one file, beside cross-entropy.

python examples/train_with_your_own_term.py            seconds
python examples/train_with_your_own_term.py --smoke    fewer

You know that the outermost pixels of a digit mean nothing. The term below makes decisions independent of them (after
Ross, Hughes and Doshi-Velez 2017): it reads a mask that comes with each image and shortens the gradient under it.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid import CrossEntropy, Estimate, Objective, Probe, Recipe, Term, accuracy, data, fit, models, processes
from pellucid.data import Split, sequential
from pellucid.probe import frozen


@dataclass(frozen=True)
class MaskedGradient(Term):
    """How much of each image's gradient lies under its mask."""

    column: str = "mask"

    def __call__(self, probe: Probe) -> Tensor:
        """The mean over images of the squared length under the mask."""
        masked = probe.gradient("label-logit") * probe.batch.column(self.column)
        return processes.mean(masked.square().flatten(1).sum(1))


def with_border(split: Split) -> Split:
    """The images with a mask that is 1 on their outermost pixels."""
    mask = torch.ones(len(split), *split.shape)
    mask[:, :, 1:-1, 1:-1] = 0
    return split.with_column("mask", mask)


def under_mask(model: torch.nn.Module, split: Split) -> Estimate:
    """The share of the gradient's squared length that lies under the mask."""
    shares: list[Tensor] = []
    with frozen(model):
        for batch in split.batches(sequential(split, 256)):
            square = Probe(model, batch, second_order=False).gradient("label-logit").square()
            shares.append((square * batch.column("mask")).flatten(1).sum(1) / square.flatten(1).sum(1))
    return Estimate.mean(torch.cat(shares))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train with and without a term of your own.")
    parser.add_argument("--smoke", action="store_true", help="two epochs instead of ten")
    recipe = Recipe(epochs=2 if parser.parse_args(arguments).smoke else 10)
    digits = data.load("digits")
    train, test = with_border(digits.train), with_border(digits.test)
    objectives = {
        "cross-entropy": Objective.of(CrossEntropy()),
        "and your term": CrossEntropy() + 1.0 * MaskedGradient(),
    }
    for name, objective in objectives.items():
        model = models.build("mlp", shape=train.shape, classes=len(train.classes))
        for _ in fit(model, train, objective, recipe):
            pass
        print(f"{name}: test accuracy {accuracy(model, test)}; gradient under the mask {under_mask(model, test)}")


if __name__ == "__main__":
    main()
