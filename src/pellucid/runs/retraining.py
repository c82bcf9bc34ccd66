"""Retraining a network that is named: what a run says of itself, or a listed network that is trained first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from pellucid import config
from pellucid.config import Table
from pellucid.data import Data, Report, silent
from pellucid.errors import ConfigError
from pellucid.evaluate.retrain import Protocol, Ranking, Retrained, Retraining, Unit, place, retrain
from pellucid.metrics import Estimate
from pellucid.runs.execute import Event, build_model, execute, prepare
from pellucid.runs.folder import RunFolder
from pellucid.runs.measuring import device_of, known_data, settings_of
from pellucid.runs.spec import Spec, table
from pellucid.train import Recipe


@dataclass(frozen=True, eq=False)
class Original:
    """The run whose network is ranked and retrained, and its images."""

    run: RunFolder
    spec: Spec
    data: Data


def original(
    model: str,
    source: str | None,
    *,
    options: Sequence[str] = (),
    assignments: Sequence[str] = (),
    seed: int = 0,
    out: Path,
    device: str = "auto",
    download: bool = False,
    report: Report = silent,
    watch: Callable[[Event], None] = lambda _: None,
) -> Original:
    """The run that a path names, or one of the network that a name stands for, which is trained where it is not yet.

    Such a run is trained by the recipe `standard` with what `assignments` say of `recipe`, and lies in `out`.
    """
    if (Path(model) / "spec.toml").is_file():
        if options:
            raise ConfigError(f"'{model}' is a run and has its options; give none")
        run = RunFolder.open(Path(model))
        if not run.complete:
            raise ConfigError(f"'{model}' is a run that is not complete; go on with the command that began it")
        spec = run.spec()
        data, _ = known_data(model, source, download=download, report=report)
        return Original(run, replace(spec, recipe=_recipe(spec, assignments)), data)
    if source is None:
        raise ConfigError(f"'{model}' is no run, so it does not know its data; give --data")
    wanted = {
        "data.source": source,
        "data.download": download or None,
        "model.name": model,
        "model.options": settings_of(options) or None,
        "seed": seed,
    }
    spec, data = prepare(table("standard", wanted, assignments), report)
    run = RunFolder(out / spec.folder)
    for event in execute(spec, data, run, Fabric(accelerator=device, devices=1)):
        watch(event)
    return Original(run, spec, data)


def retraining(
    found: Original,
    rankings: Mapping[str, Ranking],
    out: Path,
    *,
    protocols: Sequence[Protocol],
    fractions: Sequence[float],
    seeds: int,
    unit: Unit = "pixel",
    seed: int = 0,
    together: int | None = None,
    device: str = "auto",
    watch: Callable[[Retraining], None] = lambda _: None,
) -> Retrained:
    """Retrain networks as the run's was, with cross-entropy, from fresh weights."""
    spec, on = found.spec, device_of(device)

    def fresh(number: int) -> nn.Module:
        return build_model(replace(spec, seed=number))

    data = replace(found.data, train=found.data.train.to(on), test=found.data.test.to(on))
    return retrain(
        found.run.network(spec).to(on),
        fresh,
        data,
        rankings,
        spec.recipe,
        out,
        protocols=protocols,
        fractions=fractions,
        seeds=seeds,
        unit=unit,
        seed=seed,
        together=together,
        watch=watch,
    )


def retrained_summary(found: Original, table: Retrained, out: Path) -> dict[str, Any]:
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
        "path": str(place(out, table.about)),
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


def _recipe(spec: Spec, assignments: Sequence[str]) -> Recipe:
    """The recipe of a run, changed where somebody says so."""
    settings: Table = {"recipe": config.dump(spec.recipe)}
    for assignment in assignments:
        settings = config.override(settings, assignment)
    return config.build(Recipe, settings["recipe"], "recipe")
