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
from pellucid.attacks import AutoAttack, Engine
from pellucid.batch import Batch


def run(rounds: int, images: int = 32, kind: str = "mnist", name: str = "auto-attack") -> None:
    """Time the standard version at the smallest budget but one of each network whose name begins as `kind`.

    An image of CIFAR-10 that stands takes the larger networks a minute, from either side.
    """
    logging.getLogger("auto-attack").setLevel(logging.ERROR)
    results: dict[str, Any] = {}
    for subject, (model, x, y, budgets) in subjects(images, kind).items():
        eps = budgets[1]
        accuracy: dict[str, float] = {}
        works = {
            "pellucid": _ours(model, x, y, eps, accuracy, "pellucid", Engine()),
            "pellucid, bfloat16": _ours(model, x, y, eps, accuracy, "pellucid, bfloat16", Engine("bf16-mixed")),
            "pyautoattack": _theirs(model, x, y, eps, accuracy),
        }
        seconds = alternate(works, rounds, warm=False)
        ratios = {side: ratio(seconds["pyautoattack"], seconds[side]) for side in works if side != "pyautoattack"}
        print(f"{name}, {subject}, {images} images at {eps:.4f}: standing {accuracy}")
        for side, found in ratios.items():
            print(f"  pyautoattack / {side} = {found}; target 2x", flush=True)
        results[subject] = {
            "eps": eps,
            "ratios": {side: asdict(found) for side, found in ratios.items()},
            "robust accuracy": accuracy,
            "seconds": seconds,
        }
    record(name, {"images": images, "rounds": rounds, "networks": results})


def _ours(
    model: nn.Module, x: Tensor, y: Tensor, eps: float, accuracy: dict[str, float], name: str, engine: Engine
) -> Work:
    def attack() -> None:
        found = AutoAttack(eps=eps).on(model, Batch(x, y), engine=engine)
        accuracy[name] = float((~found.reached).float().mean())

    return attack


def _theirs(model: nn.Module, x: Tensor, y: Tensor, eps: float, accuracy: dict[str, float]) -> Work:
    def attack() -> None:
        adversary = pyautoattack.AutoAttack(model, norm="Linf", eps=eps, version="standard", device="cpu", seed=0)
        found, *_ = adversary.run_standard_evaluation(x, y, batch_size=len(x))
        with torch.no_grad():
            accuracy["pyautoattack"] = float((model(found).argmax(1) == y).float().mean())

    return attack
