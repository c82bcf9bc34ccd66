"""Attacks against those of foolbox and the Adversarial Robustness Toolbox: same network, images, steps and budget.

Floor of PGD with 40 steps: 40 forward and backward passes over the images that stand, 2 forward passes over all.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.networks import subjects
from benchmarks.timing import Work, alternate, ratio, record
from pellucid.attacks import PGD, Engine, Ladder
from pellucid.batch import Batch

STEPS, STEP = 40, 2.5 / 40
EXACT, FAST = Engine(), Engine("bf16-mixed")
Attacked = Callable[[], Sequence[float]]
"""Attacks and tells the robust accuracy at every budget."""


def pgd(rounds: int) -> None:
    """One budget: the largest but one of each network."""
    _compare("pgd", rounds, lambda levels: levels[-2:-1])


def curve(rounds: int) -> None:
    """Four budgets."""
    _compare("curve", rounds, lambda levels: levels)


def _compare(name: str, rounds: int, choose: Callable[[tuple[float, ...]], tuple[float, ...]]) -> None:
    results: dict[str, Any] = {}
    for subject, (model, x, y, budgets) in {**subjects(128, "mnist"), **subjects(24, "resnet")}.items():
        levels = choose(budgets)
        accuracy: dict[str, Sequence[float]] = {}
        works = {
            peer: _kept(peer, make(model, x, y, levels), accuracy)
            for peer, make in (
                ("pellucid", ours),
                ("pellucid, bfloat16", partial(ours, engine=FAST)),
                ("foolbox", by_foolbox),
                ("art", by_art),
            )
        }
        # the larger networks take minutes a round, beside which warming up is nothing
        seconds = alternate(works, rounds, warm=subject.startswith("mnist"))
        ratios = {peer: ratio(seconds[peer], seconds["pellucid"]) for peer in works if peer != "pellucid"}
        print(f"{name}, {subject}, {len(x)} images, eps {', '.join(f'{eps:.4f}' for eps in levels)}")
        for peer, shares in accuracy.items():
            speed = f"{ratios[peer]} the time of ours" if peer in ratios else ""
            print(f"  {peer:18} robust accuracy {', '.join(f'{share:.3f}' for share in shares)} {speed}", flush=True)
        results[subject] = {
            "images": len(x),
            "budgets": levels,
            "robust accuracy": accuracy,
            "ratios": {peer: asdict(one) for peer, one in ratios.items()},
            "seconds": seconds,
        }
    record(f"attacks-{name}", {"rounds": rounds, "steps": STEPS, "networks": results})


def _kept(peer: str, attacked: Attacked, accuracy: dict[str, Sequence[float]]) -> Work:
    def work() -> None:
        accuracy[peer] = attacked()

    return work


def ours(model: nn.Module, x: Tensor, y: Tensor, levels: Sequence[float], engine: Engine = EXACT) -> Attacked:
    """The library's own."""
    attack = Ladder(tuple(PGD(eps=eps, steps=STEPS, step=STEP) for eps in levels))

    def run() -> list[float]:
        found = attack.on(model, Batch(x, y), engine=engine)
        distance = found.distance.where(found.reached, torch.inf)
        return [float((distance > eps + 1e-6).float().mean()) for eps in levels]

    return run


def by_foolbox(model: nn.Module, x: Tensor, y: Tensor, levels: Sequence[float]) -> Attacked:
    """Foolbox, all budgets in one call."""
    import foolbox
    from foolbox.models.pytorch import PyTorchModel

    wrapped = PyTorchModel(model.eval(), bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.LinfPGD(rel_stepsize=STEP, steps=STEPS, random_start=True)

    def run() -> list[float]:
        _, _, fooled = attack(wrapped, x, y, epsilons=list(levels))
        return [float((~row).float().mean()) for row in fooled]

    return run


def by_art(model: nn.Module, x: Tensor, y: Tensor, levels: Sequence[float]) -> Attacked:
    """ART, one run per budget."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # installed by `make bench` alone
        from art.attacks.evasion import ProjectedGradientDescentPyTorch  # pyright: ignore[reportMissingImports]
        from art.estimators.classification import PyTorchClassifier  # pyright: ignore[reportMissingImports]

    classifier = PyTorchClassifier(
        model.eval(), nn.CrossEntropyLoss(), tuple(x.shape[1:]), 10, clip_values=(0.0, 1.0), device_type="cpu"
    )
    attacks = [
        ProjectedGradientDescentPyTorch(
            classifier,
            norm=np.inf,
            eps=eps,
            eps_step=eps * STEP,
            max_iter=STEPS,
            num_random_init=1,
            batch_size=len(x),
            verbose=False,
        )
        for eps in levels
    ]
    pixels, labels = x.numpy(), y.numpy()

    def run() -> list[float]:
        # it splits by `batch_size` itself; what it returns is looked at once, as its users do
        guesses = [classifier.predict(attack.generate(pixels, labels), batch_size=len(x)) for attack in attacks]
        return [float((guess.argmax(1) == labels).mean()) for guess in guesses]

    return run
