import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pellucid import reports, studies
from pellucid.errors import ConfigError, PartDone, UnknownName
from pellucid.ledger import Job
from pellucid.studies import Claim, Place, Plan, Result, Row, Scale
from small_study import PLAN, STUDY


def carried_out(out: Path, plan: Plan = PLAN, **how: object) -> Result:
    return studies.carry_out(STUDY, out, plan, device="cpu", **how)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return carried_out(tmp_path_factory.mktemp("study"), drawn=reports.write_study)


def test_every_row_is_trained_from_every_seed(result: Result) -> None:
    assert [(cell.row, cell.seed) for cell in result.cells] == [
        (row.name, seed) for seed in range(3) for row in STUDY.rows
    ]
    assert all(set(cell.figures) == {"accuracy", "attacked"} for cell in result.cells)
    assert not result.failures
    assert result.lacking == 0


def test_a_column_takes_its_images_and_no_more(result: Result) -> None:
    assert {cell.figures["attacked"].n for cell in result.cells} == {40}
    assert all(cell.figures["accuracy"].n > 40 for cell in result.cells)  # all that there are


def test_claims_are_told_from_the_figures(result: Result) -> None:
    better, attacked = result.told
    assert better.outcome == "holds"
    assert better.comment == "It does."
    assert attacked.outcome == "does not hold"
    assert better.n == attacked.n == 3
    for pair in attacked.pairs:
        cell = next(one for one in result.cells if (one.row, one.seed) == ("standard", pair.seed))
        assert (pair.first, pair.second) == (cell.figures["attacked"].value, cell.figures["accuracy"].value)


def test_the_same_call_trains_nothing_again(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies.Cell, "carried_out", None)
    again = carried_out(result.path.parent)
    assert again.path == result.path
    assert [replace(cell, seconds=0) for cell in again.cells] == [replace(cell, seconds=0) for cell in result.cells]


def test_more_seeds_are_added_to_those_that_there_are(result: Result) -> None:
    before = {path: path.read_bytes() for path in (result.path / "cells").glob("*.json")}
    more = carried_out(result.path.parent, replace(PLAN, seeds=(0, 3), rows=("standard", "short", "taught")))
    assert more.path == result.path
    assert all(path.read_bytes() == content for path, content in before.items())
    assert (result.path / "cells" / "standard-3.json").exists()


def test_where_images_lie_changes_no_name(tmp_path: Path) -> None:
    paths = [tmp_path / name / "images.npz" for name in ("one", "other")]
    for path in paths:
        path.parent.mkdir()
        np.savez(path, x=np.arange(40 * 16, dtype=np.uint8).reshape(40, 1, 4, 4), y=np.arange(40) % 2)
    study = replace(STUDY, rows=STUDY.rows[:1], claims=(), scales={"tiny": Scale({"recipe.epochs": 1}, images=2)})
    places = [
        studies.carry_out(study, tmp_path, Plan("tiny", (0,), source=str(path), assignments=("model.name=mlp",))).path
        for path in paths
    ]
    assert places[0] == places[1]


def test_a_damaged_cell_is_said_and_made_again_to_the_same(result: Result) -> None:
    path = result.path / "cells" / "short-1.json"
    content = json.loads(path.read_text())
    path.write_text(path.read_text().replace("short", "shord"))
    with pytest.warns(UserWarning, match="damaged"):
        carried_out(result.path.parent)
    assert json.loads(path.read_text())["figures"] == content["figures"]


def test_parts_make_the_same_as_one_process(result: Result, tmp_path: Path) -> None:
    with pytest.raises(PartDone, match="part 1/2 is done"):
        carried_out(tmp_path, job=Job(1, "1/2"))
    whole = carried_out(tmp_path, job=Job(1, "2/2"))
    assert [cell.figures for cell in whole.cells] == [cell.figures for cell in result.cells]


