"""Carrying out a study: every row with every seed, here or elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pellucid import config, files, runs
from pellucid.data import Report, silent
from pellucid.errors import ConfigError
from pellucid.ledger import Job, Numbered, Progress, identity, in_chunks
from pellucid.studies.cell import Cell, Measured, Watch, filed
from pellucid.studies.folder import StudyFolder
from pellucid.studies.result import Result
from pellucid.studies.study import Scale, Study, settings_of, unused


@runtime_checkable
class Executor(Protocol):
    """Where cells are carried out."""

    def __call__(
        self, cells: Sequence[Cell], numbers: Iterator[int], out: Path, device: str, watch: Watch
    ) -> Iterator[Numbered[Measured] | Progress]:
        """What the cells of these numbers came to, in any order; a number is taken when work on it begins."""
        ...


def here(
    cells: Sequence[Cell], numbers: Iterator[int], out: Path, device: str, watch: Watch
) -> Iterator[Numbered[Measured] | Progress]:
    """Carry cells out in this process, one after the other."""
    for number in numbers:
        yield Numbered(number, cells[number].carried_out(out, device=device, watch=watch))


@dataclass(frozen=True)
class Plan:
    """What is asked of a study: at which scale, for which seeds, rows and images, with what else set.

    Without `seeds` the scale says how many; without `rows` all are made. `source` are other images than the presets'.
    """

    scale: str = "smoke"
    seeds: tuple[int, ...] = ()
    rows: tuple[str, ...] = ()
    source: str = ""
    download: bool = False
    assignments: tuple[str, ...] = ()


def carry_out(
    study: Study,
    out: Path,
    plan: Plan = Plan(),
    *,
    name: str = "study",
    device: str = "auto",
    executor: Executor = here,
    job: Job = Job(),
    report: Report = silent,
    command: str = "",
    drawn: Callable[[Result], object] = lambda result: None,
) -> Result:
    """Train and measure what is missing of a study, and say what it comes to.

    Trainings and measurements lie in `out`, where other studies find them too, and the study in a folder there that
    is named by all that its figures depend on: the same call goes on where it was stopped, and several processes may
    work in one folder. `drawn` is given the result after each cell, with the cells that there are.
    """
    scale = study.scale(plan.scale)
    if lost := unused(study, scale):
        raise ConfigError(f"the scale '{plan.scale}' sets {lost[0]}, which no row has; mend the study")
    if plan.rows:
        study = _with_rows(study, plan.rows)
    seeds = plan.seeds or tuple(range(scale.seeds))
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"a seed is named twice in {', '.join(map(str, seeds))}; name each once")
    cells = [_cell(study, row.name, seed, scale, plan) for seed in seeds for row in study.rows]
    settings = {cell.row: cell.settings for cell in reversed(cells)}
    about = _about(study, cells, scale, plan, report)
    path = files.make_folder(out) / f"{filed(name)}-{filed(plan.scale)}-{identity(about)}"
    folder = StudyFolder(path, about, cells)

    def result(found: Sequence[Measured]) -> Result:
        return Result(study, found, about, path, seeds, settings, command)

    def make(numbers: Iterator[int], _: int) -> Iterator[Numbered[Measured] | Progress]:
        for made in executor(cells, numbers, out, device, job.watch):
            yield made
            if isinstance(made, Numbered):  # which is kept by now
                _draw(result(folder.known()), drawn)

    found = result(in_chunks(folder, make, rows=len(cells), doing="networks", job=job))
    _draw(found, drawn)
    return found


def _draw(result: Result, drawn: Callable[[Result], object]) -> None:
    result.write()
    drawn(result)


def _with_rows(study: Study, names: Sequence[str]) -> Study:
    """The study of some rows, with the claims that they suffice for."""
    rows = tuple(study.row(name) for name in names)
    claims = tuple(
        claim for claim in study.claims if all(place.row in names for place in (*claim.first, *claim.second))
    )
    return replace(study, rows=rows, claims=claims)


def _cell(study: Study, row: str, seed: int, scale: Scale, plan: Plan) -> Cell:
    settings = settings_of(study.row(row), scale, seed=seed, source=plan.source, assignments=plan.assignments)
    if plan.download:
        settings = config.assign(settings, ("data", "download"), True)
    return Cell(row, seed, settings, study.columns, scale.images, scale.few)


def _about(study: Study, cells: Sequence[Cell], scale: Scale, plan: Plan, report: Report) -> dict[str, Any]:
    """All that figures depend on but the seeds; what a claim says of them is not among it."""
    # what is wrong with a row's settings is said before another one is trained
    specs = {cell.row: runs.build({**cell.settings, "seed": 0}) for cell in cells}
    _, source = runs.prepare(cells[0].settings, report)
    return {
        # by which two folders with the same images are no two studies
        "rows": {row: spec.fingerprint for row, spec in specs.items()},
        "columns": {name: config.dump(column) for name, column in study.columns.items()},
        "images": scale.images,
        "few": scale.few,
        "train": source.train.fingerprint(),
        "test": source.test.fingerprint(),
        "scale": plan.scale,
    }
