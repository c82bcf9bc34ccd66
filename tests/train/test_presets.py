"""What a person types with `--preset` is what the paper, or the row of a table, was trained by."""

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from command import call, refused
from pellucid import cli, config, runs
from pellucid.attacks import PGD, HighestLoss, noack2021, woods2019
from pellucid.data import PadCrop
from pellucid.errors import ConfigError, UnknownName
from pellucid.explainers import Explainer, Gradient, SmoothGrad
from pellucid.norms import L2
from pellucid.objectives import (
    Adaptive,
    Align,
    Attacked,
    CrossEntropy,
    FeatureMatch,
    GradientNorm,
    HessianNorm,
    JacobianNorm,
    Lipschitz,
    LocalCosine,
    LocalDistance,
    Objective,
)
from pellucid.runs import Spec, build, prepare, table
from pellucid.runs.preparing import check_teachers, teacher
from pellucid.train import PRESETS, RECIPES, SGD, Adam, CosineSchedule, Optimizer, Recipe, StepSchedule
from pellucid.train.references import RandomMaps, Reference, Taught

ROOT = Path(__file__).parents[2]
PLAIN = SGD(lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-5)
SOFT = {"activation": {"name": "softplus", "beta": 3}}
ONE_STEP = Attacked(PGD(eps=0.3, steps=1, step=1, start="here"), towards="least-likely", vary=True)
# one length for a batch of 50 is its root times one for each image
MAGNITUDE = 0.15 * 50**0.5 * GradientNorm(of="label-logit", reduction="rms")
ALIGNED = CrossEntropy() + 3.0 * Align() + MAGNITUDE


