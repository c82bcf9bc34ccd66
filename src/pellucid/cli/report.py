"""`pellucid report`."""

from pathlib import Path

import click

from pellucid.cli.as_json import as_json, print_json


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@as_json
def report(folder: Path, as_json: bool) -> None:
    """Draw the page of the audit in DIR again, from what lies there; no network and no images are read."""
    from pellucid.audits import AuditFolder, reported
    from pellucid.cli.screens import audited
    from pellucid.cli.screens.screen import Screen

    content = reported(AuditFolder(folder)).conclusion()
    print_json(content) if as_json else audited.report(Screen(), content)
    audited.end_if_damaged(content)
