"""Where there is no figure, every output says why: images of one class, all right or all wrong, or one alone."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import call
from pellucid import audits
from pellucid.attacks import PGD
from pellucid.audits import Decided, Explained, Neurons, Part, Profile, Robust
from pellucid.cli.screens import measured
from pellucid.cli.screens.screen import Screen
from pellucid.errors import count_of
from pellucid.evaluate.explanations import Sparsity
from pellucid.explainers import Gradient
from pellucid.registry import Registry
from pellucid.subjects import Asked, measured_summary, measurement_of

BARE = re.compile(r"(?<![\w-])(nan|none|null|inf|infinity)(?![\w-])", re.IGNORECASE)
CONSTANT = ["constant_network:constant", "--data", "images.npz", "--device", "cpu", "--split", "all"]
LABELS = {"all right": [0] * 8, "all wrong": [1] * 8, "half": [0, 1] * 4, "one image": [0]}
UNREACHED = "no failure was found for any of {n}; an area would be endless"
FLAT = "the gradient of every logit is zero at all images looked at"
ZERO = "images have no value: the map is zero"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(params=LABELS)
def labels(request: pytest.FixtureRequest) -> list[int]:
    found = LABELS[request.param]
    written(found)
    return found


def written(labels: list[int]) -> None:
    x = np.linspace(0.2, 0.8, len(labels) * 36, dtype=np.float32).reshape(-1, 1, 6, 6)
    np.savez("images.npz", x=x, y=np.array(labels), classes=["a", "b"])


def strict(text: str) -> Any:
    """JSON without the words that are none."""

    def refused(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refused)


def said(*arguments: str) -> str:
    """What a command prints, without a bare word in any of it."""
    out = call(*arguments)
    assert not BARE.search(out), out
    return out


def unexplained(content: Any) -> Iterator[Mapping[str, Any]]:
    """The tables in JSON that have a null for a figure and no reason beside it."""
    if isinstance(content, list):
        for entry in content:
            yield from unexplained(entry)
    elif isinstance(content, dict):
        lost = {name for name in ("area", "median_distance", "mean", "estimate") if content.get(name, 0) is None}
        if lost - set(content.get("missing") or {}) and not (content.get("why") or content.get("note")):
            yield content
        for entry in content.values():
            yield from unexplained(entry)


@pytest.mark.parametrize("labels", ["all right", "half"], indirect=True)
def test_an_audit_says_why_everywhere(labels: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    parts: dict[str, Part] = {
        "decisions": Decided(),
        "robustness": Robust(n=8, nearest=8, linf=(0.1,), l2=(), steps=2, nearest_steps=2, repeated=1),
        "explanations": Explained({"gradient": Gradient()}, {"sparsity": Sparsity()}, n=8),
        "neurons": Neurons(n=8, steps=1, targets=1),
    }
    monkeypatch.setattr(audits, "PROFILES", Registry("profile", {"quick": Profile("a test", parts)}))
    out = said("audit", *CONSTANT, "--profile", "quick", "--out", "out")
    n = len(labels)
    reasons = [f"{n} of {n} {ZERO}"]
    half = len(set(labels)) == 2
    reasons.append("every neuron says the same of all images" if half else FLAT)
    content = strict(call("report", "out", "--json"))
    assert not list(unexplained(content["figures"]))
    text = Path("out/report.html").read_text()
    section = text[text.index('<section id="figures"') : text.index("</table>", text.rindex('class="number none"'))]
    shown = " ".join(re.sub(r"<[^>]*>", " ", section).split())
    assert not BARE.search(shown), shown
    with Path("out/figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["note"] for row in rows if not row["value"])
    markdown = Path("out/figures.md").read_text()
    assert not BARE.search(markdown)
    for reason in reasons:
        assert reason in out and reason in shown and f"no value: {reason}" in markdown
        assert any(reason in row["note"] for row in rows)
    assert ("no image of this class" in shown) == (not half)


def test_measuring_says_why(labels: list[int]) -> None:
    command = ["measure", *CONSTANT, "--attack", "fmn", "--set", "steps=2", "--no-verdicts"]
    out, content = said(*command), strict(call(*command, "--json"))
    assert not list(unexplained(content))
    (found,) = content["attacks"]
    if set(labels) == {0}:
        reasons = [UNREACHED.format(n=count_of(len(labels), "image")), "the attack moved no image to its goal"]
        assert set(found["missing"]) == {"area", "median_distance"} and found["area"] is None
    elif set(labels) == {1}:
        reasons = ["every image fails as it is; there is no distance to speak of"]
        assert found["area"] is not None and found["missing"] == {"median_distance": reasons[0]}
    else:
        reasons = ["the attack moved no image to its goal; there is no median distance"]
    assert "no attack" in out and all(reason in out for reason in reasons)


def test_attacks_without_a_common_budget_have_no_worst_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    written([0] * 8)
    subject = Asked("constant_network:constant", "images.npz", split="all", device="cpu").subject()
    attacks = [PGD(eps=eps, steps=1) for eps in (0.1, 0.2)]
    content = measured_summary(
        subject, [measurement_of(subject, one, folder=Path("measured")) for one in attacks], ()
    )
    reason = "these records have no budget in common; measure all attacks at the same eps"
    assert content["missing"] == {"worst": reason}
    measured.report(Screen(), content)
    assert f"no worst of all: {reason}\n" in capsys.readouterr().out


def test_judging_says_why(labels: list[int]) -> None:
    command = ["judge", *CONSTANT, "--metric", "sparsity,insertion", "--explainer", "gradient"]
    out, content = said(*command), strict(call(*command, "--json"))
    n = len(labels)
    assert not list(unexplained(content))
    assert f"note 1: sparsity of gradient: {n} of {n} {ZERO}" in out
    assert all(len(line) <= 100 for line in out.splitlines() if "note 1 " in line)


def test_neurons_that_are_dead_say_so() -> None:
    written(LABELS["half"])
    command = ["neurons", *CONSTANT, "--layer", "2", "--draws", "5"]
    out, content = said(*command), strict(call(*command, "--json"))
    (layer,) = content["layers"]
    lost = {name for name in ("identity", "level", "content", "r_mean", "auroc_errors") if layer[name] is None}
    assert lost >= {"identity", "content", "r_mean"} and lost <= set(layer["missing"])
    assert "every neuron says the same of all images" in out and ": no image was attacked" in out
    assert layer["missing"]["auroc_errors"] == (
        "no prediction rests on a neuron that means anything, so there is no support to judge by"
    )


def test_importance_says_why() -> None:
    written(LABELS["half"])
    command = ["normlime", *CONSTANT, "--cell", "3", "--masks", "20"]
    out, content = said(*command), strict(call(*command, "--json"))
    assert content["adjusted_r2"] is None
    assert content["adjusted_r2_note"] in out and "nothing that was hidden had any effect" in out
    one = ["normlime", "mlp", "--data", "digits", "--device", "cpu", "--n", "1", "--cell", "4", "--masks", "20"]
    content = strict(call(*one, "--json"))
    assert {row["note"] for row in content["features"]} == {"one image, so no interval"}
    with (Path(content["path"]) / "importance.csv").open(newline="") as file:
        assert all(row["note"] and not row["low"] for row in csv.DictReader(file))
    assert "one image, so no interval" in said(*one)


def test_an_endless_setting_is_a_word_in_json() -> None:
    written(LABELS["one image"])
    command = ["explain", *CONSTANT, "--n", "1", "--explainer", "integrated-gradients", "--set", "tolerance=inf"]
    content = strict(call(*command, "--json"))
    assert content["explainers"]["integrated-gradients"]["tolerance"] == "inf"
    assert strict((Path(content["sheet"]).parent / "explanations.json").read_text())
