import csv
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from audits.specimen import ARABIC, CLASSES, HANDLER, KNOWN, MODELS, SCRIPT, SHORT, picture, share, specimen
from pellucid import reports
from pellucid.audits import AuditFolder, Figure, Finding, Outcome
from pellucid.audits.decided.details import OfClass
from pellucid.audits.robust.details import Details
from pellucid.evaluate import Verdict
from pellucid.metrics import Estimate
from pellucid.page.album import Album
from pellucid.page.numbers import Number
from pellucid.reports.contents import Contents
from pellucid.reports.opening import answers
from pellucid.reports.read import Audit

VOID = {"meta", "link", "br", "img", "input", "hr"}
FOREIGN = {"script", "style"}  # whose text is not that of the page


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, how they nest, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Counter[str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append(Counter())
        elif "table" in self.open:
            self.tables[-1][tag] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in FOREIGN:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> AuditFolder:
    return specimen(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def text(folder: AuditFolder) -> str:
    return reports.page(folder)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_every_picture_says_what_it_is_and_every_table_has_a_caption_and_heads(page: Page) -> None:
    assert len(page.all("img")) > 100
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.tables) > 5
    assert all(table["caption"] == 1 and table["thead"] == 1 and table["th"] > 1 for table in page.tables)
    assert len(page.all("svg")) == len(page.all("title")) - 1 == len(page.all("desc")) == 3


def test_ids_are_unique_and_what_is_referred_to_is_there(page: Page, text: str) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", text))
    for _, attributes in page.elements:
        referred |= set((attributes.get("aria-labelledby") or "").split())
    assert referred and referred <= set(ids)


def test_headings_leave_out_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_names_are_shown_as_text(page: Page, text: str) -> None:
    assert len(page.all("script")) == 1
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert SCRIPT not in text and HANDLER not in text
    for name in (*CLASSES, *MODELS, "digits & more", f"glow {SCRIPT}", f"ShapeError: maps are (1, 2) {SCRIPT}"):
        assert name in page.text
    assert "49" not in re.findall(r"\b\d+\b", page.text.partition("{{")[2][:20])
    assert ARABIC in page.text


def test_nothing_is_asked_of_the_network(page: Page, text: str) -> None:
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in page.all("img"))
    assert not page.all("link")
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
    )
    assert "@import" not in text and "@font-face" not in text


def test_what_failed_and_what_is_not_done_is_said_with_its_reason(page: Page) -> None:
    assert f"gradients of plain failed: ShapeError: maps are (1, 2) {SCRIPT}" in page.text
    assert f"neurons of {SHORT[1]} not done yet" in page.text


def test_networks_have_short_names_and_the_method_has_those_that_were_given(page: Page) -> None:
    text, _, how = page.text.partition("How this was found")
    assert MODELS[0] not in text and f"A {SHORT[0]}" in text
    assert f"network A{MODELS[0]}" in how and f"network B{MODELS[1]}" in how
    assert f"pellucid audit {MODELS[0]} '{MODELS[1]}'" in how


def test_each_class_stands_against_what_it_is_taken_for(text: str) -> None:
    _, *tables = text.split('<table class="confusion"')
    (only,) = (table.partition("</table>")[0] for table in tables)  # the other network's is not known
    rows = [
        [(int(share), int(images)) for share, images in re.findall(r"--share: (\d+)%\">(\d+)</td>", row)]
        for row in only.partition("<tbody>")[2].split("</tr>")[:-1]
    ]
    assert [len(row) for row in rows] == [10] * 10
    assert rows[1][:4] == [(0, 0), (92, 111), (8, 9), (0, 0)]
    assert rows[3][0] == (6, 7) and rows[7] == [(0, 0)] * 10


def test_mistakes_that_are_rare_in_one_network_are_counted_in_it_all_the_same(text: str) -> None:
    (row,) = re.findall(r'<tr><th scope="row"><bdi>five</bdi></th><td><bdi>six</bdi></td>(.*?)</tr>', text)
    assert re.findall(r'data-value="(\d*)"', row) == ["0", "3"]


