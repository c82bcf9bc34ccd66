"""`python -m benchmarks.retraining_table --data digits,mnist`: rankings by ROAR and KAR, over several seeds.

It goes on where it was stopped: networks and rankings lie in `benchmarks/networks/retraining-DATA`. Where a data set
is complete, its figures and its table are written to `docs/results/`. MNIST needs `PELLUCID_DATA`. `--smoke` tries
the whole way in a minute, and writes no page.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.timing import machine
from pellucid import Recipe, accuracy, data, fit, models
from pellucid.data import Data
from pellucid.evaluate.retrain import (
    ByExplainer,
    Design,
    MeanWeight,
    NormLimeWeights,
    Random,
    Ranking,
    Retrained,
    Variance,
    retrain,
)
from pellucid.explainers import Gradient, SmoothGrad
from pellucid.explainers.lime import Grid, Lime
from pellucid.ledger import Job, Progress
from pellucid.metrics import Estimate
from pellucid.objectives import CrossEntropy
from pellucid.train import Adam, Checkpoints, CosineSchedule

HERE = Path(__file__).parent / "networks"
RESULTS = Path(__file__).parent.parent / "docs" / "results"


@dataclass(frozen=True)
class Scale:
    """How much of everything: training images (0 for all), epochs, images that LIME explains and masks of each."""

    network: str
    images: int
    epochs: int
    explained: int
    masks: int
    samples: int


SCALES = {
    "digits": Scale("lenet", 0, 20, 400, 1280, 25),
    "mnist": Scale("lenet", 3000, 4, 400, 1000, 25),
}
SMOKE = Scale("mlp", 200, 1, 10, 1000, 2)


def main() -> None:
    """Train what is missing, and write down what is complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits,mnist")
    parser.add_argument("--seeds", type=int, default=6, help="with fewer than six nothing can show at 5 %%")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.data.split(","):
        scale = SMOKE if arguments.smoke else SCALES[name]
        source = _source(name, scale)
        if arguments.smoke:
            source = replace(source, test=source.test.take(200))
        folder = HERE / f"retraining-{'smoke-' * arguments.smoke}{name}"
        started, found = time.perf_counter(), _retrained(source, scale, folder, arguments.seeds)
        seconds = time.perf_counter() - started
        print(f"{name}: {len(found)} networks; {seconds:.0f} s in this process", flush=True)
        if arguments.smoke:
            print(_page(name, scale, found))
            continue
        content = {
            "machine": machine(),
            "scale": vars(scale),
            "original": accuracy(_original(source, scale, folder), source.test).value,
            "seconds in the last process": seconds,
            **_figures(found),
        }
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"retraining-{name}.json").write_text(json.dumps(content, indent=1) + "\n")
        _write(RESULTS / f"retraining-{name}.md", _page(name, scale, found))


def rankings(scale: Scale) -> Mapping[str, Ranking]:
    """The rows: two controls, what no network has a part in, two of all images, and two of each image."""
    lime = Lime(Grid(14, 14), masks=scale.masks, baseline="mean")
    return {
        "random": Random(by="image"),
        "random, one order": Random(by="all"),
        "variance": Variance(),
        "normlime": NormLimeWeights("global", scale.explained, lime),
        "mean-weight": MeanWeight("global", scale.explained, lime),
        "gradient": ByExplainer(Gradient()),
        "smoothgrad": ByExplainer(SmoothGrad(samples=scale.samples)),
    }


def _source(name: str, scale: Scale) -> Data:
    if name != "mnist":
        source = data.load(name)
    else:
        folder = os.environ.get("PELLUCID_DATA")
        if folder is None:
            raise SystemExit("MNIST is looked for in the folder that PELLUCID_DATA names; set it, or leave mnist out")
        source = data.load(Path(folder) / "mnist")
    return replace(source, train=source.train.take(scale.images)) if scale.images else source


