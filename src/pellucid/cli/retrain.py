"""`pellucid retrain`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import as_json, listed, out_folder, print_json, trustful


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@click.option("--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of a listed network.")
@click.option("--ranking", "names", default="random,variance,gradient", show_default=True, metavar="NAME[,NAME]")
@click.option("--protocol", "protocols", default="roar,kar", show_default=True, metavar="NAME[,NAME]")
@click.option("--fractions", default="0.1,0.3,0.5,0.7,0.9", show_default=True, metavar="F[,F]")
@click.option("--seeds", type=int, default=5, show_default=True, help="Networks for each point of a curve.")
@click.option("--unit", type=click.Choice(["pixel", "scalar"]), default="pixel", show_default=True)
@click.option("--set", "assignments", metavar="A.B=C", multiple=True, help="Of the recipe or of a ranking.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the rankings, and of a network trained first."
)
@click.option("--together", type=int, help="Networks trained at once.  [default: as many as is fastest]")
@out_folder("retrained")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand.")
@trustful
@as_json
def retrain(
    model: str,
    source: str | None,
    options: tuple[str, ...],
    names: str,
    protocols: str,
    fractions: str,
    seeds: int,
    unit: Any,
    assignments: tuple[str, ...],
    seed: int,
    together: int | None,
    out: Path,
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """See what MODEL still learns without the pixels that rankings call important, and from them alone.

    MODEL is a run, or a listed network or package.module:factory, which then is trained first. Rankings are those
    that `pellucid list rankings` shows, and explainers. Everything is kept in DIR: the same command goes on where it
    was stopped.
    """
    from pellucid import runs
    from pellucid.console import Console
    from pellucid.console_retrain import RetrainConsole
    from pellucid.evaluate.retrain import check_together, chosen, grid, protocols_named

    recipe = [one for one in assignments if one.startswith("recipe.")]
    rankings = chosen(listed(names), [one for one in assignments if one not in recipe])
    shares, ways = _numbers(fractions), protocols_named(listed(protocols))
    grid(ways, list(rankings), shares, seeds)  # says what cannot be before a network is trained
    check_together(together)
    runs.check_device(device)
    console, first = RetrainConsole(quiet=as_json), Console(quiet=as_json)
    with first.progress() as watch:
        found = runs.original(
            model,
            source,
            options=options,
            assignments=recipe,
            seed=seed,
            out=out,
            device=device,
            download=download,
            report=first.reading,
            watch=watch,
        )
    with console.progress() as watch:
        table = runs.retraining(
            found,
            rankings,
            out,
            protocols=ways,
            fractions=shares,
            seeds=seeds,
            unit=unit,
            seed=seed,
            together=together,
            device=device,
            watch=watch,
        )
    content = runs.retrained_summary(found, table, out)
    print_json(content) if as_json else console.report(content)


def _numbers(text: str) -> tuple[float, ...]:
    from pellucid.errors import ConfigError

    try:
        return tuple(map(float, listed(text)))
    except ValueError as error:
        raise ConfigError(f"'{text}' are no fractions; write them as 0.1,0.5") from error
