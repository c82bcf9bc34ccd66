"""`pellucid show`."""

from pathlib import Path

import click

from pellucid.cli.as_json import as_json, print_json


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@as_json
def show(run: Path, as_json: bool) -> None:
    """Show a RUN: its settings, its epochs and its result."""
    from pellucid import runs
    from pellucid.cli.screens import trained
    from pellucid.cli.screens.screen import Screen

    folder = runs.RunFolder.open(run)
    print_json(folder.summary()) if as_json else trained.report(Screen(), folder)
