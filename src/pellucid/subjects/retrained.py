"""Retraining what a person asks about: a run by its own recipe, or a listed network that is trained first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from pellucid import config
from pellucid.config import Table
from pellucid.data import Data, Report, silent
from pellucid.errors import ConfigError, DataError
from pellucid.evaluate.retrain import Design, Ranking, Retrained, place, retrain
from pellucid.ledger import Job
from pellucid.metrics import Estimate
from pellucid.runs.executing import Event, build_model, execute
from pellucid.runs.folder import RunFolder
from pellucid.runs.preparing import prepare
from pellucid.runs.spec import Spec, table
from pellucid.subjects.answer import AskedData, data_of, device_of, is_run
from pellucid.subjects.asked import Asked
from pellucid.train import Recipe


@dataclass(frozen=True, eq=False)
class Original:
    """The run whose network is ranked and retrained, and its images."""

    run: RunFolder
    spec: Spec
    data: Data


def original(
    asked: Asked,
    folder: Path,
    *,
    assignments: Sequence[str] = (),
    report: Report = silent,
    watch: Callable[[Event], None] = lambda _: None,
) -> Original:
    """The run that is asked about, or one of the network that is named, which is trained where it is not yet.

    Such a run is trained by the recipe `standard` with what `assignments` say of `recipe`, and lies in `folder`.
    """
    if asked.weights is not None:
        raise ConfigError(
            "networks are retrained as they were trained, which weights do not tell; leave --weights out, "
            "or name a run"
        )
    if asked.n is not None or asked.split != "test":
        raise ConfigError("networks are retrained on all training images and tested on all others; leave --n out")
    if is_run(asked.model):
        if asked.options:
            raise ConfigError(f"'{asked.model}' is a run and has its options; give none")
        run = RunFolder.open(Path(asked.model))
        if not run.complete:
            raise ConfigError(f"'{asked.model}' is a run that is not complete; go on with the command that began it")
        spec, images = run.spec(), data_of(asked, report)
        return Original(run, replace(spec, recipe=_recipe(spec, assignments)), _labeled(images))
    if asked.data is None:
        raise ConfigError(f"'{asked.model}' is no run, so it does not know its data; give --data")
    wanted = {
        "data.source": asked.data,
        "data.download": asked.download or None,
        "data.size": asked.size,
        "data.skip_bad": asked.skip_bad or None,
        "model.name": asked.model,
        "model.options": asked.settings or None,
        "seed": asked.seed,
    }
    spec, data = prepare(table("standard", wanted, assignments), report)
    run = RunFolder(folder / spec.folder)
    for event in execute(spec, data, run, Fabric(accelerator=asked.device, devices=1)):
        watch(event)
    return Original(run, spec, data)


def retraining(
    found: Original,
    rankings: Mapping[str, Ranking],
    design: Design,
    folder: Path,
    *,
    device: str = "auto",
    job: Job = Job(),
) -> Retrained:
    """Retrain networks as the run's was, with cross-entropy, from fresh weights."""
    spec, on = found.spec, device_of(device)

    def fresh(number: int) -> nn.Module:
        return build_model(replace(spec, seed=number))

    data = replace(found.data, train=found.data.train.to(on), test=found.data.test.to(on))
    model = found.run.network(spec).to(on)
    return retrain(model, fresh, data, rankings, spec.recipe, folder, design=design, job=job)


def retrained_summary(found: Original, table: Retrained, folder: Path) -> dict[str, Any]:
    """Every figure and every comparison, for tables and JSON."""
    content: dict[str, Any] = {
        "model": str(found.run.path),
        "data": found.data.name,
        "original": found.run.read_json("result.json")["test"],
        "images": int(table.columns["n"][0]),
        "seeds": table.about["seeds"],
        "unit": table.about["unit"],
        "fractions": list(table.fractions),
        "protocols": [],
        "path": str(place(folder, table.about)),
        "rows": table.rows(),
    }
    for protocol in table.protocols:
        names = table.rankings
        curves = {
            name: {
                "accuracy": [_known(table.accuracy(protocol, name, fraction)) for fraction in table.fractions],
                "area": _known(table.area(protocol, name)),
            }
            for name in names
        }
        pairs = [(one, other) for number, one in enumerate(names) for other in names[number + 1 :]]
        comparisons: list[dict[str, Any]] = []
        for first, second in pairs:
            pair = table.compared(protocol, first, second)
            difference = _known(pair.difference)
            comparisons.append({"first": first, "second": second, **difference, "p": pair.p, "exact": pair.exact})
        content["protocols"].append({"protocol": protocol, "rankings": curves, "comparisons": comparisons})
    return content


def _known(estimate: Estimate) -> dict[str, Any]:
    """The estimate for JSON, which knows no endless interval: there is none, and the note says why."""
    if estimate.n > 1:
        return {**asdict(estimate), "note": ""}
    return {
        **asdict(estimate),
        "low": None,
        "high": None,
        "note": "one network, so no interval; give 2 seeds or more",
    }


def _labeled(images: AskedData) -> Data:
    if images.known is None:
        raise DataError(
            f"nobody has labeled the images of '{images.source}', and networks learn labels; "
            "put them into a folder for each class"
        )
    return images.known


def _recipe(spec: Spec, assignments: Sequence[str]) -> Recipe:
    """The recipe of a run, changed where somebody says so."""
    settings: Table = {"recipe": config.dump(spec.recipe)}
    for assignment in assignments:
        settings = config.override(settings, assignment)
    return config.build(Recipe, settings["recipe"], "recipe")
