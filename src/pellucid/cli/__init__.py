"""The command line: each command parses, calls one function and prints.

Nothing heavy is imported before a command runs, so `--help` answers at once.
"""

import sys
import warnings

import click

from pellucid.cli.audit import audit
from pellucid.cli.explain import explain
from pellucid.cli.listing import list_command
from pellucid.cli.measure import measure
from pellucid.cli.neurons import neurons
from pellucid.cli.normlime import normlime
from pellucid.cli.references import references
from pellucid.cli.report import report
from pellucid.cli.retrain import retrain
from pellucid.cli.show import show
from pellucid.cli.train import train
from pellucid.errors import PellucidError


def main() -> None:
    """Run the command line; an error of ours is one line, without a traceback, and so is a warning."""
    warnings.showwarning = _said
    try:
        status = cli.main(standalone_mode=False)
    except PellucidError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command goes on where it was stopped", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _said(message: Warning | str, *_place: object, **_file: object) -> None:
    click.echo(f"warning: {message}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pellucid")
def cli() -> None:
    """Train, attack, audit and explain image classifiers, with figures that can be defended."""


for command in (train, measure, explain, references, normlime, retrain, neurons, list_command, show, audit, report):
    cli.add_command(command)
