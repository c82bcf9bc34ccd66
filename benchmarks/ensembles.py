"""AutoAttack against the authors' code as packaged in pyautoattack.

Both run all four parts of the standard version. What costs passes is Square, and there every image that stands needs
all its queries from either side; the rest saves what falls early.
"""

import logging
from dataclasses import asdict
from typing import Any

import pyautoattack
import torch
from torch import Tensor, nn

from benchmarks.networks import subjects
from benchmarks.timing import Work, alternate, ratio, record
from pellucid.attacks import AutoAttack


def run(rounds: int, images: int = 32) -> None:
    """Time the standard version at each MNIST network's smallest budget but one; the larger networks take hours."""
    logging.getLogger("auto-attack").setLevel(logging.ERROR)
    results: dict[str, Any] = {}
    for subject, (model, x, y, budgets) in subjects(images, kind="mnist").items():
        eps = budgets[1]
        accuracy: dict[str, float] = {}
        works = {"pellucid": _ours(model, x, y, eps, accuracy), "pyautoattack": _theirs(model, x, y, eps, accuracy)}
        seconds = alternate(works, rounds, warm=False)
        found = ratio(seconds["pyautoattack"], seconds["pellucid"])
        print(
            f"auto-attack, {subject}, {images} images at {eps:.4f}: pyautoattack / pellucid = {found}; "
            f"robust accuracy {accuracy['pyautoattack']:.3f} and {accuracy['pellucid']:.3f}; target 2x",
            flush=True,
        )
        results[subject] = {"eps": eps, "ratio": asdict(found), "robust accuracy": accuracy, "seconds": seconds}
    record("auto-attack", {"images": images, "rounds": rounds, "networks": results})


def _ours(model: nn.Module, x: Tensor, y: Tensor, eps: float, accuracy: dict[str, float]) -> Work:
    def attack() -> None:
        accuracy["pellucid"] = float((~AutoAttack(eps=eps)(model, x, y).reached).float().mean())

    return attack


def _theirs(model: nn.Module, x: Tensor, y: Tensor, eps: float, accuracy: dict[str, float]) -> Work:
    def attack() -> None:
        adversary = pyautoattack.AutoAttack(model, norm="Linf", eps=eps, version="standard", device="cpu", seed=0)
        found, *_ = adversary.run_standard_evaluation(x, y, batch_size=len(x))
        with torch.no_grad():
            accuracy["pyautoattack"] = float((model(found).argmax(1) == y).float().mean())

    return attack
