"""`pellucid references`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, explains, out_folder, part, words_of
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks(split="train")
@explains("smoothgrad")
@assigns
@click.option("--of", type=click.Choice(["label", "predicted"]), default="label", show_default=True)
@click.option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@click.option("--batch", type=click.IntRange(1), help="Images at once.  [default: 32, or 512 on an accelerator]")
@out_folder("references")
@part
@as_json
def references(
    asked: Asked,
    explainers: str,
    assignments: tuple[str, ...],
    of: Any,
    dtype: Any,
    batch: int | None,
    out: Path,
    part: str,
    as_json: bool,
) -> None:
    """Make the maps of MODEL for training images: what another network's gradients may be asked to resemble.

    MODEL is a run, a listed network, package.module:factory or a program file. The maps lie in DIR, in a folder named
    by everything that they depend on: the same command goes on where it was stopped.
    """
    from pellucid.explainers import EXPLAINERS

    check_names(EXPLAINERS, words_of(explainers))

    from pellucid import subjects
    from pellucid.cli.screens import references as table
    from pellucid.cli.screens.screen import Screen
    from pellucid.explainers import chosen

    methods = chosen(words_of(explainers), assignments)
    screen = Screen(quiet=as_json)
    subject = asked.subject(report=screen.reading)
    screen.untrained([subject])
    with screen.progress() as bar:
        job = Job(batch, part, bar)
        made = subjects.references_of(subject, methods, out, of=of, seed=asked.seed, dtype=dtype, job=job)
    content = {**subjects.references_summary(subject, made), "whole": asked.n is None}
    print_json(content) if as_json else table.report(screen, content)
