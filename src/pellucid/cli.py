"""The command line: each command parses, calls one function and prints.

Nothing heavy is imported before a command runs, so `--help` answers at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pellucid.errors import PellucidError, UnknownName, suggestion

if TYPE_CHECKING:
    from lightning_fabric import Fabric

REGISTRIES = {
    "recipes": "pellucid.train:RECIPES",
    "models": "pellucid.models:MODELS",
    "data": "pellucid.data:DATA",
    "terms": "pellucid.objectives:TERMS",
    "weights": "pellucid.objectives:WEIGHTS",
    "neighbours": "pellucid.objectives:NEIGHBOURS",
    "optimizers": "pellucid.train:OPTIMIZERS",
    "schedules": "pellucid.train:SCHEDULES",
    "augmentations": "pellucid.data:AUGMENTATIONS",
    "activations": "pellucid.models:ACTIVATIONS",
    "attacks": "pellucid.attacks:ATTACKS",
    "presets": "pellucid.attacks:PRESETS",
    "explainers": "pellucid.explain:EXPLAINERS",
    "references": "pellucid.train.references:REFERENCES",
    "checks": "pellucid.evaluate:CHECKS",
    "goals": "pellucid.attacks:GOALS",
    "norms": "pellucid.norms:NORMS",
}

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")


def main() -> None:
    """Run the command line; an error of ours is one line, without a traceback."""
    try:
        status = cli.main(standalone_mode=False)
    except PellucidError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command goes on where it was stopped", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pellucid")
def cli() -> None:
    """Train image classifiers whose explanations can be trusted, and prove it."""


@cli.command()
@click.argument("recipe", metavar="RECIPE|FILE.toml")
@click.option("--data", "source", metavar="NAME|PATH", help="Images to train on.  [default: digits]")
@click.option("--model", metavar="NAME|PKG.MOD:FACTORY", help="The network.  [default: simple-cnn]")
@click.option("--init", metavar="WEIGHTS", help="Start from these weights instead of random ones.")
@click.option("--reference", metavar="DIR", help="Maps that 'pellucid references' made, for recipes that use such.")
@click.option("--seed", type=int, help="Everything random follows from it.  [default: 0]")
@click.option("--set", "assignments", metavar="A.B=C", multiple=True, help="Set any setting, e.g. recipe.epochs=5.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--devices", type=click.IntRange(1), default=1, show_default=True, help="Processes that train together."
)
@click.option("--strategy", type=click.Choice(["auto", "ddp"]), default="auto", show_default=True)
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed"]), help="[default: 32-true]")
@click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read, and say how many.")
@click.option("--tensorboard", is_flag=True, help="Write curves for TensorBoard too.")
@as_json
def train(
    recipe: str,
    source: str | None,
    model: str | None,
    init: str | None,
    reference: str | None,
    seed: int | None,
    assignments: tuple[str, ...],
    out: Path,
    device: str,
    devices: int,
    strategy: str,
    precision: str | None,
    download: bool,
    skip_bad: bool,
    tensorboard: bool,
    as_json: bool,
) -> None:
    """Train a network by a named RECIPE or by the settings in FILE.toml.

    The run's folder lies in DIR and is named by everything that its result depends on: the same command finds it
    again, goes on where it was stopped, and does nothing where it is complete.
    """
    from pellucid import runs
    from pellucid.console import Console

    options = {
        "data.source": source,
        "data.download": download or None,
        "data.skip_bad": skip_bad or None,
        "model.name": model,
        "model.init": init,
        "seed": seed,
        "precision": precision,
        "references.reference": reference and {"kind": "stored", "path": reference},
    }
    settings = runs.table(recipe, options, assignments)
    fabric = _fabric(device, devices, strategy, runs.build(settings).precision)
    console = Console(quiet=as_json or not fabric.is_global_zero)
    spec, images = runs.prepare(settings, console.reading)
    folder = runs.RunFolder(out / spec.folder)
    console.begin(spec, images, folder)
    with console.progress() as watch:
        for event in runs.execute(spec, images, folder, fabric, tensorboard=tensorboard):
            watch(event)
    if fabric.is_global_zero:
        console.end(folder) if not as_json else _print_json(folder.summary())


@cli.command()
@click.argument("model", metavar="MODEL")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@click.option("--weights", metavar="FILE", help="Weights for a network that is named or built by your own function.")
@click.option("--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of the network.")
@click.option("--attack", "attacks", default="fmn", show_default=True, metavar="NAME[,NAME]", help="What to try.")
@click.option("--preset", default="", metavar="NAME", help="Settings of a paper; see 'pellucid list presets'.")
@click.option("--eps", default="", metavar="E[,E]", help="Budgets in [0, 1] pixel units, e.g. 4/255,8/255.")
@click.option("--norm", default="", metavar="NAME", help="linf, l2, rms, l1 or l0.  [default: the attack's]")
@click.option("--goal", "goals", default="", metavar="NAME[,NAME]", help="E.g. misclassified,below-chance.")
@click.option("--restarts", type=click.IntRange(1), default=1, show_default=True, help="Attempts per image.")
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of the attack, e.g. steps=100.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--n", type=int, help="Measure on this many images, drawn at random.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images attacked at once.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("measurements"), show_default=True, metavar="DIR"
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed"]), default="32-true", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Compile the network that is searched.")
@click.option("--verdicts/--no-verdicts", default=True, help="Check whether the figures can be believed.")
@click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand.")
@as_json
def measure(
    model: str,
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    attacks: str,
    preset: str,
    eps: str,
    norm: str,
    goals: str,
    restarts: int,
    assignments: tuple[str, ...],
    part: str,
    n: int | None,
    seed: int,
    batch: int,
    out: Path,
    device: str,
    precision: Any,
    compiled: bool,
    verdicts: bool,
    download: bool,
    as_json: bool,
) -> None:
    """Measure how robust MODEL is: a run, a listed network, package.module:factory or a program file.

    Every image's result is kept in DIR, in a folder named by everything that it depends on: the same command goes on
    where it was stopped, and reads the result back where it is complete.
    """
    from pellucid import runs
    from pellucid.attacks import Engine, budget, named
    from pellucid.console import Console
    from pellucid.console_measure import MeasureConsole

    budgets = tuple(map(budget, _listed(eps)))
    tried = [
        one
        for name in _listed(attacks)
        for one in named(
            name,
            preset=preset,
            eps=budgets,
            norm=norm,
            goals=_listed(goals),
            restarts=restarts,
            assignments=assignments,
        )
    ]
    subject = runs.subject(
        model,
        source,
        weights=weights,
        options=options,
        part=part,
        n=n,
        seed=seed,
        device=device,
        download=download,
        report=Console(quiet=as_json).reading,
    )
    console, engine = MeasureConsole(quiet=as_json), Engine(precision, compiled)
    found: list[runs.Measurement] = []
    for attack in tried:
        with console.progress(attack) as watch:
            found.append(
                runs.carry_out(subject, attack, folder=out, seed=seed, batch=batch, engine=engine, watch=watch)
            )
    checks = runs.checked(subject, tried[0], seed=seed) if verdicts else ()
    content = runs.summary(subject, found, budgets, checks)
    _print_json(content) if as_json else console.report(content)


@cli.command()
@click.argument("teacher", metavar="TEACHER")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@click.option("--weights", metavar="FILE", help="Weights for a network that is named or built by your own function.")
@click.option("--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of the network.")
@click.option("--explainer", "names", default="smoothgrad", show_default=True, metavar="NAME[,NAME]")
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of it, e.g. samples=20.")
@click.option("--of", type=click.Choice(["label", "predicted"]), default="label", show_default=True)
@click.option("--split", "part", type=click.Choice(["train", "test", "validation", "all"]), default="train")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@click.option("--batch", type=click.IntRange(1), help="Images at once.  [default: 32, or 512 on an accelerator]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("references"), show_default=True, metavar="DIR")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand.")
@as_json
def references(
    teacher: str,
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    names: str,
    assignments: tuple[str, ...],
    of: Any,
    part: str,
    seed: int,
    dtype: Any,
    batch: int | None,
    out: Path,
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """Make the maps of TEACHER for training images: what another network's gradients may be asked to resemble.

    TEACHER is a run, a listed network, package.module:factory or a program file. The maps lie in DIR, in a folder
    named by everything that they depend on: the same command goes on where it was stopped.
    """
    from pellucid import runs
    from pellucid.console import Console
    from pellucid.console_references import ReferencesConsole
    from pellucid.explain import named
    from pellucid.train.references import MapFolder, make

    explainers = {name: named(name, assignments) for name in _listed(names)}
    subject = runs.subject(
        teacher,
        source,
        weights=weights,
        options=options,
        part=part,
        device=device,
        download=download,
        report=Console(quiet=as_json).reading,
    )
    console = ReferencesConsole(quiet=as_json)
    made: list[MapFolder] = []
    for name, explainer in explainers.items():
        with console.progress(name) as watch:
            made.append(
                make(
                    subject.model,
                    subject.split,
                    explainer,
                    out,
                    of=of,
                    seed=seed,
                    dtype=dtype,
                    batch=batch,
                    watch=watch,
                )
            )
    content: dict[str, Any] = {
        "teacher": subject.name,
        "data": subject.source,
        "images": len(subject.split),
        "maps": [{"path": str(one.path), "fingerprint": one.fingerprint, **one.about} for one in made],
    }
    _print_json(content) if as_json else console.report(content)


@cli.command("list")
@click.argument("kind", required=False, metavar="[KIND]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR")
@as_json
def list_command(kind: str | None, out: Path, as_json: bool) -> None:
    """List what there is: recipes, models, data, terms, ..., or the runs in DIR."""
    from pellucid import runs
    from pellucid.console import Console

    if kind is not None and kind not in (*REGISTRIES, "runs"):
        raise UnknownName(f"there is no list of '{kind}'{suggestion(kind, (*REGISTRIES, 'runs'))}")
    found: dict[str, Any] = {name: _entries(place) for name, place in REGISTRIES.items() if kind in (None, name)}
    if kind in (None, "runs"):
        found["runs"] = {run.path.name: runs.headline(run) for run in runs.runs_in(out)}
    _print_json(found) if as_json else Console().lists(found)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@as_json
def show(run: Path, as_json: bool) -> None:
    """Show a RUN: its settings, its epochs and its result."""
    from pellucid import runs
    from pellucid.console import Console

    folder = runs.RunFolder.open(run)
    _print_json(folder.summary()) if as_json else Console().run(folder)


def _fabric(device: str, devices: int, strategy: str, precision: Any) -> "Fabric":
    import logging

    from lightning_fabric import Fabric

    # what Fabric tells of its processes is no news to whoever asked for them
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    together = "ddp" if devices > 1 and strategy == "auto" else strategy
    fabric = Fabric(accelerator=device, devices=devices, strategy=together, precision=precision)
    fabric.launch()
    return fabric


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _entries(place: str) -> dict[str, str]:
    import importlib

    from pellucid.registry import describe

    module, _, name = place.partition(":")
    return {entry: describe(value) for entry, value in getattr(importlib.import_module(module), name).items()}


def _print_json(content: Any) -> None:
    import json

    click.echo(json.dumps(content, indent=2))