def _fresh(source: Data, scale: Scale, seed: int) -> nn.Module:
    mean, std = data.statistics(source.train)
    return models.build(scale.network, seed=seed, shape=source.train.shape, mean=mean, std=std)


def _recipe(scale: Scale) -> Recipe:
    return Recipe(epochs=scale.epochs, batch=64, optimizer=Adam(lr=2e-3), schedule=CosineSchedule())


def _original(source: Data, scale: Scale, folder: Path) -> nn.Module:
    """The network that is explained: its seed is none of those of the retrained ones."""
    model, checkpoints = _fresh(source, scale, 1000), Checkpoints(folder / "original")
    for _ in fit(model, source.train, CrossEntropy(), _recipe(scale), seed=1000, checkpoints=checkpoints):
        pass
    return model.eval()


def _retrained(source: Data, scale: Scale, folder: Path, seeds: int) -> Retrained:
    said: list[float] = []

    def watch(step: Progress) -> None:
        share = step.done / step.total
        if not said or share - said[-1] > 0.02:
            said.append(share)
            print(f"{source.name}: {step.words or step.doing}, {share:.0%}", flush=True)

    model = _original(source, scale, folder)
    return retrain(
        model,
        lambda seed: _fresh(source, scale, seed),
        source,
        rankings(scale),
        _recipe(scale),
        folder,
        design=Design(seeds=seeds),
        job=Job(watch=watch),
    )


def _figures(found: Retrained) -> dict[str, Any]:
    compared = [
        {
            "protocol": protocol,
            "first": first,
            "second": second,
            "difference": pair.difference.value,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "p": pair.p,
        }
        for protocol in found.protocols
        for number, first in enumerate(found.rankings)
        for second in found.rankings[number + 1 :]
        for pair in [found.compared(protocol, first, second)]
    ]
    return {"fractions": list(found.fractions), "networks": found.rows(), "comparisons": compared}


def _page(name: str, scale: Scale, found: Retrained) -> str:
    """The tables of the page, between its marks."""
    images = f"{scale.images:,} training images" if scale.images else "all training images"
    parts = [f"`{scale.network}`, {images}, {scale.epochs} epochs, {found.about['seeds']} seeds of {name}.\n"]
    head = [*(f"{fraction:g}" for fraction in found.fractions), "mean height"]
    said = {"roar": "removed: lower is better", "kar": "kept alone: higher is better"}
    for protocol in found.protocols:
        parts.append(f"{protocol.upper()}, accuracy with these shares {said[protocol]}\n")
        parts.append(f"| ranking | {' | '.join(head)} |\n|{'---|' * (len(head) + 1)}")
        for ranking in found.rankings:
            cells = [found.accuracy(protocol, ranking, fraction) for fraction in found.fractions]
            shown = map(_shown, (*cells, found.area(protocol, ranking)))
            parts.append(f"| {ranking} | {' | '.join(shown)} |")
        parts.append("\n| ranking | less | difference of mean heights | 95 % interval | p |\n|---|---|---|---|---|")
        for pair in _figures(found)["comparisons"]:
            if pair["protocol"] == protocol:
                sure = f"{pair['low']:+.4f} to {pair['high']:+.4f}"
                names = f"{pair['first']} | {pair['second']}"
                parts.append(f"| {names} | {pair['difference']:+.4f} | {sure} | {pair['p']:.4f} |")
        parts.append("")
    return "\n".join(parts)


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ± {(estimate.high - estimate.low) / 2:.3f}"


def _write(page: Path, table: str) -> None:
    """Put the table between the marks of the page, or make a page of it."""
    text = page.read_text() if page.exists() else f"# {page.stem}\n\n<!-- table -->\n<!-- end of table -->\n"
    before, _, rest = text.partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->")
    page.write_text(f"{before}<!-- table -->\n{table}\n<!-- end of table -->{after}")


if __name__ == "__main__":
    main()
