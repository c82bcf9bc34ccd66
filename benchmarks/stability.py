"""What random-similarity of 10 draws costs, beside 10 explanations of the same images.

Floor by counting: the metric makes the images' own maps too, where none are given, and looks once at the classes. For
plain gradients, whose backward pass costs about as much as the forward one, that is 11.5 explanations; with maps that
are given it is 10.5. What is above comes of the noise, of the similarity and of how full passes are.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import alternate, ratio, record
from pellucid import models
from pellucid.batch import Batch
from pellucid.evaluate.explanations import RandomSimilarity
from pellucid.explainers import Explainer, Gradient, SmoothGrad
from pellucid.metrics.agreement import SSIM, Pearson

IMAGES, DRAWS, TARGET = 64, 10, 1.2
SHAPES = {"simple-cnn": (1, 28, 28), "resnet18": (3, 32, 32)}
EXPLAINERS: dict[str, Explainer] = {"gradient": Gradient(), "smoothgrad": SmoothGrad(10)}


def run(rounds: int, name: str) -> None:
    """Time one network and keep the figures."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = models.build(name, seed=0, shape=SHAPES[name]).to(device).eval()
    found = dict[str, Any]()
    for images in (8, IMAGES):
        x = torch.rand(images, *SHAPES[name], generator=torch.Generator().manual_seed(0)).to(device)
        batch = Batch(x, (torch.arange(images) % 10).to(device))
        for which, explainer in EXPLAINERS.items():
            seconds = alternate(_works(model, batch, explainer), rounds)
            compared = {work: ratio(times, seconds["explanations"]) for work, times in seconds.items()}
            print(
                f"random-similarity, {which}, {name}, {images} images, {device.type}: {DRAWS} draws / {DRAWS} "
                f"explanations = {compared['all']} (target {TARGET}x), with maps given {compared['maps given']}, "
                f"and by SSIM {compared['maps given, ssim']}",
                flush=True,
            )
            ratios = {work: asdict(each) for work, each in compared.items()}
            found[f"{which}, {images} images"] = {"ratios": ratios, "seconds": seconds}
    record(f"stability-{name}", {"device": device.type, "draws": DRAWS, "target": TARGET, "explainers": found})


def _works(model: nn.Module, batch: Batch, explainer: Explainer) -> dict[str, Callable[[], object]]:
    maps = explainer.on(model, batch).map

    def judged(metric: RandomSimilarity, given: Tensor | None) -> float:
        return float(metric.on(model, batch, "label", explainer=explainer, maps=given).value.sum())

    def explanations() -> float:
        return sum(float(explainer.on(model, batch, seed=number).map.sum()) for number in range(DRAWS))

    return {
        "explanations": explanations,
        "all": lambda: judged(RandomSimilarity(draws=DRAWS, similarity=Pearson()), None),
        "maps given": lambda: judged(RandomSimilarity(draws=DRAWS, similarity=Pearson()), maps),
        "maps given, ssim": lambda: judged(RandomSimilarity(draws=DRAWS, similarity=SSIM()), maps),
    }