def benchmark() -> Any:
    found = importlib.util.spec_from_file_location("mnist_methods", ROOT / "benchmarks" / "mnist_methods.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def maps(teacher: str, explainer: Explainer, threshold: float = 1.0, permute: float = 0.0) -> Taught:
    return Taught(teacher, explainer, threshold, permute, preset="mnist-small")


ROBUST, SMOOTH = "adversarial-training", SmoothGrad(samples=10, sigma=0.15, clean=True, clip=True)
# what each row of the table was trained for, towards which maps, by which optimizer, with which options: written out
# here once more, so that a preset that is changed no longer is the row
WRITTEN: dict[str, tuple[Objective, Reference | None, Optimizer, dict[str, Any]]] = {
    "standard": (Objective.of(CrossEntropy()), None, PLAIN, {}),
    "standard, Adam": (Objective.of(CrossEntropy()), None, Adam(lr=1e-3), {}),
    "standard, Adam, Softplus": (Objective.of(CrossEntropy()), None, Adam(lr=1e-3), SOFT),
    "standard, Adam, Half-Huber": (
        Objective.of(CrossEntropy()),
        None,
        Adam(lr=1e-3),
        {"activation": "half-huber"},
    ),
    "adversarial training": (
        CrossEntropy().at(PGD(eps=1.5, steps=7, norm=L2(), goal=HighestLoss())),
        None,
        PLAIN,
        {},
    ),
    "magnitude only": (CrossEntropy() + MAGNITUDE, None, PLAIN, {}),
    "direction only, robust gradient": (CrossEntropy() + 3.0 * Align(), maps(ROBUST, Gradient()), PLAIN, {}),
    "IR, random maps": (ALIGNED, RandomMaps(threshold=1.0), PLAIN, {}),
    "IR, permuted robust SmoothGrad": (ALIGNED, maps(ROBUST, SMOOTH, permute=1.0), PLAIN, {}),
    "IR, standard gradient": (ALIGNED, maps("standard", Gradient(), 0.0), PLAIN, {}),
    "IR, standard SmoothGrad": (ALIGNED, maps("standard", SMOOTH, 1.25), PLAIN, {}),
    "IR, robust gradient": (ALIGNED, maps(ROBUST, Gradient()), PLAIN, {}),
    "IR, robust SmoothGrad": (ALIGNED, maps(ROBUST, SMOOTH), PLAIN, {}),
    "Jacobian": (CrossEntropy() + 0.01 * JacobianNorm(projections=1), None, PLAIN, {}),
    "double backpropagation": (CrossEntropy() + 1.0 * GradientNorm(of="loss", reduction="rms"), None, PLAIN, {}),
    "Hessian": (CrossEntropy() + 1e-3 * 0.3081**4 * HessianNorm(probes=1), None, Adam(lr=1e-3), SOFT),
    "adversarial explanations": (
        CrossEntropy() + Adaptive(level=0.5, gain=0.2) * Lipschitz(),
        None,
        Adam(lr=1e-3),
        {"activation": "half-huber"},
    ),
    "local gradient alignment": (
        CrossEntropy() + 0.01 * 0.3081**2 * LocalDistance() + 1.0 * LocalCosine(),
        None,
        Adam(lr=1e-3),
        SOFT,
    ),
    "consistency": (
        0.5 * CrossEntropy() + 0.5 * CrossEntropy().at(ONE_STEP) + 0.6 * FeatureMatch(ONE_STEP, distance="mean-l2"),
        None,
        PLAIN,
        {},
    ),
}


def check(spec: Spec, written: Spec) -> None:
    """Field by field, so that what differs is named."""
    found, wanted = config.dump(spec), config.dump(written)
    for place in sorted({*config.places(found), *config.places(wanted)}):
        assert _at(found, place) == _at(wanted, place), place


def _at(tables: Any, place: str) -> Any:
    for key in place.split("."):
        tables = tables.get(key, "missing") if isinstance(tables, dict) else "missing"
    return tables


@pytest.mark.parametrize("row", WRITTEN)
def test_a_row_of_the_table_is_trained_by_what_is_typed(row: str) -> None:
    objective, reference, optimizer, options = WRITTEN[row]
    recipe, preset = benchmark().ROWS[row]
    spec = build(table(recipe, preset=preset))
    written = Spec(
        recipe,
        objective,
        data=runs.DataSpec(source="mnist", first=3000),
        model=runs.ModelSpec("simple-cnn", normalize=False, options={"dropout": 0.5, **options}),
        recipe=Recipe(epochs=5, batch=50, optimizer=optimizer, schedule=CosineSchedule()),
        references={} if reference is None else {"reference": reference},
    )
    check(spec, written)
    # the table's own networks are trained by the same settings
    check(build(benchmark().settings(row, "mnist", 0)), spec)


def test_every_row_has_a_command_on_its_page() -> None:
    rows = benchmark().ROWS
    assert set(rows) == set(WRITTEN)
    page = (ROOT / "docs/results/mnist-small.md").read_text()
    for row, (recipe, preset) in rows.items():
        assert f"| {row} | `pellucid train {recipe} --preset {preset}` |" in page, row


def test_other_scales_are_changes_of_the_same_settings() -> None:
    changed = benchmark().at_scale("IR, robust SmoothGrad", images=200, epochs=1, batch=20, attack_steps=2, samples=3)
    spec = build(benchmark().settings("IR, robust SmoothGrad", "mnist", 1, changed))
    taught = spec.references["reference"]
    assert isinstance(taught, Taught) and taught.explainer == SmoothGrad(samples=3)
    assert (spec.data.first, spec.recipe.epochs, spec.recipe.batch, spec.seed) == (200, 1, 20, 1)
    assert taught.settings["recipe"] == {"epochs": 1, "batch": 20}
    assert taught.settings["objective"]["cross-entropy"]["at"]["attack"] == {"steps": 2}


def test_interpretation_regularization_as_its_authors_trained_it() -> None:
    """Settings of the published code for MNIST: raw pixels, and a teacher attacked in L2 at 1.5 with 40 steps."""
    recipe = Recipe(epochs=100, batch=50, optimizer=PLAIN, schedule=CosineSchedule())
    model = runs.ModelSpec("simple-cnn", normalize=False, options={"dropout": 0.5})
    attack = PGD(eps=1.5, steps=40, step=0.5 / 1.5, norm=L2(), goal=HighestLoss(), start="image")
    taught = Taught(ROBUST, SmoothGrad(50, 0.15, clean=True, clip=True), 1.0, 0.0, preset="noack2021-mnist")
    settings: dict[str, Any] = {"data": runs.DataSpec(source="mnist"), "model": model, "recipe": recipe}
    student = build(table("interpretation-regularization", preset="noack2021-mnist"))
    check(student, Spec(student.method, ALIGNED, references={"reference": taught}, **settings))
    robust = build(table(ROBUST, preset="noack2021-mnist"))
    check(robust, Spec(ROBUST, CrossEntropy().at(Attacked(attack, mode="train")), **settings))


def test_what_else_papers_trained_with() -> None:
    cifar = build(table("interpretation-regularization", preset="noack2021-cifar10"))
    assert cifar.model.name == "wide-resnet-28-10" and not cifar.model.normalize
    assert cifar.recipe.optimizer == SGD(lr=0.1, weight_decay=5e-4)
    assert (cifar.recipe.epochs, cifar.recipe.batch) == (200, 128)
    assert cifar.recipe.augment[0] == PadCrop(4, "zero")
    weights = [part.weight for part in cifar.objective.terms]
    assert weights == pytest.approx([1.0, 0.75, 0.005 * 128**0.5])
    (term,) = build(table(ROBUST, preset="noack2021-cifar10")).objective.terms
    assert term.place is not None
    assert isinstance(term.place.attack, PGD) and term.place.attack.eps == noack2021.CIFAR_L2_TRAINING.eps
    woods = build(table("adversarial-explanations-all", preset="woods2019-cifar10"))
    assert woods.recipe.schedule == StepSchedule((0.85, 0.975), 0.1)
    assert all(part.place is not None and part.place.mode == "train" for part in woods.objective.terms)
    (term,) = build(table(ROBUST, preset="woods2019-cifar10")).objective.terms
    assert term.place is not None and term.place.attack == woods2019.TRAINING


def test_the_page_of_adversarial_explanations_says_the_same_as_the_preset(tmp_path: Path) -> None:
    page = (ROOT / "docs/methods/adversarial-explanations.md").read_text()
    (written,) = re.findall(r'```toml title="woods2019.toml"\n(.*?)```', page, re.DOTALL)
    (tmp_path / "woods2019.toml").write_text(written)
    typed = build(table("adversarial-explanations", preset="woods2019-cifar10"))
    read = build({**table(str(tmp_path / "woods2019.toml")), "method": typed.method})
    # the file leaves the augmentation to the data, whose own it is
    own = {"augment": config.dump(typed.recipe)["augment"]}
    check(build(config.merge(config.dump(read), {"recipe": own})), typed)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_builds_and_says_where_it_is_from(preset: str) -> None:
    entry = PRESETS[preset]
    for recipe in entry.recipes:
        assert recipe in RECIPES
        spec = build(table(recipe, preset=preset))
        assert spec.method == recipe and spec.data.source in ("mnist", "cifar10", "imagenet")
        check_teachers(spec)
    assert entry.summary.endswith(f"; for {', '.join(entry.recipes)}")


def test_a_teacher_is_the_row_that_teaches() -> None:
    """So a network that is trained as a row of its own is found again by those that it teaches."""
    digits = {"data.source": "digits", "data.first": 100, "seed": 3}
    spec, source = prepare(table("interpretation-regularization", digits, preset="mnist-small"))
    taught = spec.references["reference"]
    assert isinstance(taught, Taught)
    row, _ = prepare(table(ROBUST, digits, preset="mnist-small"))
    assert teacher(taught, spec, source).fingerprint == row.fingerprint
    assert len(source.train) == 100
    assert "mean" not in spec.model.options, "raw pixels"


def test_a_preset_can_be_overridden_and_read_from_a_file(tmp_path: Path) -> None:
    changed = build(table("standard", {"data.source": "digits"}, ["recipe.epochs=2"], preset="mnist-small"))
    assert (changed.data.source, changed.recipe.epochs, changed.recipe.batch) == ("digits", 2, 50)
    file = tmp_path / "mine.toml"
    file.write_text('method = "jacobian"\npreset = "mnist-small"\n[recipe]\nepochs = 1\n')
    assert config.dump(build(table(str(file)))) == config.dump(
        build(table("jacobian", assignments=["recipe.epochs=1"], preset="mnist-small"))
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            'method = "jacobian"\npreset = 3\n',
            "preset in FILE is 3; it names settings of a method without an [objective]",
        ),
        (
            'method = "mine"\npreset = "mnist-small"\n[objective.cross-entropy]\n',
            "preset in FILE is 'mnist-small'; it names settings of a method without an [objective]",
        ),
    ],
)
def test_presets_that_a_file_cannot_have(tmp_path: Path, written: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(written)
    with pytest.raises(ConfigError) as caught:
        table(str(file))
    assert str(caught.value) == message.replace("FILE", str(file))


def test_a_preset_that_is_not_there() -> None:
    with pytest.raises(UnknownName) as caught:
        table("jacobian", preset="mnist-smal")
    assert str(caught.value) == "jacobian has no preset 'mnist-smal' (did you mean 'mnist-small'?)"
    with pytest.raises(UnknownName) as caught:
        table("trades", preset="mnist-small")
    assert str(caught.value) == "trades has no preset 'mnist-small' (there are none)"
    with pytest.raises(ConfigError) as caught:
        table("mine.toml", preset="mnist-small")
    assert str(caught.value) == (
        "the preset 'mnist-small' is of a recipe by name; write preset = \"mnist-small\" in mine.toml"
    )
    assert refused("train", "standard", "--preset", "mnist-small", "--data", "digits") == (
        "first is 3000, and 'digits' has 1438 training images; give less, or 0 for all"
    )


def test_the_list_has_both_kinds_of_presets() -> None:
    listed = call("list", "presets")
    assert "noack2021-mnist" in listed and "pgd-cifar-l2-training" in listed
    assert "Noack et al. 2021, their code for MNIST" in listed


def test_runs_that_say_nothing_of_what_was_added_keep_their_names() -> None:
    spec = build(table("interpretation-regularization"))
    text = tomllib.loads(config.toml(config.dump(spec)))
    del text["data"]["first"], text["references"]["reference"]["preset"]
    assert build(text).fingerprint == spec.fingerprint
    taught = build(table("interpretation-regularization", assignments=["references.reference.preset=mnist-small"]))
    assert taught.fingerprint != spec.fingerprint
    assert build(table("standard", assignments=["data.first=5"])).fingerprint != build(table("standard")).fingerprint


def commands() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for page in [
        *(ROOT / "docs/methods").glob("*.md"),
        *(ROOT / "docs/results").glob("*.md"),
        ROOT / "docs/recipes.md",
    ]:
        text = page.read_text().replace("\\\n", "")
        found += [(page.stem, line) for line in re.findall(r"pellucid train ([a-z][^`\n]*)", text)]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "command"), commands())
def test_every_training_that_a_page_shows_can_be_begun(page: str, command: str) -> None:
    words = shlex.split(command)
    if words[0].endswith(".toml"):
        assert f'title="{words[0]}"' in (ROOT / f"docs/methods/{page}.md").read_text()
        return
    typed = cli.cli.commands["train"].make_context("train", words).params
    options = {"data.source": typed["source"], "model.name": typed["model"], "seed": typed["seed"]}
    check_teachers(build(table(typed["recipe"], options, typed["assignments"], preset=typed["preset"])))
