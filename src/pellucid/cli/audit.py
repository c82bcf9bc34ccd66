"""`pellucid audit`."""

from dataclasses import replace
from pathlib import Path

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, explains, out_folder, typed, words_of
from pellucid.cli.spread import crew, devices
from pellucid.subjects.asked import Asked

FALLS_SHORT = 3  # the exit code where something that was required does not hold


@click.command()
@asks(several=True)
@click.option("--profile", default="standard", show_default=True, metavar="NAME", help="quick, standard or full.")
@click.option(
    "--budget", metavar="TIME", help="At most so long, e.g. 10m; none for no limit.  [default: the profile's own]"
)
@explains()
@assigns
@out_folder("audit")
@devices
@click.option(
    "--require", "required", metavar="EXPR", multiple=True, help='E.g. "accuracy >= 0.9"; else exit code 3.'
)
@click.option("--allow-failed-checks", is_flag=True, help="Let a figure count whose checks failed; it is said.")
@click.option(
    "--fail-on", "fatal", type=click.Choice(["verdict", "failure"]), multiple=True, help="What else is exit code 3."
)
@as_json
def audit(
    asked: Asked,
    models: tuple[str, ...],
    profile: str,
    budget: str | None,
    explainers: str,
    assignments: tuple[str, ...],
    out: Path,
    devices: int,
    required: tuple[str, ...],
    allow_failed_checks: bool,
    fatal: tuple[str, ...],
    as_json: bool,
) -> None:
    """Tell whether the decisions and explanations of each MODEL can be believed, on one page in DIR.

    A MODEL is a run, a listed network, package.module:factory or a program file; all are shown the same images. The
    same command goes on where it was stopped, and tries again what failed.
    """
    from pellucid.audits import PROFILES
    from pellucid.explainers import EXPLAINERS

    check_names(PROFILES, [profile])
    check_names(EXPLAINERS, words_of(explainers))

    if not as_json:
        click.echo("reading networks and images", err=True)  # what follows is heavy

    from pellucid import audits
    from pellucid.cli.screens import audited
    from pellucid.cli.screens.screen import Screen

    processes = crew(asked.device, devices)
    screen = Screen(quiet=as_json or processes.helps)
    listener = audited.OnScreen(screen, models, asked.split, out, typed(click.get_current_context()), devices)
    listener.helps = processes.helps
    with processes.at_work():
        found = audits.audit(
            models,
            replace(asked, device=processes.device),
            audits.chosen(profile, assignments, n=asked.n, explainers=words_of(explainers), budget=budget),
            out=out,
            seed=asked.seed,
            required=audits.Required(required, allow_failed_checks),
            processes=devices,
            listener=listener,
        )
    content = found.conclusion()
    print_json(content) if as_json else audited.report(screen, content)
    audited.end_if_damaged(content)
    failed = [entry for entry in content["failures"] if not entry["skipped"]]
    if content["requirements"] or ("verdict" in fatal and content["verdicts"]) or ("failure" in fatal and failed):
        raise click.exceptions.Exit(FALLS_SHORT)
