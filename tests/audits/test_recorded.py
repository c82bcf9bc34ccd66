"""An audit's folder in which somebody has changed a file: one line says which, and what is wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audits.specimen import MODELS, specimen
from pellucid import cli, reports
from pellucid.audits import AuditFolder
from pellucid.errors import Damaged

Edit = Callable[[Any], object]
PLACE = "0-plain_0123456789ab"


def known(finding: Any) -> Any:
    return finding["finding"]["details"]


@pytest.fixture
def folder(tmp_path: Path) -> AuditFolder:
    """As a stranger sends it: without checksums."""
    folder = specimen(tmp_path, models=MODELS[:1], side=4, images=1)
    for ledger in tmp_path.rglob("checksums.txt"):
        ledger.unlink()
    return folder


def change(path: Path, edit: Edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


ABOUT: list[tuple[Edit, str]] = [
    (lambda about: about.pop("data"), "data is missing"),
    (lambda about: about.update(models=[]), "models is empty"),
    (lambda about: about["models"][0].update(name=5), "models[0].name is 5, not text"),
    (lambda about: about.update(parts={"../../x": {}}), "parts has one whose name is no name of a folder"),
    (lambda about: about.update(parts={"x": 5}), "parts.x is no table"),
    (lambda about: about.update(untrained=[7]), "untrained numbers a network that is not there"),
    (lambda about: about.update(seed="7"), 'seed is "7", not a whole number'),
]


@pytest.mark.parametrize(("edit", "message"), ABOUT)
def test_what_is_audited(folder: AuditFolder, edit: Edit, message: str) -> None:
    change(folder.path / "audit.json", edit)
    with pytest.raises(Damaged) as caught:
        reports.page(folder)
    assert str(folder.path / "audit.json") in str(caught.value) and message in str(caught.value)
    assert "\n" not in str(caught.value)


PARTS: list[tuple[str, Edit, str]] = [
    ("decisions", lambda one: known(one)["mistakes"][0].pop("taken_for"), "mistakes[0].taken_for is missing"),
    ("decisions", lambda one: known(one)["confusion"].pop(), "details.confusion has other rows and columns"),
    ("decisions", lambda one: known(one)["reliability"][0].update(confidence="a"), 'confidence is "a", not a'),
    ("decisions", lambda one: one["finding"]["figures"][0]["estimate"].pop("n"), "estimate.n is missing"),
    ("decisions", lambda one: one["finding"]["figures"][0].update(better="up"), "better is \"up\", not 'higher'"),
    ("robustness", lambda one: known(one)["curves"].update(linf=[[1]]), "details.curves.linf[0] has 1 entries"),
    ("explanations", lambda one: known(one).update(known={"a": 5}), "details.known.a is 5, not a list"),
    ("neurons", lambda one: known(one)["layers"]["layer3"].pop("table"), "layers.layer3.table is missing"),
    ("pictures", lambda one: known(one)["images"][0].update(picture=None), "details.images[0].picture is null"),
    ("pictures", lambda one: known(one)["images"][0]["toward"].update(a=[{}]), "toward.a[0].rho is missing"),
    ("class maps", lambda one: known(one).update(classes=[1]), "classes is a list, not a table"),
    ("checks", lambda one: one["finding"]["verdicts"][0].update(passed="yes"), 'passed is "yes", not'),
    ("checks", lambda one: one.update(seconds=None), "seconds is null, not a number"),
]


@pytest.mark.parametrize(("part", "edit", "message"), PARTS)
def test_what_a_part_found(folder: AuditFolder, part: str, edit: Edit, message: str) -> None:
    change(folder.path / PLACE / f"{part}.json", edit)
    (line,) = folder.damaged()
    assert f"{part}.json" in line and message in line and "\n" not in line
    page = reports.page(folder)
    assert f"{part}.json" in re.sub(r"&#\d+;", "'", page)


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["table", "json"])
def test_the_report_of_damaged_parts_ends_with_one_error(
    folder: AuditFolder, as_json: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("checks", "decisions"):
        (folder.path / PLACE / f"{part}.json").write_text("[")
    assert cli.run(["report", str(folder.path), *as_json]) == 1
    said = capsys.readouterr()
    first, last = said.err.splitlines()
    assert first.startswith("damaged: ") and last.startswith("error: ")
    assert "checks.json" in said.err and "decisions.json" in said.err
    assert "robust" in said.out  # what can be read is shown
