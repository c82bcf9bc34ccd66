"""NormLIME over images of a data set: masks per second, and whether memory grows with the number of images."""

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import peak_memory, record
from pellucid import CrossEntropy, Recipe, data, evaluate, fit, ledger, models
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime
from pellucid.explainers.normlime import Rule
from pellucid.explainers.normlime.aggregation import Kind
from pellucid.ledger import Job
from pellucid.train import SGD, CosineSchedule

IMAGES, MASKS = 200, 1000
KINDS: tuple[Kind, Kind] = ("normlime", "mean-abs")


def run(rounds: int, images: int = IMAGES, masks: int = MASKS) -> None:
    """Masks per second of every round; and the peak of memory after a quarter, a half and all of the images."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.rand(images, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    split = data.TensorSplit(x, torch.arange(images) % 10, tuple("0123456789")).to(device)
    model = models.build("simple-cnn", seed=0, shape=(3, 32, 32)).to(device).eval()
    explainer = NormLime(Lime(Grid(8, 8), masks=masks))
    rates: list[float] = []
    peaks: list[float] = []

    def watch(step: ledger.Progress) -> None:
        if step.done in (images // 4, images // 2, images) and len(peaks) < 3:
            peaks.append(_peak(device))

    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            evaluate.explain_split(
                model, split, explainer, Path(folder), seed=number, job=Job(images // 8, watch=watch)
            )
            rates.append(images * masks / (time.perf_counter() - started))
    rate = sorted(rates)[len(rates) // 2]
    print(f"normlime, {images} images of 3x32x32, simple-cnn, {device.type}: {rate:8.0f} masks/s", flush=True)
    shown = ", ".join(f"{peak:.0f} MiB" for peak in peaks)
    print(f"peak of memory after a quarter, a half and all of the images: {shown}", flush=True)
    record(
        "normlime",
        {"device": device.type, "images": images, "masks": masks, "masks_per_second": rates, "peak_mib": peaks},
    )


def rankings(seeds: int) -> None:
    """How alike NormLIME and the mean of |w| rank pixels, and what is left when the most important are hidden."""
    split, found = data.load("digits"), list[dict[str, Any]]()
    (batch,) = split.test.batches([torch.arange(len(split.test))])
    background = batch.x.mean((0, 2, 3), keepdim=True).expand_as(batch.x)
    explainer = NormLime(Lime(Grid(8, 8), masks=640, baseline="mean"))
    for seed in range(seeds):
        model = models.build("mlp", seed=seed, shape=split.train.shape)
        recipe = Recipe(epochs=8, batch=128, optimizer=SGD(), schedule=CosineSchedule())
        for _ in fit(model, split.train, CrossEntropy(), recipe, seed=seed):
            pass
        with tempfile.TemporaryDirectory() as path:
            folder = evaluate.explain_split(model.eval(), split.test, explainer, Path(path), seed=seed)
            ranks = [folder.importance(Rule(kind)).values.argsort(1).argsort(1).double() for kind in KINDS]
            orders = [folder.importance(Rule(kind, by="global")).top(0, 64) for kind in KINDS]
        alike = [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(*ranks, strict=True)]
        left: dict[str, list[float]] = {}
        for kind, order in zip(KINDS, orders, strict=True):
            for count in (6, 13, 19):
                hidden = torch.zeros(64, dtype=torch.bool).index_fill(0, order[:count], True).view(8, 8)
                right = model(torch.where(hidden, background, batch.x)).argmax(1) == batch.y
                left.setdefault(kind, []).append(float(right.double().mean()))
        found.append({"spearman": alike, "accuracy": left})
        print(f"seed {seed}: Spearman by class {min(alike):.3f} to {max(alike):.3f}; accuracy without the first")
        print("  6, 13, 19 of 64 pixels: " + "; ".join(f"{kind} {values}" for kind, values in left.items()))
    record("normlime-rankings", {"seeds": found})


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return peak_memory() / 2**20
