"""Two networks of your own audited side by side, from Python: one page tells whether they can be believed.

python examples/audit_your_network.py            a minute; the page is audit/report.html
python examples/audit_your_network.py --smoke    seconds, in a folder that is thrown away

It trains the network of the function below twice on handwritten digits, plainly and on attacked images, and audits
both with the parts of a profile. `pellucid audit` does the same for networks that it can name.
"""

import argparse
import tempfile
from collections.abc import Sequence

import torch
from torch import nn

from pellucid import CrossEntropy, Recipe, accuracy, audits, data, fit
from pellucid.attacks import PGD, HighestLoss
from pellucid.objectives import Objective, Term

FEW = ("robustness.n=8", "robustness.nearest=4", "neurons.n=40", "gallery.chosen=1", "gallery.worst=1")


def build(classes: int = 10, width: int = 16) -> nn.Module:
    """Any module from images in [0, 1] to logits."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * width, classes),
    )


def trained(images: data.Data, objective: Term | Objective, epochs: int) -> nn.Module:
    torch.manual_seed(0)
    network = build()
    for _ in fit(network, images.train, objective, Recipe(epochs=epochs), seed=0):
        pass
    return network


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Audit two networks of your own.")
    parser.add_argument("--smoke", action="store_true", help="little training, few images")
    smoke = parser.parse_args(arguments).smoke
    digits = data.load("digits")
    hard = CrossEntropy().at(PGD(eps=0.1, steps=5, goal=HighestLoss()))
    networks = {
        name: trained(digits, of, 1 if smoke else 10) for name, of in (("plain", CrossEntropy()), ("hard", hard))
    }
    print(
        *(f"{name}: test accuracy {accuracy(network, digits.test)}" for name, network in networks.items()), sep="\n"
    )
    profile = audits.chosen("quick", FEW, n=4, explainers=["gradient"]) if smoke else "quick"
    with tempfile.TemporaryDirectory() as place:
        print(audits.audit(networks, digits, profile, out=place if smoke else "audit"))


if __name__ == "__main__":
    main()
