"""`python -m benchmarks.choosing`: every explainer on digits, on two networks, as the table of a page.

Two networks of one kind, trained plainly and on adversarial examples. Of each explainer: seconds and passes for each
image, the cosine between maps of two seeds, and the logit drop, which says how far the predicted class's logit has
fallen, on average, while the pixels that the map puts highest were made black one after another. `random order` is
what that comes to for no reason at all. Writes `docs/results/explainers-digits.json` and the table in
`docs/choosing-an-explanation.md`. About two minutes; networks are kept in `benchmarks/networks/digits`.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.timing import machine
from pellucid import config, data, explainers, models, runs
from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.drawing import plane
from pellucid.evaluate.explanations import counted
from pellucid.explainers import Explainer
from pellucid.metrics import Estimate
from pellucid.probe import frozen

IMAGES, LEARNED, ROUNDS = 128, 500, 3
_ENOUGH = 3.0  # seconds of timing one explainer
RECIPES = ("standard", "adversarial-training")
TRAINING = ("recipe.epochs=20", "recipe.batch=64", "model.name=simple-cnn")
# what recipes began with when the table was made
BEFORE = ("recipe.optimizer.kind=sgd", "recipe.schedule.warmup=0.0")
# Where the defaults are for larger images than these of 8 x 8 pixels.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "lime": ("segmentation.kind=pixels", "baseline=0.0", "output=logit", "masks=1000"),
    "normlime": (
        "lime.kind=lime",
        "lime.segmentation.kind=pixels",
        "lime.baseline=0.0",
        "lime.output=logit",
        "lime.masks=500",
    ),
    "occlusion": ("window=3", "stride=1"),
    "rise": ("cells=4", "masks=1000"),
}
RESULTS = Path(__file__).parents[1] / "docs" / "results" / "explainers-digits.json"
PAGE = Path(__file__).parents[1] / "docs" / "choosing-an-explanation.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"


def main() -> None:
    torch.set_num_threads(1)
    digits = data.load("digits")
    (batch,) = (some := data.sample(digits.test, IMAGES)).batches(data.sequential(some, len(some)))
    (learned,) = digits.train.take(LEARNED).batches([torch.arange(LEARNED)])
    networks = {recipe: _network(recipe) for recipe in RECIPES}
    found: dict[str, Any] = {"random order": {recipe: _by_chance(model, batch) for recipe, model in networks.items()}}
    for name in explainers.EXPLAINERS:
        explainer = explainers.named(name, SETTINGS.get(name, ()))
        figures: dict[str, Any] = {"settings": config.dump(explainer)}
        for recipe, model in networks.items():
            began = time.perf_counter()
            ready = explainer.fit(model, learned.x)
            learning = time.perf_counter() - began if explainer.learns else 0.0
            figures[recipe] = {"seconds_to_learn": learning, **_measured(ready, model, batch)}
        found[name] = figures
        print(name, _cells(figures), flush=True)
    accuracies = {recipe: asdict(_accuracy(model, digits.test)) for recipe, model in networks.items()}
    content = {
        "machine": machine(),
        "images": IMAGES,
        "training": TRAINING,
        "accuracy": accuracies,
        "explainers": found,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    _render(found)


def _network(recipe: str) -> nn.Module:
    spec, images = runs.prepare(runs.table(recipe, {"data.source": "digits"}, (*TRAINING, *BEFORE)))
    folder = runs.RunFolder(Path(__file__).parent / "networks" / "digits" / spec.folder)
    for _ in runs.execute(spec, images, folder, Fabric(accelerator="cpu", devices=1)):
        pass
    return models.load(str(folder.path))


def _accuracy(model: nn.Module, split: Split) -> Estimate:
    (batch,) = split.batches(data.sequential(split, len(split)))
    with frozen(model), torch.no_grad():
        return Estimate.proportion(int((model(batch.x).argmax(1) == batch.y).sum()), len(batch))


def _measured(explainer: Explainer, model: nn.Module, batch: Batch) -> dict[str, Any]:
    with counted(model) as passes:
        first = explainer.on(model, batch, "predicted")
    seconds: list[float] = []
    while len(seconds) < ROUNDS and sum(seconds) < _ENOUGH:
        began = time.perf_counter()
        explainer.on(model, batch, "predicted")
        seconds.append(time.perf_counter() - began)
    figures: dict[str, Any] = {
        "forwards": passes.forwards / len(batch),
        "backwards": passes.backwards / len(batch),
        "seconds": min(seconds) / len(batch),
        "logit_drop": asdict(Estimate.mean(_drops(model, batch, torch.stack([plane(map) for map in first.map])))),
    }
    if explainer.random:
        second = explainer.on(model, batch, "predicted", seed=1)
        alike = F.cosine_similarity(first.map.flatten(1), second.map.flatten(1))
        figures["two_seeds"] = asdict(Estimate.mean(alike))
    return figures


def _by_chance(model: nn.Module, batch: Batch) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(len(batch), *batch.x.shape[2:], generator=generator)
    return {"logit_drop": asdict(Estimate.mean(_drops(model, batch, order)))}


def _drops(model: nn.Module, batch: Batch, maps: Tensor) -> Tensor:
    """By how much each image's logit has fallen, averaged over all numbers of pixels that may be black."""
    ranks = maps.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(1).view_as(maps)[:, None]
    with frozen(model), torch.no_grad():
        logits = model(batch.x)
        of = logits.argmax(1, keepdim=True)
        fallen = [logits - model(batch.x * (ranks >= count)) for count in range(1, maps[0].numel() + 1)]
    return torch.stack(fallen).mean(0).gather(1, of).squeeze(1)


def _render(found: Mapping[str, Any]) -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{tabulated(found)}\n{END}{after}")


def tabulated(found: Mapping[str, Any]) -> str:
    """A row for each explainer."""
    columns = ("explainer", "passes", "ms", "two seeds", *(f"logit drop, {recipe}" for recipe in RECIPES))
    rows = [f"| {name} | {_cells(figures)} |" for name, figures in found.items()]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _cells(figures: Mapping[str, Any]) -> str:
    plain = figures[RECIPES[0]]
    drops = [_spread(figures[recipe]["logit_drop"]) for recipe in RECIPES]
    if "forwards" not in plain:
        return " | ".join(["", "", "", *drops])
    passes = f"{plain['forwards']:.0f} + {plain['backwards']:.0f}"
    seeds = _spread(plain["two_seeds"]) if "two_seeds" in plain else "the same"
    return " | ".join([passes, f"{1000 * plain['seconds']:.2f}", seeds, *drops])


def _spread(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['value']:.2f} ({estimate['low']:.2f} to {estimate['high']:.2f})"


if __name__ == "__main__":
    main()
