"""`pellucid references`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import as_json, listed, of_network, out_folder, print_json, say_untrained


@click.command()
@click.argument("teacher", metavar="TEACHER")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@of_network
@click.option("--explainer", "names", default="smoothgrad", show_default=True, metavar="NAME[,NAME]")
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of it, e.g. samples=20.")
@click.option("--of", type=click.Choice(["label", "predicted"]), default="label", show_default=True)
@click.option("--split", "part", type=click.Choice(["train", "test", "validation", "all"]), default="train")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@click.option("--batch", type=click.IntRange(1), help="Images at once.  [default: 32, or 512 on an accelerator]")
@out_folder("references")
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
    from pellucid.explainers import named
    from pellucid.train.references import MapFolder, make

    explainers = {name: named(name, assignments) for name in listed(names)}
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
    say_untrained(subject, as_json=as_json)
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
        "untrained": subject.untrained,
        "data": subject.source,
        "images": len(subject.split),
        "maps": [{"path": str(one.path), "fingerprint": one.fingerprint, **one.about} for one in made],
    }
    print_json(content) if as_json else console.report(content)
