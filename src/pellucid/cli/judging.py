"""`pellucid measure --metric`: whether explanations can be believed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pellucid.cli.options import listed, print_json, say_untrained
from pellucid.errors import ConfigError


def judge(
    metrics: str,
    explainers: str,
    of: str,
    columns: Sequence[str],
    assignments: Sequence[str],
    subject: Callable[[Callable[[Any], Any]], Any],
    out: Path,
    *,
    seed: int,
    batch: int,
    as_json: bool,
) -> None:
    """Every metric of every explainer, in a table or as JSON."""
    from pellucid import runs
    from pellucid.console_judge import JudgeConsole
    from pellucid.evaluate.explanations import asked

    kinds, methods = asked(listed(metrics), listed(explainers), assignments)
    network = subject(lambda split: runs.with_columns(split, columns))
    say_untrained(network, as_json=as_json)
    about = "label" if of == "label" else one_class(of, network.split.classes)
    console = JudgeConsole(quiet=as_json)
    with console.progress() as watch:
        found = runs.judgments(network, kinds, methods, folder=out, of=about, seed=seed, batch=batch, watch=watch)
    content = runs.judged_summary(network, found)
    print_json(content) if as_json else console.report(content)


def one_class(of: str, classes: Sequence[str]) -> str | int:
    """The one class that a word stands for."""
    from pellucid import runs

    found = runs.asked(listed(of), classes, suggested=("label", "predicted", "runner-up"))
    if len(found) != 1:
        raise ConfigError(f"--of {of} asks about {len(found)} classes; a metric judges explanations of one")
    return found[0]


def check_alone(owner: str, others: Mapping[str, object]) -> None:
    """Refuse options that would change nothing."""
    given = [name for name, value in others.items() if value]
    if given:
        other = "--metric" if owner == "--attack" else "--attack"
        raise ConfigError(f"{given[0]} belongs to {other}, and this measures by {owner}; leave it out")
