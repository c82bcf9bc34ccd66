"""`pellucid retrain`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, out_folder, part, words_of
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks(without=("split", "n", "classes", "map"))
@click.option("--ranking", "names", default="random,variance,gradient", show_default=True, metavar="NAME[,NAME]")
@click.option("--protocol", "protocols", default="roar,kar", show_default=True, metavar="NAME[,NAME]")
@click.option("--fractions", default="0.1,0.3,0.5,0.7,0.9", show_default=True, metavar="F[,F]")
@click.option("--seeds", type=int, default=5, show_default=True, help="Networks for each point of a curve.")
@click.option("--unit", type=click.Choice(["pixel", "scalar"]), default="pixel", show_default=True)
@assigns
@click.option(
    "--together", type=click.IntRange(1), help="Networks trained at once.  [default: as many as is fastest]"
)
@out_folder("retrained")
@part
@as_json
def retrain(
    asked: Asked,
    names: str,
    protocols: str,
    fractions: str,
    seeds: int,
    unit: Any,
    assignments: tuple[str, ...],
    together: int | None,
    out: Path,
    part: str,
    as_json: bool,
) -> None:
    """See what MODEL still learns without the pixels that rankings call important, and from them alone.

    MODEL is a run, or a listed network or package.module:factory, which then is trained first. Rankings are those
    that `pellucid list rankings` shows, and explainers. Recipe and rankings are set by --set, e.g. recipe.epochs=5.
    Everything is kept in DIR: the same command goes on where it was stopped.
    """
    from pellucid import subjects
    from pellucid.cli.screens import retrained, trained
    from pellucid.cli.screens.screen import Screen
    from pellucid.evaluate.retrain import Design, protocols_named, rankings_named

    recipe = [one for one in assignments if one.startswith("recipe.")]
    rankings = rankings_named(words_of(names), [one for one in assignments if one not in recipe])
    design = Design(protocols_named(words_of(protocols)), _numbers(fractions), seeds, unit, asked.seed)
    subjects.check_device(asked.device)
    screen = Screen(quiet=as_json)
    with screen.progress() as bar:
        watch = trained.watcher(screen, bar)
        found = subjects.original(asked, out, assignments=recipe, report=screen.reading, watch=watch)
    with screen.progress() as bar:
        job = Job(together, part, bar)
        table = subjects.retraining(found, rankings, design, out, device=asked.device, job=job)
    content = subjects.retrained_summary(found, table, out)
    print_json(content) if as_json else retrained.report(screen, content)


def _numbers(text: str) -> tuple[float, ...]:
    from pellucid.errors import ConfigError

    try:
        return tuple(map(float, words_of(text)))
    except ValueError as error:
        raise ConfigError(f"'{text}' are no fractions; write them as 0.1,0.5") from error
