"""`python -m benchmarks.budgets [PROFILE...]`: what an audit of an ImageNet network takes, against what it promises.

EfficientNet-Lite0 with its published weights is audited on 24 photographs of 224 x 224, each profile in a process of
its own. Written down are when it first says something and when its plan stands, counted from the start of the
process, what each part was expected to take and took, the whole, and the most memory. The promises are 10 minutes
and 2.5 GB for `quick`, an hour for `standard`, and for both a first word within 2 seconds, a plan within 20, and
expected times within a factor of 1.5. `maps` times the same maps here and in captum. Needs the extra `world`.
"""

import argparse
import json
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from captum.attr import InputXGradient, NoiseTunnel, Saliency
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from captum.attr import Occlusion as CaptumOcclusion
from torch import Tensor, nn

from benchmarks import photographs
from benchmarks.timing import RESULTS, alternate, machine, peak_memory, ratio
from pellucid import config
from pellucid.audits import PROFILES, Done, Event, Lightened, Listener, Part, Planned, audit
from pellucid.audits.carrying_out import Watch
from pellucid.audits.fitting import seconds_of
from pellucid.audits.planning import speed_of
from pellucid.batch import Batch
from pellucid.evaluate.speed import Speed
from pellucid.explainers import Explainer, Gradient, InputTimesGradient, IntegratedGradients, Occlusion, SmoothGrad
from pellucid.subjects import Asked, Subject

FILE = RESULTS / "budgets.json"
NETWORK = "benchmarks.photographs:efficientnet_lite"
IMAGES, ROUNDS, PASSES = 4, 3, 20


def main() -> None:
    """Audit by each profile that is named, or by quick and standard, and time the maps."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.budgets", description=__doc__)
    words.add_argument("names", nargs="*", metavar="PROFILE", default=["quick", "standard", "maps"])
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name in words.parse_args().names:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            work = pool.submit(maps) if name == "maps" else pool.submit(audited, name, time.time())
            known[name] = work.result()
        print(json.dumps(known[name], indent=2), flush=True)
        FILE.write_text(json.dumps(known, indent=2) + "\n")


class Heard(Listener):
    """When the audit said something, and what its parts were expected to take and took."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.subjects: Sequence[Subject] = ()
        self.speeds: Sequence[Speed] = ()
        self.said: dict[str, float] = {}
        self.left_out: list[str] = []
        self.parts: dict[str, dict[str, Any]] = {}

    def _now(self, what: str) -> None:
        self.said.setdefault(what, time.time() - self.started)

    def begins(self, subjects: Sequence[Subject]) -> None:
        """The first words."""
        self._now("first_word")
        self.subjects = subjects

    def fitted(self, budget: float, lines: Sequence[str]) -> None:
        """What is left out."""
        self.left_out += lines

    def planned(self, planned: Sequence[Planned], complete: int) -> None:
        """The plan."""
        self._now("plan")
        self.speeds = [speed_of(subject) for subject in self.subjects]
        self.parts = {entry.part: {"expected": entry.seconds} for entry in planned}

    def drawn(self, page: Path) -> None:
        """The first page."""
        self._now("first_page")

    @contextmanager
    def progress(self, planned: Sequence[Planned]) -> Generator[tuple[Watch, Callable[[Event], None]]]:
        """What became of each part."""

        def hear(event: Event) -> None:
            if isinstance(event, Lightened):
                self.left_out += [f"later: {line}" for line in event.lines]
            elif isinstance(event, Done):
                part = self.parts.setdefault(event.part, {"expected": None})
                part["took"], part["failure"] = event.outcome.seconds, event.outcome.failure
                part["peak_bytes"] = peak_memory()
                print(event.part, part, flush=True)

        yield lambda _, __, ___: None, hear


def audited(profile: str, started: float) -> dict[str, Any]:
    """One audit, in this process."""
    heard = Heard(started)
    with tempfile.TemporaryDirectory() as folder:
        images = photographs.write(Path(folder))
        asked = Asked(NETWORK, str(images), map=str(images.parent / "map.csv"))
        found = audit([NETWORK], asked, profile, out=Path(folder) / "audit", listener=heard)
        # those that were made lighter on the way are expected to take less than was said before
        for name, table in found.folder.about["parts"].items():
            done = config.build_as(Part, table, name)
            heard.parts[name]["expected_as_done"] = seconds_of(done, heard.subjects[0], heard.speeds[0])
    return {
        "machine": machine(),
        "images": 24,
        "budget": PROFILES[profile].budget,
        "seconds": time.time() - started,
        "said": heard.said,
        "peak_bytes": peak_memory(),
        "parts": heard.parts,
        "left_out": heard.left_out,
    }


def maps() -> dict[str, Any]:
    """How long maps of four photographs take here and in captum, with the same passes."""
    with tempfile.TemporaryDirectory() as folder:
        images = photographs.write(Path(folder))
        subject = Asked(NETWORK, str(images), map=str(images.parent / "map.csv")).subject()
    (batch,) = subject.split.batches([torch.arange(0, 24, 24 // IMAGES)])
    pairs = _pairs(subject.model, batch)
    found: dict[str, Any] = {}
    for name, (explainer, captums) in pairs.items():

        def ours(explainer: Explainer = explainer) -> float:
            return float(explainer.on(subject.model, batch).map.sum())

        def theirs(captums: Callable[[], Tensor] = captums) -> float:
            return float(captums().sum())

        seconds = alternate({"ours": ours, "captum": theirs}, ROUNDS)
        compared = ratio(seconds["captum"], seconds["ours"])
        own, other = explainer.on(subject.model, batch).map, captums()
        near = torch.cosine_similarity(own.flatten(1), other.flatten(1)) if own.shape == other.shape else None
        found[name] = {
            "ratio": asdict(compared),
            "seconds": seconds,
            "cosine": None if near is None else float(near.min()),
        }
        print(f"{name}: captum / ours = {compared}, cosine {found[name]['cosine']}", flush=True)
    return {"machine": machine(), "images": IMAGES, "methods": found}


def _pairs(model: nn.Module, batch: Batch) -> Mapping[str, tuple[Explainer, Callable[[], Tensor]]]:
    """Explainers, and how captum makes the same maps; of many copies it takes one batch at once, as is quickest."""
    x, y, count = batch.x, batch.y, len(batch)
    occlusion = Occlusion().resolved(tuple(x.shape[1:]))
    assert not isinstance(occlusion.window, str) and not isinstance(occlusion.stride, str)
    window, stride = ((3, side, side) for side in (occlusion.window, occlusion.stride))
    tunnel: Any = NoiseTunnel(Saliency(model))
    multiplied, integrated, occluded = InputXGradient(model), CaptumIntegratedGradients(model), CaptumOcclusion(model)
    return {
        "gradient": (Gradient(), lambda: Saliency(model).attribute(x, y, abs=False)),
        "input-times-gradient": (InputTimesGradient(), lambda: multiplied.attribute(x, y)),
        "smoothgrad": (
            SmoothGrad(PASSES, clean=False, clip=False),
            lambda: tunnel.attribute(x, target=y, abs=False, stdevs=0.15, nt_samples=PASSES, nt_samples_batch_size=1),
        ),
        "integrated-gradients": (
            IntegratedGradients(steps=PASSES, tolerance=math.inf),
            lambda: integrated.attribute(
                x, target=y, n_steps=PASSES, method="riemann_middle", internal_batch_size=count
            ),
        ),
        "occlusion": (occlusion, lambda: occluded.attribute(x, window, stride, target=y)),
    }


if __name__ == "__main__":
    main()
