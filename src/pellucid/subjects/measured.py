"""Measuring how robust a subject is, each attack in a folder of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pellucid import config, data
from pellucid.attacks import Attack, Engine, Misclassified
from pellucid.attacks.attack import check_box
from pellucid.attacks.budget import Budget
from pellucid.data import sample
from pellucid.errors import MeasurementError
from pellucid.evaluate import Record, Verdict, measure, measuring_description, verdicts, worst
from pellucid.ledger import Job, identity
from pellucid.subjects.subject import Subject, folder_name

_CHECKED = 32  # images that the checks look at, since they repeat the attack on them


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one attack came to, and where it is kept."""

    attack: Attack
    record: Record
    path: Path


def check_budgets(subject: Subject, attacks: Sequence[Attack]) -> None:
    """Refuse budgets within which images of this size could become any other, before anything is measured."""
    (first,) = subject.split.batches([torch.arange(1)])
    for attack in attacks:
        for level in attack.levels:
            check_box(level, attack.norm, first.x, "the attack")


def measurement_of(
    subject: Subject,
    attack: Attack,
    *,
    folder: Path,
    seed: int = 0,
    engine: Engine = Engine(),
    job: Job = Job(),
) -> Measurement:
    """Measure one attack, in a folder named by everything that the result depends on."""
    subject.check_labeled("accuracy is about labels")
    about = measuring_description(subject.model, subject.split, attack, seed, engine)
    path = folder / folder_name(subject, config.kind_of(type(attack)), identity(about))
    record = measure(subject.model, subject.split, attack, seed=seed, folder=path, engine=engine, job=job)
    return Measurement(attack, record, path)


def checked(subject: Subject, attack: Attack, *, seed: int = 0) -> tuple[Verdict, ...]:
    """What the checks find on some of the images."""
    some = sample(subject.split, _CHECKED, seed=seed)
    (batch,) = some.batches(data.sequential(some, len(some)))
    return verdicts(subject.model, batch, classes=subject.split.classes, attack=attack, seed=seed)


def measured_summary(
    subject: Subject, found: Sequence[Measurement], budgets: Sequence[Budget], verdicts: Sequence[Verdict] = ()
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
            content["worst"] = _figures(worst(records), budgets)
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


def _figures(record: Record, budgets: Sequence[Budget]) -> dict[str, Any]:
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
        typed = {budget.eps: budget.text for budget in budgets}
        figures["robust_accuracy"] = {
            f"{eps:.6g}": {**asdict(record.robust_accuracy(eps)), "eps": eps, "typed": typed.get(eps, f"{eps:.6g}")}
            for eps in about["levels"] or typed
        }
    if about["nearest"]:
        for name in ("area", "median_distance"):
            try:
                figures[name] = asdict(getattr(record, name)())
            except MeasurementError as error:
                figures[name], figures["missing"][name] = None, str(error)
    return figures
