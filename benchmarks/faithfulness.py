"""What metrics cost that take pixels away: pixel flipping, insertion, ROAD and correlation against Quantus.

The work is the same: as many changed images of each image, in the same order, with the same values in the place of
what is gone. Insertion is Quantus' pixel flipping of the reversed order, read backwards. Floor by counting: a row in
the network for each changed image, here and there. So where the network is all that costs, 1.0x is to be expected;
what is above it comes of full passes where Quantus makes one of as many rows as there are images, of images laid out
by pixel, of what is done besides, and, where what is gone shows what was there before, of rows that need no pass:
"mnist" is black for the most part and so is what replaces it, "noise" is nowhere. Curves are compared too.
"""

import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import quantus
import torch
from torch import Tensor, nn

from benchmarks.networks import FOLDER
from benchmarks.timing import alternate, ratio, record
from pellucid import data, models
from pellucid.evaluate.explanations import ROAD, FaithfulnessCorrelation, Insertion, Metric, PixelFlipping, Scores
from pellucid.explainers import Gradient

TARGET = 3.0
SUBJECTS = {"mnist": (1, 28, 28), "noise": (3, 32, 32)}
PIXELS = {"mnist": 1, "noise": 16}
"""How many are flipped at a step; 1 is as Quantus has it where nothing is said."""
SAMPLES, PERCENTS = 50, tuple(float(percent) for percent in range(5, 100, 10))
Curve = Callable[[], Tensor]


def run(rounds: int, name: str = "simple-cnn", images: int = 16) -> None:
    """Time one network and keep the figures."""
    warnings.simplefilter("ignore")  # Quantus warns of every image that a step leaves as it was
    found = {subject: _compared(name, subject, images, rounds) for subject in SUBJECTS}
    for subject, figures in found.items():
        for metric, figure in figures.items():
            print(
                f"{metric}, {name}, {images} images of {subject}: quantus / ours = {figure['printed']} "
                f"(target {TARGET}x), {figure['rows']} rows to {figure['quantus_rows']}; "
                f"largest difference {figure['difference']:.1e}",
                flush=True,
            )
    record(f"faithfulness-{name}", {"images": images, "pixels": PIXELS, "samples": SAMPLES, "subjects": found})


def _compared(name: str, subject: str, images: int, rounds: int) -> dict[str, Any]:
    model, x, of = _work(name, subject, images)
    maps = Gradient()(model, x, of).map.sum(1, keepdim=True).expand_as(x).contiguous()
    rows = _Rows(model)
    figures: dict[str, Any] = {}
    for metric, (ours, theirs) in _works(model, x, of, maps, PIXELS[subject]).items():
        (one, our_rows), (other, their_rows) = rows.during(ours), rows.during(theirs)
        works = {"ours": _waited(ours), "quantus": _waited(theirs)}
        seconds = alternate(works, rounds)
        compared = ratio(seconds["quantus"], seconds["ours"])
        figures[metric] = {
            "printed": str(compared),
            "ratio": asdict(compared),
            "seconds": seconds,
            "rows": our_rows,
            "quantus_rows": their_rows,
            "difference": float((one - other).abs().max()),
        }
    return figures


def _works(model: nn.Module, x: Tensor, of: Tensor, maps: Tensor, step: int) -> dict[str, tuple[Curve, Curve]]:
    """Ours and Quantus' of each metric."""
    channels, steps = x.shape[1], x[0, 0].numel() // step

    def ours(metric: Metric) -> Scores:
        return metric(model, x, of, maps=maps)

    def theirs(metric: Any, some: Tensor) -> Any:
        metric.custom_preprocess = _unchecked
        attributions = some.numpy()
        return metric(model=model, x_batch=x.numpy(), y_batch=of.numpy(), a_batch=attributions, batch_size=len(x))

    def flipped(some: Tensor) -> Tensor:
        fill: Any = 0.0
        metric = quantus.PixelFlipping(features_in_step=step * channels, perturb_baseline=fill, disable_warnings=True)
        return torch.from_numpy(np.array(theirs(metric, some)))

    def imputed() -> Tensor:
        both: list[Any] = []
        for sign in (1, -1):
            metric = quantus.ROAD(percentages=list(PERCENTS), noise=0.0, disable_warnings=True)
            both.append(list(theirs(metric, sign * maps).values()))
        return torch.tensor(both)

    def imputed_ours() -> Tensor:
        found = ours(ROAD(PERCENTS, noise=0.0)).columns
        return torch.stack([found[order].double().mean(0) for order in ("most_first", "least_first")])

    def correlated() -> Tensor:
        fill: Any = 0.0
        subset = round(0.2 * x[0].numel())
        metric = quantus.FaithfulnessCorrelation(
            nr_runs=SAMPLES, subset_size=subset, perturb_baseline=fill, return_aggregate=False, disable_warnings=True
        )
        return torch.from_numpy(np.array(theirs(metric, maps)))

    each = _apart(maps)
    works = {
        "pixel-flipping": (lambda: ours(PixelFlipping(step, 0.0)).columns["curve"], lambda: flipped(each)),
        "insertion": (
            lambda: ours(Insertion(steps, 0.0)).columns["curve"][:, :-1].flip(1),
            lambda: flipped(-each),
        ),
        "faithfulness-correlation": (lambda: ours(FaithfulnessCorrelation(SAMPLES)).value, correlated),
    }
    if channels == 1:  # Quantus' ROAD takes no more
        works["road"] = (imputed_ours, imputed)
    return works


def _apart(maps: Tensor) -> Tensor:
    """Values whose order is that of the pixels, with the channels of each one after another."""
    place = maps[:, :1].flatten(1).argsort(1).argsort(1).view_as(maps[:, :1])
    return (maps.shape[1] * place + torch.arange(maps.shape[1]).view(1, -1, 1, 1)).float()


def _unchecked(*_arguments: Any, **_named: Any) -> None:
    """In the place of checks that count pixels and not values."""


class _Rows:
    """How many rows a network sees."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def during(self, work: Curve) -> tuple[Tensor, int]:
        """What the work gives, and the rows."""
        rows = 0

        def count(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            nonlocal rows
            rows += len(output)

        handle = self._model.register_forward_hook(count)
        found = work()
        handle.remove()
        return found, rows


def _work(name: str, subject: str, images: int) -> tuple[nn.Module, Tensor, Tensor]:
    shape = SUBJECTS[subject]
    model = models.build(name, seed=0, shape=shape).eval().requires_grad_(False)
    if subject == "noise":
        x = torch.rand(images, *shape, generator=torch.Generator().manual_seed(0))
    else:
        if FOLDER is None:
            raise SystemExit("this benchmark measures on MNIST; set PELLUCID_DATA to the folder of data")
        (batch,) = data.load(Path(FOLDER) / "mnist").test.batches([torch.arange(images)])
        x = batch.x
    return model, x, model(x).argmax(1)


def _waited(curve: Curve) -> Callable[[], float]:
    return lambda: float(curve().sum())
