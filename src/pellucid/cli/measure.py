"""`pellucid measure`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pellucid.cli.judging import check_alone, judge
from pellucid.cli.options import as_json, listed, of_network, out_folder, print_json, say_untrained


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those a run was trained on]")
@of_network
@click.option("--attack", "attacks", metavar="NAME[,NAME]", help="What to try.  [default: fmn]")
@click.option("--metric", "metrics", default="", metavar="NAME[,NAME]", help="Judge explanations by these instead.")
@click.option("--explainer", "explainers", default="", metavar="NAME[,NAME]", help="Whose explanations.")
@click.option("--of", default="predicted", show_default=True, metavar="CLASS", help="What they are about.")
@click.option("--maps", metavar="FILE", help="Judge these maps, a .npy file with one for each image.")
@click.option("--column", "columns", metavar="NAME=FILE", multiple=True, help="What else metrics read: mask=m.npy.")
@click.option("--preset", default="", metavar="NAME", help="Settings of a paper; see 'pellucid list presets'.")
@click.option("--eps", default="", metavar="E[,E]", help="Budgets in [0, 1] pixel units, e.g. 4/255,8/255.")
@click.option("--norm", default="", metavar="NAME", help="linf, l2, rms, l1 or l0.  [default: the attack's]")
@click.option("--goal", "goals", default="", metavar="NAME[,NAME]", help="E.g. misclassified,below-chance.")
@click.option("--restarts", type=click.IntRange(1), default=1, show_default=True, help="Attempts per image.")
@click.option("--set", "assignments", metavar="A=C", multiple=True, help="Any setting of the attack, e.g. steps=100.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--n", type=int, help="Measure on this many images, drawn at random.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images attacked at once.")
@out_folder("measurements")
@click.option("--precision", type=click.Choice(["32-true", "bf16-mixed"]), default="32-true", show_default=True)
@click.option("--compile", "compiled", is_flag=True, help="Compile the network that is searched.")
@click.option("--verdicts/--no-verdicts", default=True, help="Check whether the figures can be believed.")
@as_json
def measure(
    model: str,
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    attacks: str | None,
    metrics: str,
    explainers: str,
    of: str,
    maps: str | None,
    columns: tuple[str, ...],
    preset: str,
    eps: str,
    norm: str,
    goals: str,
    restarts: int,
    assignments: tuple[str, ...],
    part: str,
    n: int | None,
    seed: int,
    batch: int,
    out: Path,
    device: str,
    precision: Any,
    compiled: bool,
    verdicts: bool,
    download: bool,
    as_json: bool,
) -> None:
    """Measure how robust MODEL is, or with --metric how far its explanations can be believed.

    MODEL is a run, a listed network, package.module:factory or a program file. Every image's result is kept in DIR,
    in a folder named by everything that it depends on: the same command goes on where it was stopped, and reads the
    result back where it is complete.
    """
    from pellucid import runs
    from pellucid.console import Console

    def subject(prepare: Callable[[Any], Any]) -> runs.Subject:
        return runs.subject(
            model,
            source,
            weights=weights,
            options=options,
            part=part,
            n=n,
            seed=seed,
            device=device,
            download=download,
            report=Console(quiet=as_json).reading,
            prepare=prepare,
        )

    if metrics:
        check_alone(
            "--metric", {"--attack": attacks, "--preset": preset, "--eps": eps, "--norm": norm, "--goal": goals}
        )
        given = (*columns, *([f"map={maps}"] if maps else []))
        judge(metrics, explainers, of, given, assignments, subject, out, seed=seed, batch=batch, as_json=as_json)
        return
    check_alone("--attack", {"--explainer": explainers, "--maps": maps, "--column": columns})

    from pellucid.attacks import Engine, budget, named
    from pellucid.console_measure import MeasureConsole

    budgets = tuple(map(budget, listed(eps)))
    tried = [
        one
        for name in listed(attacks or "fmn")
        for one in named(
            name,
            preset=preset,
            eps=budgets,
            norm=norm,
            goals=listed(goals),
            restarts=restarts,
            assignments=assignments,
        )
    ]
    network = subject(lambda split: split)
    say_untrained(network, as_json=as_json)
    runs.check_budgets(network, tried)
    console, engine = MeasureConsole(quiet=as_json), Engine(precision, compiled)
    found: list[runs.Measurement] = []
    for attack in tried:
        with console.progress(attack) as watch:
            found.append(
                runs.carry_out(network, attack, folder=out, seed=seed, batch=batch, engine=engine, watch=watch)
            )
    checks = runs.checked(network, tried[0], seed=seed) if verdicts else ()
    content = runs.summary(network, found, budgets, checks)
    print_json(content) if as_json else console.report(content)
