"""`pellucid study`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import assigns, check_names, device, download, out_folder, part, trustful, typed, words_of

if TYPE_CHECKING:
    from pellucid.studies.carrying_out import Executor


@click.command()
@click.argument("name", metavar="NAME|FILE.toml")
@click.option("--scale", default="smoke", show_default=True, metavar="NAME", help="smoke, hour or published.")
@click.option("--seeds", default="", metavar="N[,N]", help="Networks of each row.  [default: as the scale has it]")
@click.option("--rows", default="", metavar="NAME[;NAME]", help="These rows alone.  [default: all]")
@click.option("--data", "source", default="", metavar="NAME|PATH", help="Other images than those of the study.")
@assigns
@out_folder("studies")
@device
@part
@click.option("--ray", default="", metavar="ADDRESS", help="Share the work on a Ray cluster; auto for the one here.")
@download
@trustful
@as_json
def study(
    name: str,
    scale: str,
    seeds: str,
    rows: str,
    source: str,
    assignments: tuple[str, ...],
    out: Path,
    device: str,
    part: str,
    ray: str,
    download: bool,
    as_json: bool,
) -> None:
    """Train the networks of a study, measure them, and say which of its claims hold.

    NAME is a study that 'pellucid list studies' shows. Its page, tables and figures lie in a folder in DIR that is
    named by all that they depend on: the same command goes on where it was stopped, and tries again what failed.
    """
    from pellucid.studies import STUDIES

    if not name.endswith(".toml"):
        check_names(STUDIES, [name])

    if not as_json:
        click.echo("reading the study and its images", err=True)  # what follows is heavy

    from pellucid import reports, studies
    from pellucid.cli.screens import studied
    from pellucid.cli.screens.screen import Screen
    from pellucid.ledger import Job
    from pellucid.subjects import check_device

    check_device(device)
    found = studies.find(name)
    plan = studies.Plan(scale, _seeds(seeds), _rows(rows), source, download, assignments)
    screen = Screen(quiet=as_json)
    with screen.progress() as bar:
        result = studies.carry_out(
            found,
            out,
            plan,
            name=Path(name).stem,
            device=device,
            executor=_executor(ray),
            job=Job(1, part, bar),
            report=screen.reading,
            command=typed(click.get_current_context()),
            drawn=reports.write_study,
        )
    print_json(result.summary()) if as_json else studied.report(screen, result)
    if result.failures:
        raise click.exceptions.Exit(1)


def _seeds(text: str) -> tuple[int, ...]:
    from pellucid.errors import ConfigError

    try:
        return tuple(map(int, words_of(text)))
    except ValueError as error:
        raise ConfigError(f"'{text}' are no seeds; write them as 0,1,2") from error


def _rows(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";") if word.strip())


def _executor(address: str) -> "Executor":
    from pellucid import studies

    return studies.OnRay(address) if address else studies.here