@pytest.mark.parametrize(
    ("estimate", "number", "interval"),
    [
        (Estimate(0.00979, 0.0084, 0.01133, 128), "0.0098", "0.0084 to 0.0113"),
        (Estimate(0.9757, 0.9722, 0.9791, 16), "0.976", "0.972 to 0.979"),
        (Estimate(0.009, 0.003, 0.023, 359), "0.009", "0.003 to 0.023"),
        (Estimate(0.00092, 0.00081, 0.0011, 32), "0.00092", "0.00081 to 0.00110"),
        (Estimate(1.404, 1.358, 1.451, 359), "1.40", "1.36 to 1.45"),
        (Estimate(123.4, 1.0, 2345.6, 359), "123", "1 to 2,346"),
        (Estimate(-0.05, -0.113, 0.128, 24), "\N{MINUS SIGN}0.050", "\N{MINUS SIGN}0.113 to 0.128"),
        (Estimate(3e-9, 2e-9, 4e-9, 24), "3e\N{MINUS SIGN}09", "2e\N{MINUS SIGN}09 to 4e\N{MINUS SIGN}09"),
    ],
)
def test_numbers_have_the_digits_that_their_interval_supports(estimate: Estimate, number: str, interval: str) -> None:
    written = Number.written(estimate, share=False)
    assert (written.text, written.interval) == (number, interval)


@pytest.mark.parametrize(
    ("budgets", "across", "unit"),
    [((2, 4, 8), "distance in 255ths (L\N{INFINITY})", 1 / 255), ((6.375, 25.5), "distance (L\N{INFINITY})", 1.0)],
)
def test_budgets_are_counted_in_255ths_where_they_are_meant_so(
    tmp_path: Path, budgets: tuple[float, ...], across: str, unit: float
) -> None:
    one = specimen(tmp_path, models=("one",), images=1)
    outcome = one.outcome(0, "robustness")
    assert outcome and outcome.finding
    details = Details({"linf": tuple((budget / 255, 0.9 - budget / 100) for budget in budgets)})
    one.keep(0, "robustness", replace(outcome, finding=replace(outcome.finding, details=details)))
    (chart,) = (chart for chart in Contents.of(Audit.read(one)).charts if not chart.diagonal)
    assert (chart.across, chart.unit) == (across, unit)


def test_a_thousand_classes_are_not_shown_against_one_another(tmp_path: Path) -> None:
    folder = specimen(tmp_path, models=("one",), images=1)
    outcome = folder.outcome(0, "decisions")
    assert outcome and outcome.finding
    names = tuple(OfClass(str(number), None, "no image of this class") for number in range(26))
    many = replace(outcome.finding.details, classes=names, confusion=((1,) * 26,) * 26)
    folder.keep(0, "decisions", replace(outcome, finding=replace(outcome.finding, details=many)))
    assert 'class="confusion"' not in reports.page(folder)


def test_maps_that_are_missing_are_named_with_the_reason(page: Page) -> None:
    assert f"{SCRIPT} has no maps of A: no rule for {HANDLER}" in page.text


def test_what_has_to_be_known_of_maps_stands_beside_them(page: Page) -> None:
    assert f"adds up to 0.0009 of 9.2; {KNOWN}" in page.text
    assert f"grad-cam, A, 3 of 8 maps: {KNOWN}" in page.text


def test_classes_without_a_map_are_there_with_the_reason(page: Page) -> None:
    lacking = [about for tag, about in page.elements if tag == "span" and about.get("class") == "lack"]
    said = f"what matters for {CLASSES[-1]}: no image was predicted as it"
    assert sum(about.get("aria-label") == said for about in lacking) == len(MODELS)
    text = " ".join(page.words)
    assert "linear models account for 87% (adjusted R²); 31% of an image's parts, on average, hide nothing" in text


def test_of_a_thousand_classes_those_that_are_missing_are_counted(tmp_path: Path) -> None:
    folder = specimen(tmp_path)
    outcome = folder.outcome(0, "class maps")
    assert outcome is not None and outcome.finding is not None
    missing = {f"class {number}": "no image was predicted as it" for number in range(998)}
    finding = Finding(details=replace(outcome.finding.details, missing=missing))
    folder.keep(0, "class maps", replace(outcome, finding=finding))
    text = reports.page(folder)
    assert "of 998 more classes nothing is known: no image was predicted as it" in text
    assert "what matters for class 500" not in text


