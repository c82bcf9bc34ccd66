"""The command line: each command parses, calls one function and prints.

Nothing heavy is imported before a command runs, so `--help` answers at once.
"""

import os
import sys
import warnings
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from pellucid import stopping
from pellucid.cli.audit import audit
from pellucid.cli.ending import ended, say
from pellucid.cli.explain import explain
from pellucid.cli.judge import judge
from pellucid.cli.listing import list_command
from pellucid.cli.measure import measure
from pellucid.cli.neurons import neurons
from pellucid.cli.normlime import normlime
from pellucid.cli.references import references
from pellucid.cli.report import report
from pellucid.cli.retrain import retrain
from pellucid.cli.show import show
from pellucid.cli.study import study
from pellucid.cli.train import train

KEEPING = ("train", "measure", "judge", "references", "normlime", "retrain", "neurons", "audit", "study")
"""Commands that keep what is done, and go on with it when they are given again."""

_COMPLETE = "_PELLUCID_COMPLETE"  # set by a shell that asks how a command could go on


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out a command; its exit code. Whatever goes wrong is one line, and so is a warning."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # its warnings fill pages, such as that of a signal
    warnings.showwarning = _warned
    return ended(lambda: _carried_out(arguments))


def _carried_out(arguments: Sequence[str]) -> object:
    # not by `cli.main`, which takes the unexpected end of a file for Ctrl-C
    if asked := os.environ.get(_COMPLETE):
        return shell_complete(cli, {}, "pellucid", _COMPLETE, asked)
    with cli.make_context("pellucid", list(arguments)) as context:
        return cli.invoke(context)


def _warned(message: Warning | str, *_place: object, **_file: object) -> None:
    say(f"warning: {' '.join(str(message).split())}")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pellucid")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train, attack, audit and explain image classifiers, with figures that can be defended."""
    stopping.keeps(context.invoked_subcommand in KEEPING)


for command in (train, measure, judge, explain, references, normlime, retrain, neurons, audit, study):
    cli.add_command(command)
for command in (list_command, show, report):
    cli.add_command(command)
