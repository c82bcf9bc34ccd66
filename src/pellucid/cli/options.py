"""What commands have in common."""

import functools
import os
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from pellucid.errors import RunError
from pellucid.ledger import Job
from pellucid.registry import Registry
from pellucid.subjects.asked import Asked
from pellucid.trust import trusting

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


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


def out_folder(default: str) -> _Decorator:
    """The option --out of commands that write to a folder."""
    return click.option(
        "--out", type=_Folder(readable=False), default=Path(default), show_default=True, metavar="DIR"
    )


device = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where it runs."
)

download = click.option("--download", is_flag=True, help="Fetch MNIST or CIFAR where they are not at hand.")

skip_bad = click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read, and say how many.")


def _share(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    return Job(part=text).part


part = click.option(
    "--part",
    default=Job.part,
    show_default=True,
    metavar="I/N",
    callback=_share,
    help="Do one of N shares; processes and machines may do one each in the same DIR.",
)

assigns = click.option(
    "--set",
    "assignments",
    metavar="[NAME.]SETTING=VALUE",
    multiple=True,
    help="Any setting of what the command names, e.g. samples=20; NAME.samples=20 where it names several.",
)


def asks(
    *, split: str = "test", drawn: str = "all", several: bool = False, without: Sequence[str] = ()
) -> _Decorator:
    """Give a command its argument `asked`: which network, which images, on what, by the same options everywhere.

    `split` is the part that is looked at unless another is named, and `drawn` how many of its images are, in words.
    With `several` the command takes several networks, as `models`. `without` names options that mean nothing to it.
    """
    one = click.argument("model", metavar="MODEL")
    more = click.argument("models", metavar="MODEL...", nargs=-1, required=True)
    options = {
        "model": more if several else one,
        "data": click.option("--data", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]"),
        "weights": click.option(
            "--weights", metavar="FILE", help="Weights for a network that is named or built by your own function."
        ),
        "options": click.option(
            "--option", "options", metavar="NAME=VALUE", multiple=True, help="An option of the network."
        ),
        "split": click.option(
            "--split",
            type=click.Choice(["test", "validation", "train", "all"]),
            default=split,
            show_default=True,
            help="Which of the images.",
        ),
        "n": click.option("--n", type=int, help=f"So many of them, drawn at random.  [default: {drawn}]"),
        "size": click.option(
            "--size", type=click.IntRange(1), help="Scale and crop the images of a folder to squares of this side."
        ),
        "skip_bad": skip_bad,
        "classes": click.option(
            "--classes",
            metavar="imagenet|FILE",
            help="What the network's outputs are called; a file has a name a line.",
        ),
        "map": click.option(
            "--map", metavar="FILE", help="Which classes folders are that have other names: lines folder,class."
        ),
        "seed": click.option(
            "--seed", type=int, default=0, show_default=True, help="Everything random follows from it."
        ),
        "device": device,
        "download": download,
    }

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(**given: Any) -> Any:
            words = {name: given.pop(name) for name in options if name in given}
            for model in given["models"] if several else (words["model"],):
                _check_model(model)
            if several:
                words["model"] = given["models"][0]
            return command(asked=Asked(**words), **given)

        found = trustful(run)
        for name in reversed([name for name in options if name not in without]):
            found = options[name](found)
        return found

    return decorate


def check_names(registry: Registry[Any], names: Iterable[str]) -> None:
    """Refuse names that are not listed, before anything heavy is imported for those that are."""
    for name in names:
        if name not in registry:
            registry[name]  # which says what there is


def _check_model(model: str) -> None:
    """Refuse a name of no listed network, where it can be no path and no function either."""
    if re.fullmatch(r"[\w-]+", model) and not Path(model).is_dir():
        from pellucid.models import MODELS

        check_names(MODELS, [model])


def explains(default: str = "") -> _Decorator:
    """The option --explainer."""
    return click.option(
        "--explainer",
        "explainers",
        default=default,
        show_default=bool(default),
        metavar="NAME[,NAME]",
        help="Whose explanations; 'pellucid list explainers' has all.",
    )


def trustful(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --trust of commands that make networks: what it names is trusted while the command runs."""

    @functools.wraps(command)
    def run(*arguments: Any, trust: tuple[str, ...], **options: Any) -> Any:
        with trusting(trust):
            return command(*arguments, **options)

    words = "Run this program file, or functions of this module that a file names."
    return click.option("--trust", metavar="MODULE|FILE", multiple=True, help=words)(run)


def words_of(text: str) -> tuple[str, ...]:
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
