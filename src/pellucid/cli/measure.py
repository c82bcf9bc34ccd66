"""`pellucid measure`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, out_folder, part, words_of
from pellucid.cli.spread import crew, devices
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks()
@click.option("--attack", "attacks", default="fmn", show_default=True, metavar="NAME[,NAME]", help="What to try.")
@click.option("--preset", default="", metavar="NAME", help="Settings of a paper; see 'pellucid list presets'.")
@click.option("--eps", default="", metavar="E[,E]", help="Budgets in [0, 1] pixel units, e.g. 4/255,8/255.")
@click.option("--norm", default="", metavar="NAME", help="linf, l2, rms, l1 or l0.  [default: the attack's]")
@click.option("--goal", "goals", default="", metavar="NAME[,NAME]", help="E.g. misclassified,below-chance.")
@click.option("--restarts", type=click.IntRange(1), default=1, show_default=True, help="Attempts per image.")
@assigns
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images attacked at once.")
@out_folder("measurements")
@part
@devices
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed"]), default="32-true", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Compile the network that is searched.")
@click.option("--verdicts/--no-verdicts", default=True, help="Check whether the figures can be believed.")
@as_json
def measure(
    asked: Asked,
    attacks: str,
    preset: str,
    eps: str,
    norm: str,
    goals: str,
    restarts: int,
    assignments: tuple[str, ...],
    batch: int,
    out: Path,
    part: str,
    devices: int,
    precision: Any,
    compiled: bool,
    verdicts: bool,
    as_json: bool,
) -> None:
    """Measure how robust MODEL is: a run, a listed network, package.module:factory or a program file.

    Every image's result is kept in DIR, in a folder named by everything that it depends on: the same command goes on
    where it was stopped, and reads the result back where it is complete.
    """
    from pellucid.attacks import ATTACKS, Budget

    budgets, names = tuple(map(Budget.parse, words_of(eps))), words_of(attacks)
    check_names(ATTACKS, names)

    from pellucid import config, subjects
    from pellucid.attacks import Attack, Engine, named
    from pellucid.cli.screens import measured
    from pellucid.cli.screens.screen import Screen
    from pellucid.ledger import all_of

    tried = [
        one
        for name in names
        for one in named(
            name,
            preset=preset,
            eps=[budget.eps for budget in budgets],
            norm=norm,
            goals=words_of(goals),
            restarts=restarts,
            assignments=_own(name, names, assignments),
        )
    ]
    processes = crew(asked.device, devices, part)
    screen, engine = Screen(quiet=as_json or processes.helps), Engine(precision, compiled)
    subject = replace(asked, device=processes.device).subject(report=screen.reading)
    screen.untrained([subject])
    subjects.check_budgets(subject, tried)
    screen.foreseen(processes.too_many(len(subject.split), batch))

    def attacked(attack: Attack) -> subjects.Measurement:
        name = measured.attack_name(config.dump(attack))
        with screen.progress() as bar:
            job = Job(batch, part, bar).called(name)
            return subjects.measurement_of(subject, attack, folder=out, seed=asked.seed, engine=engine, job=job)

    with processes.at_work():
        found = all_of([partial(attacked, attack) for attack in tried])
    checks = subjects.checked(subject, tried[0], seed=asked.seed) if verdicts else ()
    content = subjects.measured_summary(subject, found, budgets, checks)
    print_json(content) if as_json else measured.report(screen, content)


def _own(name: str, names: Sequence[str], assignments: Sequence[str]) -> list[str]:
    """The settings of one attack: those without a name are everyone's."""
    others = tuple(f"{other}." for other in names if other != name)
    return [one.removeprefix(f"{name}.") for one in assignments if not one.startswith(others)]
