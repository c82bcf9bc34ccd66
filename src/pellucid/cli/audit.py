"""`pellucid audit`."""

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import as_json, listed, of_network, out_folder, print_json, typed

FALLS_SHORT = 3  # the exit code where something that was required does not hold


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--data", "source", metavar="NAME|PATH", help="Images.  [default: those the first run was trained on]")
@of_network
@click.option("--profile", default="standard", show_default=True, metavar="NAME", help="quick, standard or full.")
@click.option("--n", type=int, help="So many images in all, drawn at random.  [default: all]")
@click.option("--explainer", "explainers", default="", metavar="NAME[,NAME]", help="Whose explanations to judge.")
@click.option("--set", "assignments", metavar="PART.A=C", multiple=True, help="Any setting of a part of the profile.")
@click.option("--split", "part", type=click.Choice(["test", "validation", "train", "all"]), default="test")
@click.option("--size", type=click.IntRange(1), help="Scale and crop the images of a folder to squares of this side.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read.")
@click.option("--seed", type=int, default=0, show_default=True, help="Everything random follows from it.")
@out_folder("audit")
@click.option(
    "--require", "required", metavar="EXPR", multiple=True, help='E.g. "accuracy >= 0.9"; else exit code 3.'
)
@click.option("--allow-failed-checks", is_flag=True, help="Let a figure count whose checks failed; it is said.")
@click.option(
    "--fail-on", "fatal", type=click.Choice(["verdict", "failure"]), multiple=True, help="What else is exit code 3."
)
@as_json
def audit(
    models: tuple[str, ...],
    source: str | None,
    weights: str | None,
    options: tuple[str, ...],
    profile: str,
    n: int | None,
    explainers: str,
    assignments: tuple[str, ...],
    part: str,
    size: int | None,
    skip_bad: bool,
    seed: int,
    out: Path,
    required: tuple[str, ...],
    allow_failed_checks: bool,
    fatal: tuple[str, ...],
    device: str,
    download: bool,
    as_json: bool,
) -> None:
    """Tell whether the decisions and explanations of each MODEL can be believed, on one page in DIR.

    A MODEL is a run, a listed network, package.module:factory or a program file; all are shown the same images. The
    same command goes on where it was stopped, and tries again what failed.
    """
    from pellucid import runs
    from pellucid.audits import (
        AuditFolder,
        Done,
        Requirement,
        announced,
        announced_of,
        begin,
        carry_out,
        chosen,
        gate,
        keep,
        plan,
    )
    from pellucid.console import Console
    from pellucid.console_audit import AuditConsole

    requirements = [Requirement.parse(text) for text in required]
    parts = chosen(profile, assignments, n=n, explainers=listed(explainers))
    announced(requirements, parts.announced)
    networks = runs.subjects(
        models,
        source,
        weights=weights,
        options=options,
        part=part,
        n=n,
        size=size,
        skip_bad=skip_bad,
        seed=seed,
        device=device,
        download=download,
        report=Console(quiet=as_json).reading,
    )
    announced_of(requirements, parts.parts.values(), networks)
    folder, console = AuditFolder(out), AuditConsole(quiet=as_json)
    console.untrained(networks)
    console.images(networks[0].split, networks[0].source, part)
    begin(networks, parts, folder, seed=seed, command=typed(click.get_current_context()))
    planned = plan(networks, parts, folder)
    console.plan(planned, models, len(networks) * len(parts.parts) - len(planned))
    done = 0
    try:
        with console.progress(planned, models) as (watch, hear):
            for event in carry_out(networks, parts, folder, seed=seed, watch=watch):
                done += isinstance(event, Done)
                hear(event)
    except KeyboardInterrupt:
        console.stopped(done, len(planned), out)
        raise
    found = gate(folder, requirements, allow_failed_checks=allow_failed_checks)
    keep(folder, found)
    content = concluded(folder, found)
    print_json(content) if as_json else console.report(content)
    failed = [entry for entry in content["failures"] if not entry["skipped"]]
    if content["requirements"] or ("verdict" in fatal and content["verdicts"]) or ("failure" in fatal and failed):
        raise click.exceptions.Exit(FALLS_SHORT)


def concluded(folder: Any, found: Any = None) -> dict[str, Any]:
    """Draw the page, and say what the audit came to."""
    from pellucid import reports
    from pellucid.audits import conclusion, gate

    reports.tables(folder)
    page = reports.write_page(folder)
    return {**conclusion(folder, found or gate(folder, ())), "page": str(page)}
