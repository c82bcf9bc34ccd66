import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pellucid
from pellucid.attacks import ATTACKS
from pellucid.cli import listing
from pellucid.evaluate.explanations import METRICS
from pellucid.explainers import EXPLAINERS
from pellucid.objectives import TERMS
from pellucid.registry import Registry

STUB = Path(inspect.getfile(pellucid)).with_suffix(".pyi")
IMPORTS = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)]
PACKAGES = {alias.name for node in IMPORTS if not node.module for alias in node.names}
STUBS = [path for path in sorted(STUB.parent.rglob("__init__.pyi")) if path != STUB]
NAMES = {alias.name for node in IMPORTS if node.module for alias in node.names}
MODULES = {*PACKAGES, "processes"}


def test_dir_has_every_name_of_the_stub_once() -> None:
    assert sorted(dir(pellucid)) == sorted([*PACKAGES, *NAMES])
    assert PACKAGES | NAMES == set(pellucid.__all__)
    assert not PACKAGES & NAMES
    with pytest.raises(AttributeError, match="fitt"):
        pellucid.fitt  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]


def test_packages_are_modules_and_names_are_not() -> None:
    for name in PACKAGES | NAMES:
        assert isinstance(getattr(pellucid, name), ModuleType) == (name in MODULES), name


def test_names_survive_that_every_module_is_imported() -> None:
    before = {name: getattr(pellucid, name) for name in NAMES}
    for path in STUB.parent.iterdir():
        if path.stem.isidentifier() and not path.stem.startswith("_") and (path.suffix == ".py" or path.is_dir()):
            importlib.import_module(f"pellucid.{path.stem}")
    for name, value in before.items():
        assert getattr(pellucid, name) is value, name


def test_type_checkers_are_told_each_name_as_itself() -> None:
    for node in IMPORTS:
        assert node.level == 1
        assert all(alias.asname == alias.name for alias in node.names)


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: str(stub.parent.relative_to(STUB.parent)))
def test_a_package_offers_what_its_stub_says_and_hides_no_module(stub: Path) -> None:
    package = importlib.import_module(".".join(("pellucid", *stub.parent.relative_to(STUB.parent).parts)))
    modules = {path.stem for path in stub.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    for node in ast.parse(stub.read_text()).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            assert alias.asname == alias.name and alias.name in package.__all__, alias.name
            assert getattr(package, alias.name) is not None
            assert node.module is None or alias.name not in modules, f"{alias.name} would hide the module"


@pytest.mark.parametrize("registry", [ATTACKS, EXPLAINERS, METRICS, TERMS], ids=lambda registry: registry.kind)
def test_whatever_is_listed_is_offered(registry: Registry[type[Any]]) -> None:
    for name, kind in registry.items():
        assert getattr(pellucid, kind.__name__) is kind, name


def test_importing_the_package_imports_nothing_heavy() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import sys, pellucid; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"torch", "numpy", "click", "importlib.metadata", "typing"} & set(said)
    assert [name for name in said if name.startswith("pellucid")] == ["pellucid"]


@pytest.mark.parametrize("flags", [["-m", "pellucid"], ["-Bmpellucid"], ["-P", "-m", "pellucid"]], ids=" ".join)
def test_files_of_others_in_the_current_folder_are_not_imported(tmp_path: Path, flags: list[str]) -> None:
    for name in ("ast", "lazy_loader", "click", "stopping"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    words = [sys.executable, *flags, "list", "norms"]
    said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "linf" in said.stdout


@pytest.mark.parametrize("kind", list(listing.REGISTRIES))
def test_every_listed_registry_is_there_and_describes_its_entries(kind: str) -> None:
    from pellucid.registry import describe

    module, _, name = listing.REGISTRIES[kind].partition(":")
    entries = getattr(importlib.import_module(module), name)
    assert len(entries) > 0
    for entry, value in entries.items():
        assert re.fullmatch(r"[a-z0-9-]+", entry)
        assert describe(value), entry
