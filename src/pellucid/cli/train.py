"""`pellucid train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import assigns, check_names, device, download, out_folder, skip_bad, trustful
from pellucid.cli.starter import starter, starting
from pellucid.stopping import ends_too, follow, keep_silent

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@click.command()
@click.argument("recipe", metavar="RECIPE|FILE.toml")
@click.option("--preset", default="", metavar="NAME", help="As a paper or a table has it; 'pellucid list presets'.")
@click.option("--data", "source", metavar="NAME|PATH", help="Images to train on.  [default: digits]")
@click.option("--model", metavar="NAME|PKG.MOD:FACTORY", help="The network.  [default: simple-cnn]")
@click.option("--init", metavar="WEIGHTS", help="Start from these weights instead of random ones.")
@click.option("--reference", metavar="DIR", help="Maps that 'pellucid references' made, for recipes that use such.")
@click.option("--seed", type=int, help="Everything random follows from it.  [default: 0]")
@assigns
@out_folder("runs")
@device
@click.option(
    "--devices", type=click.IntRange(1), default=1, show_default=True, help="Processes that train together."
)
@click.option("--strategy", type=click.Choice(["auto", "ddp"]), default="auto", show_default=True)
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed"]), help="[default: 32-true]")
@download
@trustful
@skip_bad
@click.option("--tensorboard", is_flag=True, help="Write curves for TensorBoard too.")
@as_json
def train(
    recipe: str,
    preset: str,
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
    from pellucid.train import RECIPES

    if not recipe.endswith(".toml"):
        check_names(RECIPES, [recipe])

    from pellucid import runs
    from pellucid.cli.screens import trained
    from pellucid.cli.screens.screen import Screen
    from pellucid.subjects import check_device

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
    check_device(device, devices)
    settings = runs.table(recipe, options, assignments, preset=preset)
    fabric = _fabric(device, devices, strategy, runs.build(settings).precision)
    screen = Screen(quiet=as_json or not fabric.is_global_zero)
    spec, images = runs.prepare(settings, screen.reading)
    folder = runs.RunFolder(out / spec.folder)
    trained.begin(screen, spec, images, folder)
    with screen.progress() as bar:
        watch = trained.watcher(screen, bar)
        for event in runs.execute(spec, images, folder, fabric, tensorboard=tensorboard):
            watch(event)
    if fabric.is_global_zero:
        trained.end(screen, folder) if not as_json else print_json(folder.summary())


def _fabric(device: str, devices: int, strategy: str, precision: Any) -> "Fabric":
    import logging

    from lightning_fabric import Fabric

    # what Fabric tells of its processes is no news to whoever asked for them
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    together = "ddp" if devices > 1 and strategy == "auto" else strategy
    fabric = Fabric(accelerator=device, devices=devices, strategy=together, precision=precision)
    if not fabric.is_global_zero:
        keep_silent()
    if not fabric.is_global_zero and starter():
        follow(starter())
    launcher: Any = fabric.strategy.launcher
    ends_too(lambda: [process.kill() for process in getattr(launcher, "procs", ())])
    with starting():
        fabric.launch()
    return fabric
