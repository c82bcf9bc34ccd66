"""`pellucid normlime`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import as_json, of_network, out_folder, print_json, say_untrained


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@of_network
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
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of LIME, e.g. alpha=0.1.")
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="Features shown for each class.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--n", type=int, help="Explain this many images, drawn at random.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images in a chunk.")
@out_folder("importance")
@as_json
def normlime(
    model: str,
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
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
    part: str,
    n: int | None,
    seed: int,
    batch: int,
    out: Path,
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """Find what is important to MODEL for each class: a run, a listed network, package.module:factory or a program.

    LIME explains every image, and NormLIME puts that together. What is explained is kept in DIR, in a folder named by
    everything that it depends on: the same command goes on where it was stopped, and another --kind, --sign, --by or
    --compat costs no more passes.
    """
    from pellucid import evaluate, reports, runs
    from pellucid.console import Console
    from pellucid.console_normlime import NormLimeConsole
    from pellucid.explainers.normlime import Rule, explainer_of

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
    say_untrained(subject, as_json=as_json)
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
    console = NormLimeConsole(quiet=as_json)
    with console.progress() as watch:
        folder = evaluate.explain(
            subject.model, subject.split, explainer, out, labels=labels, seed=seed, batch=batch, watch=watch
        )
    content: dict[str, Any] = {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        **evaluate.write_importance(folder, subject.split, explainer, top=top),
    }
    content["pictures"] = reports.write_class_maps(Path(content["path"]), content["missing"])
    print_json(content) if as_json else console.report(content)
