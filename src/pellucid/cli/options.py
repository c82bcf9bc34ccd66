"""What commands have in common."""

import functools
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pellucid.cli.alone import alone, aloud
from pellucid.errors import RunError
from pellucid.printable import printable
from pellucid.trust import trusting


def _alone(context: click.Context, _parameter: click.Parameter, chosen: bool) -> bool:
    if chosen:
        context.with_resource(alone())
    return chosen


as_json = click.option(
    "--json", "as_json", is_flag=True, callback=_alone, help="Print one JSON object instead of tables."
)


class _Folder(click.Path):
    """A folder to write to; one that cannot be written to is refused before any work is done."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        folder = Path(os.fsdecode(super().convert(value, param, ctx))).expanduser()
        there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if not there.is_dir():
            raise RunError(f"'{folder}' cannot be written to: '{there}' is a file; give --out another folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise RunError(f"'{folder}' cannot be written to: '{there}' is closed to you; give --out another folder")
        return folder


def out_folder(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --out of commands that write to a folder."""
    return click.option(
        "--out", type=_Folder(readable=False), default=Path(default), show_default=True, metavar="DIR"
    )


def of_network(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that take a MODEL: how it is made, where it runs, whether data may be fetched."""
    weights = "Weights for a network that is named or built by your own function."
    devices = click.Choice(["auto", "cpu", "cuda"])
    for option in (
        click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand."),
        click.option("--device", type=devices, default="auto", show_default=True),
        click.option("--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of the network."),
        click.option("--weights", metavar="FILE", help=weights),
    ):
        command = option(command)
    return trustful(command)


def trustful(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --trust of commands that make networks: what it names is trusted while the command runs."""

    @functools.wraps(command)
    def run(*arguments: Any, trust: tuple[str, ...], **options: Any) -> Any:
        with trusting(trust):
            return command(*arguments, **options)

    words = "Run this program file, or functions of this module that a file names."
    return click.option("--trust", metavar="MODULE|FILE", multiple=True, help=words)(run)


def say_untrained(*subjects: Any, as_json: bool) -> None:
    """The first line of what is printed, where a network has learned nothing; JSON says it in a field."""
    from pellucid.runs import untrained_words

    names = list(dict.fromkeys(subject.name for subject in subjects if subject.untrained))
    if names and not as_json:
        click.echo(printable(untrained_words(names)))


def listed(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def typed(context: click.Context) -> str:
    """The command as it was typed, but for options that only choose what is printed."""
    words: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE or name == "as_json":
            continue
        values = context.params[name]
        for value in values if isinstance(values, tuple) else (values,):  # pyright: ignore[reportUnknownVariableType]
            if isinstance(parameter, click.Argument):
                words.append(str(value))  # pyright: ignore[reportUnknownArgumentType]
            else:
                words += [parameter.opts[0]] if value is True else [parameter.opts[0], str(value)]  # pyright: ignore[reportUnknownArgumentType]
    return shlex.join(["pellucid", context.info_name or "", *words])


def print_json(content: Any) -> None:
    """One JSON object, for another program to read."""
    from pellucid.files import json_text

    with aloud():
        click.echo(json_text(content))
