"""`pellucid neurons`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import as_json, listed, of_network, out_folder, print_json, say_untrained


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@of_network
@click.option("--layer", "layers", default="", metavar="NAME[,NAME]", help="[default: what the last layer reads]")
@click.option(
    "--pool", type=click.Choice(["max", "mean"]), default="max", show_default=True, help="Of a channel's map."
)
@click.option(
    "--similarity", default="identity", show_default=True, metavar="NAME|FILE", help="How alike classes are."
)
@click.option("--top", "share", type=float, default=0.01, show_default=True, help="Share of images that activate.")
@click.option("--least", type=int, default=50, show_default=True, help="So many of them at least.")
@click.option("--estimator", type=click.Choice(["pairs", "plain"]), default="pairs", show_default=True)
@click.option("--root", is_flag=True, help="Take the square root of levels.")
@click.option("--balance/--no-balance", default=True, help="Count images by how rare their class is.")
@click.option("--draws", type=int, default=200, show_default=True, help="How often labels are permuted.")
@click.option("--eps", default="", metavar="E", help="Attack images within this budget.  [default: no attack]")
@click.option("--attack", default="pgd", show_default=True, metavar="NAME", help="What leads them to other classes.")
@click.option("--norm", default="", metavar="NAME", help="linf, l2, rms, l1 or l0.  [default: the attack's]")
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of the attack, e.g. steps=100.")
@click.option("--targets", type=int, default=9, show_default=True, help="Other classes for each image.")
@click.option("--count", "which", type=click.Choice(["succeeded", "all"]), default="succeeded", show_default=True)
@click.option("--traced", type=int, default=100, show_default=True, help="Predictions to take apart.")
@click.option("--neurons", "shown", type=click.IntRange(1), default=5, show_default=True, help="Shown of each end.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--n", type=int, help="Look at this many images, drawn at random.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images in a chunk.")
@out_folder("neurons")
@as_json
def neurons(
    model: str,
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    layers: str,
    pool: Any,
    similarity: str,
    share: float,
    least: int,
    estimator: Any,
    root: bool,
    balance: bool,
    draws: int,
    eps: str,
    attack: str,
    norm: str,
    assignments: tuple[str, ...],
    targets: int,
    which: Any,
    traced: int,
    shown: int,
    part: str,
    n: int | None,
    seed: int,
    batch: int,
    out: Path,
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """Measure whether neurons of MODEL mean one thing: a run, a listed network or package.module:factory.

    A neuron is consistent where the images that activate it most are of one class, or of classes alike. With --eps
    images are also led to other classes, to see whether neurons stay with what is in the picture. What neurons say
    is kept in DIR, in a folder named by everything that it depends on: the same command goes on where it was
    stopped, and another --similarity, --top or --estimator costs no more passes.
    """
    from pellucid import reports, runs
    from pellucid.attacks import budget
    from pellucid.console import Console
    from pellucid.console_neurons import NeuronsConsole
    from pellucid.evaluate.neurons import Probing, examine, findings, write_findings
    from pellucid.metrics.neurons import Reading

    alike = runs.similarity_of(similarity)
    how = Reading(share, least, estimator, root, balance, draws)
    led = runs.leading(attack, budget(eps) if eps else None, norm=norm, assignments=assignments)
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
    alike.matrix(subject.split.classes)  # before any pass is spent
    probing = Probing(runs.layers_of(subject, listed(layers)), pool, led, targets, traced)
    console = NeuronsConsole(quiet=as_json)
    with console.progress() as watch:
        examined = examine(subject.model, subject.split, probing, out, seed=seed, batch=batch, watch=watch)
    found = findings(examined, alike, how, which=which, seed=seed)
    content = {
        "model": subject.name,
        "untrained": subject.untrained,
        "data": subject.source,
        **write_findings(examined, found, alike, how, top=shown),
    }
    content["pictures"] = reports.write_top_images(content, subject.split)
    print_json(content) if as_json else console.report(content)