def test_checks_that_all_passed_are_folded_up(tmp_path: Path) -> None:
    folder = specimen(tmp_path, models=("one",), images=1)
    verdicts = (*VERDICTS[:1], Verdict("three", True, "as it should be", {}, ""))
    folder.keep(0, "checks", found(verdicts=verdicts))
    text = reports.page(folder)
    assert "No check failed." in text and "All 2 checks passed: one, three</summary>" in text
    assert "as it should be" in text
    assert all("open" not in attributes for attributes in Page(text).all("details"))


def test_strips_are_as_small_as_their_images(tmp_path: Path) -> None:
    Image.new("L", (8 * 20, 8)).save(tmp_path / "strip.png")
    Image.new("L", (200, 150)).save(tmp_path / "photograph.png")
    album = Album(10_000)
    assert album.picture(tmp_path, "strip.png", "").small
    assert not album.picture(tmp_path, "photograph.png", "").small


def test_checks_that_failed_come_before_those_that_passed(page: Page) -> None:
    failed, passed = page.text.index("31 of 32 images"), page.text.index("no layer acts otherwise")
    assert failed < passed
    assert "What to do: attack with a loss that does not saturate, such as the margin" in page.text
    assert "largest logit 412" in page.text


def test_parts_of_unknown_kinds_have_their_figures_shown(page: Page) -> None:
    assert f"glow {SCRIPT}, {ARABIC}" in page.text and "3.19 to 3.31" in page.text


def test_pictures_beyond_the_room_are_left_out_and_counted(folder: AuditFolder) -> None:
    found = Page(reports.page(folder, room=20_000))
    (count,) = re.findall(r"(\d+) pictures are left out", found.text)
    assert int(count) + len(found.all("img")) == len(Page(reports.page(folder)).all("img"))


def test_a_page_with_pictures_of_photographs_is_below_ten_megabytes(tmp_path: Path) -> None:
    path = reports.write_page(specimen(tmp_path, models=("one",), side=160, images=8))
    assert path == tmp_path / "report.html"
    assert 5_000_000 < path.stat().st_size < 10_000_000


@pytest.mark.parametrize(
    ("name", "lack"),
    [
        ("../secret.png", "lies outside the audit's folder"),
        ("/etc/hostname", "lies outside the audit's folder"),
        ("nowhere.png", "not found"),
        ("a\0b.png", "not found"),
        ("text.png", "no PNG picture"),
        ("picture.png", ""),
    ],
)
def test_only_pictures_of_the_folder_are_shown(tmp_path: Path, name: str, lack: str) -> None:
    root = tmp_path / "audit"
    picture(tmp_path / "secret.png", 8, 0)
    picture(root / "picture.png", 8, 0)
    (root / "text.png").write_text("no picture")
    assert Album(10_000).picture(root, name, "words").lack == lack


def test_an_audit_that_has_only_begun_has_a_page(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path)
    folder.begin(
        {
            "models": [{"name": "one", "fingerprint": "1"}],
            "data": {"source": "digits", "fingerprint": "2", "images": 3, "classes": ["a"], "shape": [1, 8, 8]},
            "parts": {"decisions": {"kind": "decided"}},
            "profile": "",
            "seed": 0,
        }
    )
    found = Page(reports.page(folder))
    assert "Accuracy, robustness, checks and explanations were not measured." in found.text
    assert "decisions not done yet" in found.text


def test_the_page_is_the_same_each_time(folder: AuditFolder, text: str) -> None:
    assert reports.page(folder) == text


def told(tmp_path: Path, outcomes: dict[str, Outcome], kinds: dict[str, str]) -> str:
    folder = AuditFolder(tmp_path)
    folder.begin(
        {
            "models": [{"name": "one", "fingerprint": "1"}],
            "data": {},
            "parts": {part: {"kind": kind} for part, kind in kinds.items()},
            "seed": 0,
        }
    )
    for part, outcome in outcomes.items():
        folder.keep(0, part, outcome)
    (answer,) = answers(Audit.read(folder))
    return answer.sentence.replace("\N{NO-BREAK SPACE}", " ")