def test_what_cannot_be_trained_takes_nobody_with_it(tmp_path: Path) -> None:
    bad = Row(
        "steep",
        "standard",
        settings={"objective.cross-entropy.weight": 1e30, "recipe.optimizer": {"kind": "sgd", "lr": 1.0}},
    )
    study = replace(STUDY, rows=(*STUDY.rows, bad), claims=STUDY.claims[:1])
    plan = replace(PLAN, seeds=(0, 1, 2))
    found = studies.carry_out(study, tmp_path, plan, device="cpu", drawn=reports.write_study)
    assert len(found.failures) == 3
    assert all(line.startswith("steep, seed ") for line in found.failures)
    assert found.told[0].outcome == "holds"
    assert found.lacking == 3
    assert "steep, seed 0" in (found.path / "report.html").read_text()
    assert not (found.path / "cells" / "steep-0.json").exists()


def test_what_is_written_says_what_was_found(result: Result) -> None:
    content = json.loads((result.path / "results.json").read_text())
    assert [claim["outcome"] for claim in content["claims"]] == [one.outcome for one in result.told]
    lines = (result.path / "figures.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * len(content["cells"])
    assert "| Training beats chance. | holds | 3 |" in (result.path / "tables.md").read_text()
    page = (result.path / "report.html").read_text()
    assert page.index("What is claimed") < page.index("How this was found")
    for claim in STUDY.claims:
        assert claim.says in page


def test_rows_are_chosen_with_the_claims_that_they_suffice_for(tmp_path: Path) -> None:
    found = carried_out(tmp_path, replace(PLAN, rows=("short",), seeds=(0,)))
    assert [cell.row for cell in found.cells] == ["short"]
    assert not found.told


@pytest.mark.parametrize(
    ("plan", "error", "words"),
    [
        (replace(PLAN, scale="tinny"), UnknownName, "tiny"),
        (replace(PLAN, rows=("standart",)), UnknownName, "standard"),
        (replace(PLAN, seeds=(1, 1)), ConfigError, "named twice"),
        (replace(PLAN, assignments=("recipe.epoch=3",)), ConfigError, "recipe.epochs"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_is_trained(
    tmp_path: Path, plan: Plan, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        carried_out(tmp_path, plan)
    assert not list(tmp_path.iterdir())


def test_rows_whose_names_are_alike_keep_files_of_their_own(tmp_path: Path) -> None:
    rows = tuple(Row(name, "standard", settings={"recipe.batch": size}) for name, size in (("a b", 20), ("a_b", 30)))
    study = replace(STUDY, rows=rows, claims=(), scales={"../../up": Scale({"recipe.epochs": 1})})
    found = studies.carry_out(study, tmp_path, replace(PLAN, scale="../../up", seeds=(0,)), device="cpu")
    assert len(list((found.path / "cells").glob("*.json"))) == 2
    assert found.path.parent == tmp_path
    assert [cell.row for cell in found.cells] == ["a b", "a_b"]


def test_a_scale_that_sets_what_no_row_has_is_refused(tmp_path: Path) -> None:
    study = replace(STUDY, scales={"tiny": Scale({"recipe.epoch": 1})})
    with pytest.raises(ConfigError, match=r"sets recipe.epoch, which no row has"):
        studies.carry_out(study, tmp_path, PLAN)


def test_claims_about_rows_and_columns_that_are_not_there_are_refused() -> None:
    for place, words in ((Place("standart", "accuracy"), "standard"), (Place("standard", "acuracy"), "accuracy")):
        with pytest.raises(ConfigError, match=words):
            replace(STUDY, claims=(Claim("It is so.", (place,)),))


def test_what_a_scale_sets_reaches_teachers_too() -> None:
    table = studies.settings_of(STUDY.rows[2], STUDY.scale("tiny"), seed=4, assignments=["recipe.batch=7"])
    taught = table["references"]["reference"]
    assert taught["settings"]["recipe"] == {"epochs": 2, "batch": 7}
    assert table["recipe"]["epochs"] == 2
    assert table["data"]["first"] == 600
    assert table["seed"] == 4


def test_a_row_says_more_than_a_scale_and_who_types_says_most() -> None:
    row = Row("long", "standard", settings={"recipe.epochs": 9})
    assert studies.settings_of(row, STUDY.scale("tiny"), seed=0)["recipe"]["epochs"] == 9
    typed = studies.settings_of(row, STUDY.scale("tiny"), seed=0, assignments=["recipe.epochs=3"])
    assert typed["recipe"]["epochs"] == 3
