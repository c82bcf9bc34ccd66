"""`pellucid judge`."""

from dataclasses import replace
from pathlib import Path

import click

from pellucid.cli.as_json import as_json, print_json
from pellucid.cli.options import asks, assigns, check_names, explains, out_folder, part, words_of
from pellucid.cli.spread import crew, devices
from pellucid.ledger import Job
from pellucid.subjects.asked import Asked


@click.command()
@asks()
@click.option(
    "--metric", "metrics", default="", metavar="NAME[,NAME]", help="By what; 'pellucid list metrics' has all."
)
@explains()
@click.option("--of", default="predicted", show_default=True, metavar="CLASS|label|predicted|runner-up")
@click.option("--maps", metavar="FILE", help="Judge these maps, a .npy file with one for each image.")
@click.option("--column", "columns", metavar="NAME=FILE", multiple=True, help="What else metrics read: mask=m.npy.")
@assigns
@click.option("--batch", type=click.IntRange(1), default=128, show_default=True, help="Images judged at once.")
@out_folder("judgments")
@part
@devices
@as_json
def judge(
    asked: Asked,
    metrics: str,
    explainers: str,
    of: str,
    maps: str | None,
    columns: tuple[str, ...],
    assignments: tuple[str, ...],
    batch: int,
    out: Path,
    part: str,
    devices: int,
    as_json: bool,
) -> None:
    """Judge how far explanations of MODEL can be believed: a run, a listed network, package.module:factory or a file.

    Every image's result is kept in DIR, in a folder named by everything that it depends on: the same command goes on
    where it was stopped, and reads the result back where it is complete.
    """
    from pellucid.evaluate.explanations import METRICS
    from pellucid.explainers import EXPLAINERS

    check_names(METRICS, words_of(metrics))
    check_names(EXPLAINERS, words_of(explainers))

    from pellucid import subjects
    from pellucid.cli.screens import judged
    from pellucid.cli.screens.screen import Screen
    from pellucid.evaluate.explanations import metrics_named

    judges, explained = metrics_named(words_of(metrics), words_of(explainers), assignments)
    given = (*columns, *([f"map={maps}"] if maps else []))
    processes = crew(asked.device, devices, part)
    screen = Screen(quiet=as_json or processes.helps)
    asked = replace(asked, device=processes.device)
    subject = asked.subject(report=screen.reading, prepare=lambda split: subjects.with_columns(split, given))
    screen.untrained([subject])
    about = subjects.one_class_asked(of, subject.split.classes)
    if not processes.helps:
        lacking = subjects.lacking_judgments(subject, judges, explained, folder=out, of=about, seed=asked.seed)
        screen.foreseen(subjects.foreseen_in_words(subjects.cost_of_judging(subject, lacking, explained)))
        screen.foreseen(processes.too_many(len(subject.split), batch))
    with processes.at_work(), screen.progress() as bar:
        job = Job(batch, part, bar)
        found = subjects.judgments_of(subject, judges, explained, folder=out, of=about, seed=asked.seed, job=job)
    content = subjects.judged_summary(subject, found)
    print_json(content) if as_json else judged.report(screen, content)
