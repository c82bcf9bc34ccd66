import re
from pathlib import Path

import pytest
import torch

from pellucid import config, runs
from pellucid.errors import ConfigError, UnknownName
from pellucid.train import RECIPES, Adam


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_reads_back_from_its_specification(name: str) -> None:
    spec = runs.build(runs.table(name))
    # written down, since an adaptive weight is one thing and no value
    assert config.dump(spec.objective) == config.dump(RECIPES[name].objective)
    assert spec.recipe == RECIPES[name].recipe
    assert config.dump(runs.build(config.dump(spec))) == config.dump(spec)


def test_the_fingerprint_changes_with_what_matters_and_with_nothing_else() -> None:
    def fingerprint(*assignments: str) -> str:
        return runs.build(runs.table("jacobian", {}, assignments)).fingerprint

    plain = fingerprint()
    for assignment in (
        "recipe.epochs=3",
        "recipe.optimizer.lr=0.1",
        "seed=1",
        "objective.jacobian-norm.weight=0.5",
        "model.options.activation=softplus",
        "data.fingerprint=abc",
        "precision=bf16-mixed",
        "model.init_checksum=abc",
    ):
        assert fingerprint(assignment) != plain, assignment
    for assignment in ("data.root=/elsewhere", "data.workers=0", "data.memory=5", "model.init=a.pt"):
        assert fingerprint(assignment) == plain, assignment


def test_what_was_added_to_a_term_leaves_the_names_of_runs_that_do_not_use_it() -> None:
    published = runs.build(runs.table("magnitude-only", preset="noack2021-mnist"))
    assert published.fingerprint == "f9160c1c7bcc"
    for setting in ("norm='l1'", "units='network'"):
        changed = runs.table("magnitude-only", {}, [f"objective.gradient-norm.{setting}"], preset="noack2021-mnist")
        assert runs.build(changed).fingerprint != published.fingerprint


def test_options_that_say_nothing_change_nothing() -> None:
    assert runs.table("standard", {"seed": None, "data.source": None}) == runs.table("standard")
    table = runs.table("standard", {"seed": 4, "data.source": "mnist"}, ["seed=5"])
    assert (table["seed"], table["data"]["source"]) == (5, "mnist")


def test_a_file_changes_a_recipe_or_brings_its_own_objective(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('method = "jacobian"\n[recipe]\nepochs = 3\n[recipe.optimizer]\nkind = "adam"\nlr = 0.01\n')
    spec = runs.build(runs.table(str(path)))
    assert spec.method == "jacobian" and spec.objective == RECIPES["jacobian"].objective
    assert spec.recipe.epochs == 3 and spec.recipe.optimizer == Adam(lr=0.01)
    path.write_text("[objective.cross-entropy]\nlabel_smoothing = 0.1\n")
    spec = runs.build(runs.table(str(path)))
    assert spec.method == "mine" and spec.objective.names == ("cross-entropy",)


def test_a_file_allows_no_download_and_a_command_does(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('method = "standard"\n[data]\nsource = "mnist"\ndownload = true\n')
    assert not runs.build(runs.table(str(path))).data.download
    assert runs.build(runs.table(str(path), {"data.download": True})).data.download
    assert runs.build(runs.table(str(path), {}, ["data.download=true"])).data.download


def test_bad_files_and_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("seed = 1\n")
    message = f'{path} has neither an [objective] nor a method; give one: method = "standard"'
    with pytest.raises(ConfigError, match=re.escape(message)):
        runs.table(str(path))
    path.write_text("method = 3\n")
    with pytest.raises(
        ConfigError, match=re.escape(f"method in {path} is 3; it names a recipe, or is a name of your")
    ):
        runs.table(str(path))
    with pytest.raises(UnknownName, match=re.escape("no recipe is called 'jacobain' (did you mean 'jacobian'?)")):
        runs.table("jacobain")
    path.write_text('method = "standard"\n[recipee]\nepochs = 3\n')
    with pytest.raises(
        ConfigError, match=re.escape("there is no setting 'recipee.epochs' (did you mean 'recipe.epochs'?)")
    ):
        runs.build(runs.table(str(path)))


def test_the_folder_s_name_says_what_lies_in_it() -> None:
    spec = runs.build(runs.table("standard", {"data.source": "/photos/pets.npz", "model.name": "my.nets:build"}))
    assert re.fullmatch(r"standard-pets-build-[0-9a-f]{12}", spec.folder)


def test_fewer_test_images_are_another_run_and_too_many_are_refused() -> None:
    few, source = runs.prepare(runs.table("standard", {"data.tested": 40}))
    whole, everything = runs.prepare(runs.table("standard"))
    assert len(source.test) == 40
    assert torch.equal(source.test.labels, everything.test.labels[:40])
    assert few.fingerprint != whole.fingerprint
    with pytest.raises(ConfigError, match="tested is 99999, and 'digits' has 359 test images"):
        runs.prepare(runs.table("standard", {"data.tested": 99999}))
