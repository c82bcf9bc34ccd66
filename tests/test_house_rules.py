"""Rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


random_calls = re.compile(r"torch\.(rand|randn|randint|randperm|bernoulli|normal)\((?!.*generator=)")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "pellucid")))
def test_a_source_file_keeps_the_rules(path: Path) -> None:
    text = path.read_text()
    inner = path.relative_to(ROOT / "src" / "pellucid")
    assert len(text.splitlines()) <= 400, "one idea per file"
    assert path.stem not in {"utils", "util", "helpers", "common", "misc", "manager", "handler"}
    assert not random_calls.search(text), "randomness is passed"
    if inner.parts[0] != "cli":
        assert not re.search(r"\bprint\(", text), "values go up, the command line speaks"
        assert "os.environ" not in text and "getenv" not in text, "the library reads no environment"
    # the latter transposes one operation, never a network
    if inner.as_posix() not in ("probe.py", "explainers/propagation/transposing.py"):
        assert not re.search(r"^[^#\n]*= torch\.autograd\.grad\(", text, re.M), (
            "input gradients are taken in the probe only"
        )
    assert "from __future__ import annotations" not in text, "it would switch off the checks of shapes"
    assert not re.search(r"^import (torchvision|timm)|^from (torchvision|timm)", text, re.M)


CHANGING = {  # methods of paths, and functions of os and shutil
    *("write_text", "write_bytes", "mkdir", "makedirs", "unlink", "rename", "rmdir", "rmtree", "truncate"),
    *("ftruncate", "touch", "symlink_to", "hardlink_to", "symlink", "link", "move", "copy2", "copyfile", "copytree"),
    *("removedirs", "chmod", "mkfifo", "tofile", "save_file", "savez", "savez_compressed"),
}


def changes(call: ast.Call) -> bool:
    """Whether a call changes the disk in a way that follows links or leaves half a file."""
    method, owner = isinstance(call.func, ast.Attribute), ""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        owner = call.func.value.id
    if owner in ("files", "checksums") or any(
        isinstance(word, ast.Name) and word.id == "buffer" for word in call.args
    ):
        return False
    if name == "open" and not any(keyword.arg == "force_zip64" for keyword in call.keywords):  # of an archive's part
        words = [*call.args, *(keyword.value for keyword in call.keywords)]
        modes = [word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        flags = {leaf.attr for word in words for leaf in ast.walk(word) if isinstance(leaf, ast.Attribute)}
        written = any(re.fullmatch(r"[rwaxbt+]+", mode) and set(mode) & set("wax+") for mode in modes)
        return written or bool(flags & {"O_WRONLY", "O_CREAT", "O_TRUNC", "O_APPEND"})
    if name == "replace":  # of a path has one argument, of text two, of a dataclass names
        return method and (owner == "os" or (len(call.args) == 1 and not call.keywords))
    if name in ("remove", "save"):
        return owner in ("os", "torch", "numpy", "np")
    return method and name in CHANGING


def test_everything_is_written_by_one_module() -> None:
    """Which never follows a link and leaves no half of a file."""
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in SOURCES
        if path.relative_to(ROOT / "src" / "pellucid").as_posix() != "files.py"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and changes(call)
    ]
    assert not found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("path.write_text('')", True),
        ("path.mkdir()", True),
        ("part.replace(path)", True),
        ("os.replace(a, b)", True),
        ("path.open('ab')", True),
        ("open(path, mode='w')", True),
        ("os.open(path, os.O_RDWR | os.O_CREAT)", True),
        ("torch.save(x, path)", True),
        ("shutil.rmtree(a)", True),
        ("files.rename(a, b)", False),
        ("text.replace('a', 'b')", False),
        ("path.open('rb')", False),
        ("torch.save(x, buffer)", False),
        ("open(path)", False),
    ],
)
def test_the_rule_for_writing_finds_what_it_is_there_for(text: str, is_found: bool) -> None:
    assert is_found == any(changes(call) for call in ast.walk(ast.parse(text)) if isinstance(call, ast.Call))


def test_no_example_is_timed() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
    timed = re.compile(r"settings\([^)]*deadline")
    assert not [str(path) for path in (ROOT / "tests").rglob("test_*.py") if timed.search(path.read_text())]


def test_what_is_listed_as_slow_is_there() -> None:
    listed = [line for line in (ROOT / "tests" / "slow.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(set(listed)) == len(listed)
    for line in listed:
        file, *_, name = line.partition("[")[0].split("::")
        assert f"def {name}(" in (ROOT / file).read_text() or "::Test_" in line, line
