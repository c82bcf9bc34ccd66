"""Measuring a network that is named on data that are named, each measurement in a folder of its own."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid import config, data, evaluate, models
from pellucid.attacks import Attack, Engine, Misclassified
from pellucid.attacks.attack import check_box
from pellucid.config import Table
from pellucid.data import Data, Report, Split, silent
from pellucid.errors import ConfigError, MeasurementError
from pellucid.evaluate import Measured, Record, Verdict
from pellucid.ledger import identity
from pellucid.runs.folder import RunFolder
from pellucid.runs.loading import shortened

_CHECKED = 32  # images that the checks look at, since they repeat the attack on them


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and the images to measure it on; `train` are those of the same data that networks learn from.

    `labeled` is whether the labels mean anything, `untrained` whether the network is known to have learned nothing.
    """

    name: str
    model: nn.Module
    source: str
    split: Split
    train: Split | None = None
    labeled: bool = True
    untrained: bool = False


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one attack came to, and where it is kept."""

    attack: Attack
    record: Record
    path: Path


def subject(
    model: str,
    source: str | None,
    *,
    weights: str | None = None,
    options: Sequence[str] = (),
    part: str = "test",
    n: int | None = None,
    seed: int = 0,
    device: str = "auto",
    download: bool = False,
    report: Report = silent,
    prepare: Callable[[Split], Split] = lambda split: split,
) -> Subject:
    """The network and the images that words stand for; a run knows the data that it was trained on.

    `prepare` gets all images of the part before `n` of them are drawn.
    """
    place = device_of(device)
    images, source = known_data(model, source, download=download, report=report)
    settings = sized(model, settings_of(options), images)
    network = models.load(model, weights=weights, options=settings)
    chosen = prepare(part_of(images, part))
    chosen = evaluate.sample(chosen, n, seed=seed) if n is not None else chosen
    random = models.untrained(model, weights=weights, options=settings)
    return Subject(model, network.to(place), source, chosen.to(place), images.train, untrained=random)


def untrained_words(names: Sequence[str]) -> str:
    """What has to be said first where some networks have learned nothing."""
    are, their = ("are", "their") if len(names) > 1 else ("is", "its")
    return (
        f"{', '.join(names)} {are} untrained: {their} weights are random, so nothing here tells of a trained one; "
        "give --weights, or a run of 'pellucid train'"
    )


def known_data(
    model: str, source: str | None, *, download: bool = False, report: Report = silent
) -> tuple[Data, str]:
    """The data that are named, or else those that a run was trained on; and what they are called."""
    run = Path(model)
    if source is not None:
        return data.load(source, download=download, report=report), source
    if not (run / "spec.toml").is_file():
        raise ConfigError(f"'{model}' is no run, so it does not know its data; give --data")
    spec = RunFolder.open(run).spec().data
    images = data.load(
        spec.source,
        root=Path(spec.root) if spec.root else None,
        size=spec.size or None,
        split_seed=spec.split_seed,
        skip_bad=spec.skip_bad,
        download=download,
        report=report,
    )
    return shortened(images, spec), spec.source


def device_of(name: str) -> torch.device:
    """A device by name; "auto" is an accelerator where there is one."""
    check_device(name)
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def check_budgets(subject: Subject, attacks: Sequence[Attack]) -> None:
    """Refuse budgets within which images of this size could become any other, before anything is measured."""
    (first,) = subject.split.batches([torch.arange(1)])
    for attack in attacks:
        for level in attack.levels:
            check_box(level, attack.norm, first.x, "the attack")


def check_device(name: str) -> None:
    """Refuse an accelerator that is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no CUDA device here; take --device cpu, or auto for the best there is")


def carry_out(
    subject: Subject,
    attack: Attack,
    *,
    folder: Path,
    seed: int = 0,
    batch: int = 128,
    engine: Engine = Engine(),  # noqa: B008
    watch: Callable[[Measured], None] = lambda _: None,
) -> Measurement:
    """Measure one attack, in a folder named by everything that the result depends on."""
    about = evaluate.description(subject.model, subject.split, attack, seed, engine)
    words = [Path(subject.source).stem, subject.name, config.kind_of(type(attack)), identity(about)]
    name = "-".join(re.sub(r"[^A-Za-z0-9._]+", "_", word.rstrip("/").rpartition("/")[2]) for word in words)
    record = evaluate.measure(
        subject.model,
        subject.split,
        attack,
        seed=seed,
        batch=batch,
        folder=folder / name,
        engine=engine,
        watch=watch,
    )
    return Measurement(attack, record, folder / name)


