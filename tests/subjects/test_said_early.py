"""What is wrong with a long command is said before its work begins, not after."""

import importlib
import os
import sys
from pathlib import Path

import pytest

from command import refused

DIGITS = ("mlp", "--data", "digits", "--device", "cpu")


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No work may begin."""

    def worked(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.chdir(tmp_path)
    for module, name in (
        ("pellucid.runs.executing", "fit_steps"),
        ("pellucid.subjects", "fitted"),
        ("pellucid.subjects.judged", "judge"),
        ("pellucid.evaluate", "measure"),
    ):
        monkeypatch.setattr(importlib.import_module(module), name, worked)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("retrain", *DIGITS, "--fractions", "0.5,2"), "a fraction is 2; it is a share of all places, in [0, 1]"),
        (("retrain", *DIGITS, "--protocol", "raor"), "no protocol is called 'raor' (did you mean 'roar'?)"),
        (("retrain", *DIGITS, "--protocol", "roar,roar"), "a protocol is named twice in roar, roar; name each once"),
        (("retrain", *DIGITS, "--seeds", "0"), "seeds is 0; train with 1 or more"),
        (
            ("explain", *DIGITS, "--explainer", "normlime", "--of", "tree"),
            "'tree' is no class of this network (there are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, all, pair, predicted, "
            "runner-up)",
        ),
        (
            ("judge", *DIGITS, "--metric", "sparsity", "--explainer", "gradient", "--of", "lable"),
            "'lable' is no class of this network (did you mean 'label'?)",
        ),
        (
            ("judge", *DIGITS, "--metric", "sparsity,pointing-game", "--explainer", "gradient"),
            "pointing-game reads a column 'mask'; give it with --column mask=FILE.npy",
        ),
        (
            ("measure", *DIGITS, "--attack", "pgd", "--norm", "l2", "--eps", "0.5,9"),
            "the attack has eps=9; images of this size are at most 8 apart",
        ),
        (
            ("audit", *DIGITS, "--profile", "quick", "--set", "robustness.l2=[0.5, 9]"),
            "Robust has eps=9; images of this size are at most 8 apart",
        ),
        (
            ("measure", *DIGITS, "--attack", "pgd", "--preset", "mnist-l2-weka"),
            "pgd has no preset 'mnist-l2-weka' (did you mean 'mnist-l2-weak'?)",
        ),
        (("measure", *DIGITS, "--attack", "apgd", "--preset", "weak"), "apgd has no preset 'weak' (there are none)"),
        (
            ("train", "standard", "--model", "mlp", "--set", "model.options.hiden=[8]", "--data", "nowhere"),
            "there is no setting 'model.options.hiden' (did you mean 'model.options.hidden'?)",
        ),
        (
            (
                "train",
                "direction-only",
                "--data",
                "nowhere",
                "--set",
                "references.reference.settings.recipe.epoch=1",
            ),
            "there is no setting 'references.reference.settings.recipe.epoch' "
            "(did you mean 'references.reference.settings.recipe.epochs'?)",
        ),
        (
            ("train", "direction-only", "--data", "nowhere", "--set", "references.reference.recipe=standrad"),
            "no recipe is called 'standrad' (did you mean 'standard'?)",
        ),
    ],
)
def test_what_is_wrong_is_said_before_the_work(arguments: tuple[str, ...], message: str) -> None:
    assert refused(*arguments) == message
    assert os.listdir() == []


@pytest.mark.parametrize(
    "command",
    [
        ("train", "standard"),
        ("measure", *DIGITS),
        ("judge", *DIGITS),
        ("explain", *DIGITS),
        ("audit", *DIGITS),
        ("neurons", *DIGITS),
        ("normlime", *DIGITS),
        ("retrain", *DIGITS),
        ("references", *DIGITS),
    ],
    ids=lambda command: command[0],
)
def test_a_folder_that_cannot_be_written_to(command: tuple[str, ...]) -> None:
    Path("taken").write_text("")
    for out in ("taken", "taken/deeper/still"):
        assert refused(*command, "--out", out) == (
            f"'{out}' cannot be written to: '{Path.cwd() / 'taken' if out != 'taken' else out}' is a file; "
            "give --out another folder"
        )


def test_a_folder_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("closed").mkdir()

    def closed(path: Path, mode: int) -> bool:
        return False

    monkeypatch.setattr(os, "access", closed)
    assert refused("audit", *DIGITS, "--out", "closed") == (
        "'closed' cannot be written to: 'closed' is closed to you; give --out another folder"
    )


@pytest.mark.parametrize(
    "command",
    [("train", "standard"), ("measure", "mlp"), ("explain", "mlp"), ("audit", "mlp"), ("retrain", "mlp")],
    ids=lambda command: command[0],
)
def test_a_device_that_is_not_there(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert refused(*command, "--data", "nowhere", "--device", "cuda") == (
        "there is no CUDA device here; take --device cpu, or auto for the best there is"
    )
    assert os.listdir() == []


def test_curves_that_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert refused("train", "standard", "--model", "mlp", "--tensorboard", "--device", "cpu") == (
        "--tensorboard needs an extra: pip install 'pellucid[tensorboard]'"
    )
    assert os.listdir() == []