def found(*figures: Figure, verdicts: tuple[Verdict, ...] = ()) -> Outcome:
    return Outcome(Finding(figures, verdicts), "", 1.0)


RIGHT = Figure("accuracy", (), share(97))
STANDS = [Figure("robust_accuracy", ("linf", f"{level}/255"), share(90 - level)) for level in (2, 8)]
VERDICTS = (Verdict("one", True, "", {}, ""), Verdict("two", False, "", {}, "see to it"))


def test_the_sentence_tells_what_was_found_and_what_was_not_measured(tmp_path: Path) -> None:
    outcomes = {"d": found(RIGHT, Figure("calibration_error", (), Estimate(0.0123, 0.01, 0.02, 100), "lower"))}
    assert told(tmp_path, outcomes, {"d": "decided"}) == (
        "Gets 97.0 % of 100 images right; its confidence is off by 1.2 points on average; "
        "robustness, checks and explanations were not measured."
    )


def test_the_sentence_takes_the_widest_budget_and_doubts_it_where_a_check_failed(tmp_path: Path) -> None:
    kinds = {"r": "robust", "c": "checked", "d": "decided"}
    outcomes = {"r": found(*STANDS), "c": found(verdicts=VERDICTS), "d": Outcome(None, "ValueError: no", 1.0)}
    assert told(tmp_path, outcomes, kinds) == (
        "Of 100 images, 82.0 % stay right under an attack of up to 8/255; "
        "1 of 2 checks failed, so figures under attack may be too good; d failed; explanations were not measured."
    )


def test_the_sentence_prefers_auto_attack(tmp_path: Path) -> None:
    auto = Figure("robust_accuracy", ("linf", "8/255", "auto-attack"), share(0))
    kinds = {"d": "decided", "a": "auto-attacked", "r": "robust", "c": "checked"}
    outcomes = {"d": found(RIGHT), "a": found(auto), "r": found(*STANDS), "c": found(verdicts=VERDICTS[:1])}
    assert told(tmp_path, outcomes, kinds) == (
        "Gets 97.0 % of 100 images right; of 100 images, 0 % stay right under AutoAttack of up to 8/255; "
        "the one check passed; explanations were not measured."
    )


def test_the_sentence_gives_the_range_of_explainers_and_no_winner(tmp_path: Path) -> None:
    figures = [
        Figure("random-similarity", (name,), Estimate(at, at, at, 9)) for name, at in (("a", 0.9), ("b", 0.25))
    ]
    assert told(tmp_path, {"e": found(*figures)}, {"e": "explained"}) == (
        "Maps of 2 explainers keep a likeness of 0.250 to 0.900 under a little noise; "
        "accuracy, robustness and checks were not measured."
    )


def test_tables_hold_every_figure(folder: AuditFolder) -> None:
    paths = reports.tables(folder)
    figures = json.loads(paths["json"].read_text())
    assert figures == [dict(figure) for figure in folder.figures()]
    with paths["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(figures)
    assert float(rows[0]["value"]) == figures[0]["estimate"]["value"] and rows[0]["figure"] == "accuracy"
    lines = paths["md"].read_text().splitlines()
    assert len(lines) == len(figures) + 2
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 8 for line in lines)
    assert any("| no value: no failure was found for 50 of 50 images |" in line for line in lines)
    assert "<script" not in paths["md"].read_text().replace("\\<", "")


def test_a_spreadsheet_gets_no_formulas(tmp_path: Path) -> None:
    paths = reports.tables(specimen(tmp_path, models=("=1+1",), images=1))
    assert paths["csv"].read_text().splitlines()[1].startswith("'=1+1,")


def test_a_part_that_was_skipped_counts_as_not_measured_and_not_as_failed(tmp_path: Path) -> None:
    skipped = Outcome(None, "skipped: there are no labels", 0.0)
    assert told(tmp_path, {"d": skipped}, {"d": "decided"}) == (
        "Accuracy, robustness, checks and explanations were not measured."
    )
    assert "d skipped: there are no labels" in Page(reports.page(AuditFolder(tmp_path))).text