def checked(subject: Subject, attack: Attack, *, seed: int = 0) -> tuple[Verdict, ...]:
    """What the checks find on some of the images."""
    some = evaluate.sample(subject.split, _CHECKED, seed=seed)
    (batch,) = some.batches(data.sequential(some, len(some)))
    return evaluate.verdicts(subject.model, batch, classes=subject.split.classes, attack=attack, seed=seed)


def summary(
    subject: Subject, found: Sequence[Measurement], budgets: Sequence[float], verdicts: Sequence[Verdict] = ()
) -> dict[str, Any]:
    """The figures of several measurements, for tables and JSON."""
    content: dict[str, Any] = {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        "images": len(subject.split),
        "accuracy": asdict(found[0].record.accuracy),
        "attacks": [{**_figures(one.record, budgets), "path": str(one.path)} for one in found],
        "missing": {},
    }
    _check_below(content)
    records = [one.record for one in found]
    if len(records) > 1 and len({str((one.about["norm"], one.about["goal"])) for one in records}) == 1:
        try:
            content["worst"] = _figures(evaluate.worst(records), budgets)
        except MeasurementError as error:  # attacks with different budgets have nothing to be compared at
            content["missing"]["worst"] = str(error)
    if verdicts:
        content["verdicts"] = [asdict(verdict) for verdict in verdicts]
    return content


def _check_below(content: Mapping[str, Any]) -> None:
    """Refuse robust accuracy above accuracy, which several records of one network come to if its answers change."""
    for figures in content["attacks"]:
        robust = max((one["value"] for one in figures["robust_accuracy"].values()), default=0.0)
        if figures["goal"] == config.dump(Misclassified()) and robust > content["accuracy"]["value"]:
            raise MeasurementError(
                f"robust accuracy is {robust:.4g} and accuracy {content['accuracy']['value']:.4g} of the same "
                "images, which cannot be: the network changes its answers from look to look; see its check"
            )


def _figures(record: Record, budgets: Sequence[float]) -> dict[str, Any]:
    about = record.about
    figures: dict[str, Any] = {
        "attack": about["attack"],
        "goal": about["goal"],
        "norm": about["norm"],
        "images": len(record),
        "unreached": record.unreached,
        "forwards": float(record.columns["forwards"].double().mean()),
        "backwards": float(record.columns["backwards"].double().mean()),
        "survived": asdict(record.survived),
        "robust_accuracy": {},
        "missing": {},
    }
    if about["nearest"] or about["levels"]:
        levels = about["levels"] or budgets
        figures["robust_accuracy"] = {f"{eps:.6g}": asdict(record.robust_accuracy(eps)) for eps in levels}
    if about["nearest"]:
        for name in ("area", "median_distance"):
            try:
                figures[name] = asdict(getattr(record, name)())
            except MeasurementError as error:
                figures[name], figures["missing"][name] = None, str(error)
    return figures


def part_of(images: Data, part: str) -> Split:
    """The images of a part by name, or of all of them."""
    found = {"test": images.test, "train": images.train, "validation": images.validation, "all": images.whole}[part]
    if found is None:
        reason = "has no validation images" if part == "validation" else "comes divided"
        raise ConfigError(f"'{images.name}' {reason}; measure on --split test")
    return found


def settings_of(options: Sequence[str]) -> Table:
    """What `name=value` says of a network."""
    settings: Table = {}
    for option in options:
        settings = config.override(settings, option)
    return settings


def sized(model: str, settings: Table, images: Data) -> Mapping[str, Any]:
    """A listed network takes the shape and the classes of the images, unless it is told otherwise."""
    if model not in models.MODELS:
        return settings
    return {"shape": list(images.test.shape), "classes": len(images.test.classes)} | settings
