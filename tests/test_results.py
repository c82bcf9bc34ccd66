"""What pages say in figures is what the figures beside them say."""

import importlib
import itertools
import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy import stats

from pellucid import plain, studies

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
# a page, the figures of its tables, and the benchmark that writes both
TABLES = {
    "results/mnist-small.md": ("results/mnist-small.json", "mnist_rendering"),
    "results/neurons-mnist.md": ("results/neurons-mnist.json", "neuron_consistency"),
    "results/explanations-mnist.md": ("results/explanations-mnist.json", "explanations_table"),
    "results/methods-digits.md": ("results/methods-digits.json", "methods_digits"),
    "how-to/is-my-explanation-stable.md": ("how-to/is-my-explanation-stable.json", "stable_gradients"),
    "choosing-an-explanation.md": ("results/explainers-digits.json", "choosing"),
}
RETRAINED = "results/retraining-digits.md"
# published by others, and said to be
PUBLISHED = {"results/neurons-mnist.md": {0.98, 0.90, 0.99, 0.92, 0.87}}


def figures(page: str) -> Any:
    """What lies beside the page, without what its table leaves out."""
    content = json.loads((DOCS / TABLES[page][0]).read_text())
    for key in ("methods", "metrics", "explainers"):
        content = content.get(key, content)
    if page == "how-to/is-my-explanation-stable.md":
        content = {name: part["rows"] for name, part in content.items()}
    return content


def table(page: str) -> str:
    text = (DOCS / page).read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    return text.partition(BEGIN)[2].partition(END)[0]


