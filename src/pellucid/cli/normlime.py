"""`pellucid normlime`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, out_folder, part
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks()
@click.option("--masks", type=int, help="Masks per image.  [default: LIME's]")
@click.option("--segmentation", default="grid", show_default=True, metavar="NAME", help="What the features are.")
@click.option("--cell", type=click.IntRange(1), help="Pixels that a cell of the grid is wide.  [default: 7x7 cells]")
@click.option("--words", type=int, default=0, show_default=True, help="So many words for superpixels; 0 for none.")
@click.option("--layer", default="", metavar="NAME", help="Describe superpixels by this layer.  [default: by color]")
@click.option("--labels", type=click.Choice(["predicted", "true"]), default="predicted", show_default=True)
@click.option(
    "--kind",
    type=click.Choice(["normlime", "mean-abs", "sp-lime", "mean-square"]),
    default="normlime",
    show_default=True,
)
@click.option("--sign", type=click.Choice(["both", "positive", "negative"]), default="both", show_default=True)
@click.option("--by", type=click.Choice(["class", "global"]), default="class", show_default=True)
@click.option("--compat", type=click.Choice(["none", "interpretdl"]), default="none", show_default=True)
@assigns
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Features shown for each class.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images in a chunk.")
@out_folder("importance")
@part
@as_json
def normlime(
    asked: Asked,
    masks: int | None,
    segmentation: str,
    cell: int | None,
    words: int,
    layer: str,
    labels: Any,
    kind: Any,
    sign: Any,
    by: Any,
    compat: Any,
    assignments: tuple[str, ...],
    top: int,
    batch: int,
    out: Path,
    part: str,
    as_json: bool,
) -> None:
    """Find what is important to MODEL for each class: a run, a listed network, package.module:factory or a program.

    LIME explains every image, and NormLIME puts that together. What is explained is kept in DIR, in a folder named by
    everything that it depends on: the same command goes on where it was stopped, and another --kind, --sign, --by or
    --compat costs no more passes.
    """
    from pellucid import reports, subjects
    from pellucid.cli.screens import importance
    from pellucid.cli.screens.screen import Screen
    from pellucid.explainers.normlime import Rule, explainer_of

    screen = Screen(quiet=as_json)
    subject = asked.subject(report=screen.reading)
    screen.untrained([subject])
    explainer = explainer_of(
        subject.split.shape,
        masks=masks,
        segmentation=segmentation,
        cell=cell,
        assignments=assignments,
        words=words,
        layer=layer,
        rule=Rule(kind, sign, by, compat),
    )
    with screen.progress() as bar:
        job = Job(batch, part, bar)
        found = subjects.importance_of(subject, explainer, out, labels=labels, seed=asked.seed, job=job)
    content = subjects.importance_summary(subject, found, explainer, top=top)
    content["pictures"] = reports.write_class_maps(Path(content["path"]), content["missing"])
    print_json(content) if as_json else importance.report(screen, content)
