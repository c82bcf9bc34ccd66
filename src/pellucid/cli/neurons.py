"""`pellucid neurons`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, out_folder, part, words_of
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks()
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
@assigns
@click.option("--targets", type=int, default=9, show_default=True, help="Other classes for each image.")
@click.option("--count", "which", type=click.Choice(["succeeded", "all"]), default="succeeded", show_default=True)
@click.option("--traced", type=int, default=100, show_default=True, help="Predictions to take apart.")
@click.option("--neurons", "shown", type=click.IntRange(1), default=5, show_default=True, help="Shown of each end.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images in a chunk.")
@out_folder("neurons")
@part
@as_json
def neurons(
    asked: Asked,
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
    batch: int,
    out: Path,
    part: str,
    as_json: bool,
) -> None:
    """Measure whether neurons of MODEL mean one thing: a run, a listed network or package.module:factory.

    A neuron is consistent where the images that activate it most are of one class, or of classes alike. With --eps
    images are also led to other classes, to see whether neurons stay with what is in the picture. What neurons say
    is kept in DIR, in a folder named by everything that it depends on: the same command goes on where it was
    stopped, and another --similarity, --top or --estimator costs no more passes.
    """
    from pellucid.attacks import ATTACKS, Budget

    budget = Budget.parse(eps) if eps else None
    check_names(ATTACKS, [attack])

    from pellucid import reports, subjects
    from pellucid.cli.screens import neurons as table
    from pellucid.cli.screens.screen import Screen
    from pellucid.evaluate.neurons import Probing
    from pellucid.metrics.neurons import Reading

    alike = subjects.similarity_of(similarity)
    how = Reading(share, least, estimator, root, balance, draws)
    led = subjects.leading(attack, budget, norm=norm, assignments=assignments)
    screen = Screen(quiet=as_json)
    subject = asked.subject(report=screen.reading)
    screen.untrained([subject])
    alike.matrix(subject.split.classes)  # before any pass is spent
    probing = Probing(subjects.layers_of(subject, words_of(layers)), pool, led, targets, traced)
    with screen.progress() as bar:
        examined = subjects.neurons_of(subject, probing, out, seed=asked.seed, job=Job(batch, part, bar))
    content = subjects.neurons_summary(subject, examined, alike, how, which=which, seed=asked.seed, top=shown)
    content["budget"] = None if budget is None else {"eps": budget.eps, "typed": budget.text}
    content["pictures"] = reports.write_top_images(content, subject.split)
    print_json(content) if as_json else table.report(screen, content)