@pytest.mark.parametrize("page", TABLES)
def test_tables_are_those_of_their_figures(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    tabulated = importlib.import_module(f"benchmarks.{TABLES[page][1]}").tabulated
    assert table(page).rstrip("\n") == tabulated(figures(page)).rstrip("\n")
    assert len(re.findall(r"\d\.\d\d", table(page))) > 40


def test_an_interval_over_seeds_is_students(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    interval = importlib.import_module("benchmarks.mnist_rendering").interval
    for n in range(2, 11):
        values = [0.1 * number**0.5 for number in range(n)]
        low, high = stats.t.interval(0.95, n - 1, statistics.mean(values), stats.sem(values))
        assert interval(values, 4) == f" ± {(high - low) / 2:.4f}"
    assert interval([0.5], 3) == ""


def test_rankings_are_those_of_their_networks() -> None:
    """Means, areas and pairs from the accuracy of every network, without the code that wrote them."""
    content = json.loads((DOCS / "results/retraining-digits.json").read_text())
    along = content["fractions"]
    curves: dict[tuple[str, str], dict[int, list[float]]] = {}
    for row in content["networks"]:
        curves.setdefault((row["protocol"], row["ranking"]), {}).setdefault(row["seed"], [0.0] * len(along))
        curves[row["protocol"], row["ranking"]][row["seed"]][along.index(row["fraction"])] = row["accuracy"]
    heights = {
        name: [
            sum((a + b) / 2 * (y - x) for a, b, x, y in zip(curve, curve[1:], along, along[1:], strict=False))
            / (along[-1] - along[0])
            for _, curve in sorted(seeds.items())
        ]
        for name, seeds in curves.items()
    }
    page = table(RETRAINED)
    parts: dict[str, str] = dict(zip(("roar", "kar"), re.split(r"^KAR, ", page, flags=re.MULTILINE), strict=True))
    for (protocol, ranking), seeds in curves.items():
        values = [[curve[number] for curve in seeds.values()] for number in range(len(along))]
        cells = " | ".join(_mean(found) for found in [*values, heights[protocol, ranking]])
        assert f"| {ranking} | {cells} |" in parts[protocol]
    names = [name for protocol, name in curves if protocol == "roar"]
    for protocol, part in parts.items():
        for first, second in itertools.combinations(names, 2):
            pairs = zip(heights[protocol, first], heights[protocol, second], strict=True)
            differences = [one - other for one, other in pairs]
            mean, p = statistics.mean(differences), _by_turning_signs(differences)
            low, high = stats.t.interval(0.95, len(differences) - 1, mean, stats.sem(differences))
            (row,) = re.findall(rf"^\| {first} \| {second} \| (.*) \|$", part, re.MULTILINE)
            # the interval's quantile is right to three digits
            assert _numbers(row) == pytest.approx([mean, low, high, p], abs=1.1e-4)


def _numbers(cells: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d+", cells)]


def _mean(values: list[float]) -> str:
    mean = statistics.mean(values)
    low, high = stats.t.interval(0.95, len(values) - 1, mean, stats.sem(values))
    return f"{mean:.3f} ± {(high - low) / 2:.3f}"


def _by_turning_signs(differences: list[float]) -> float:
    found = torch.tensor(differences, dtype=torch.float64)
    signs = torch.tensor(list(itertools.product((-1, 1), repeat=len(differences))), dtype=torch.float64)
    return float(((signs @ found).abs() >= found.sum().abs() - 1e-12).double().mean())


def test_the_two_rankings_of_normlime_are_compared_as_measured() -> None:
    seeds = json.loads((ROOT / "benchmarks/results/normlime-rankings.json").read_text())["seeds"]
    page = " ".join((DOCS / "explainers/normlime.md").read_text().split())
    alike = [value for seed in seeds for value in seed["spearman"]]
    assert f"{min(alike):.3f} to {max(alike):.3f} for each class" in page
    ours, theirs = ([seed["accuracy"][name] for seed in seeds] for name in ("normlime", "mean-abs"))
    lower = [[b - a for a, b in zip(*pair, strict=True)] for pair in zip(ours, theirs, strict=True)]
    points = [100 * statistics.mean(found) for found in zip(*lower, strict=True)]
    assert "by {:.1f}, {:.1f} and {:.1f} points on average".format(*points) in page
    _, p = stats.ttest_1samp([found[-1] for found in lower], 0)
    assert f"p = {p:.2f})" in page


# which has a test of its own
PAGES = sorted({path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"explainers/normlime.md"})


@pytest.mark.parametrize("page", PAGES)
def test_figures_in_words_stand_in_a_table(page: str) -> None:
    """In a paragraph beside tables, or with a link to them: numbers with two or three decimals are theirs."""
    text = (DOCS / page).read_text()
    own = {page} & {*TABLES, RETRAINED}
    if own:
        text = text.partition(BEGIN)[0] + text.partition(END)[2]
    for paragraph in re.split(r"\n\s*\n|\n- ", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        targets = re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", paragraph)
        linked = {((DOCS / page).parent / target).resolve().relative_to(DOCS).as_posix() for target in targets}
        cited = own | (linked & {*TABLES, RETRAINED})
        words = re.sub(r"`[^`]*`|\]\([^)]*\)|torch\s[\d.]+", "", paragraph)
        said: list[str] = re.findall(r"(?<![\d.])\d\.\d{2,3}(?![\d.])", words) if cited else []
        known = {abs(float(cell)) for one in cited for cell in re.findall(r"\d+\.\d+", table(one))}
        for number in said:
            # half a unit of the last place, and what a cell was rounded by
            near = 0.5 * 10.0 ** -len(number.partition(".")[2]) + 0.0005 + 1e-9
            supported = any(abs(float(number) - cell) <= near for cell in known)
            assert supported or float(number) in PUBLISHED.get(page, ()), f"{page} says {number}: {words.strip()}"


STUDIES = sorted(path.stem for path in (DOCS / "results").glob("study-*.json"))


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_of_a_study_is_what_its_figures_make(name: str) -> None:
    content = json.loads((DOCS / "results" / f"{name}.json").read_text())
    page = importlib.import_module("benchmarks.studies").page(content)
    assert (DOCS / "results" / f"{name}.md").read_text() == page


@pytest.mark.parametrize("name", STUDIES)
def test_what_a_study_says_follows_from_the_figures_of_each_network(name: str) -> None:
    # JSON knows no endless numbers, which are written as words
    text = (DOCS / "results" / f"{name}.json").read_text().replace('"-inf"', "-Infinity").replace('"inf"', "Infinity")
    content = json.loads(text)
    study = studies.find(name.removeprefix("study-"))
    cells = [plain.build(studies.Measured, cell) for cell in content["cells"]]
    result = studies.Result(study, cells, content["about"], DOCS, tuple(content["seeds"]))
    assert not content["failures"]
    assert len(cells) == len(study.rows) * len(content["seeds"])
    assert [one.claim.says for one in result.told] == [claim["says"] for claim in content["claims"]]
    for one, claim in zip(result.told, content["claims"], strict=True):
        assert (one.outcome, one.n) == (claim["outcome"], claim["n"])
    for row, own in content["rows"].items():
        for figure, found in own.items():
            mean = result.over_seeds(studies.Place(row, figure))
            assert (mean is None) == (found is None)
            assert mean is None or mean.value == pytest.approx(found["value"])
