"""What `python -m benchmarks.house` counts, on a tree that is small enough to count by hand."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TREE = {
    "__init__.py": "",
    "shelf/__init__.py": """from pellucid.shelf.book import Book as Book
from pellucid.shelf.spine import glued as glued
""",
    "shelf/book.py": """
from dataclasses import dataclass
from typing import Any
from pellucid.table import Table

@dataclass
class Book:
    title: str
    notes: dict[str, Any]
    _hidden: Any

    def turned(self, a, b, c, d, e, f, g, *h): ...

    @staticmethod
    def burnt(a, b, c, d, e, f, g, h, *, i) -> Any: ...

    def _secret(self, x: Any): ...

    def __call__(self, x: list[Table]): ...
""",
    "shelf/spine.py": '''
def glued(leaves):
    """Glue them."""
    total = 0
    for leaf in leaves:
        if leaf:
            total += leaf
    return total


def short(leaves):
    total = sum(leaves)
    return total
''',
    "table.py": "from collections.abc import Mapping\nfrom typing import Any\nTable = Mapping[str, Any]\n",
    "reader.py": """
from collections.abc import Callable
from pellucid import shelf
from pellucid.desk import lamp

class Read:
    done: int
    total: int

class Reading:
    done: int
    total: int
    page: str

def read(book: "shelf.Book", hear: Callable[..., object]):
    steps = iter(shelf.Book.turned)
    while True:
        try:
            hear(next(steps))
        except StopIteration as end:
            return end.value

def glued(pages: list[int]) -> int:
    amount = 0
    for page in pages:
        if page:
            amount += page
    return amount

def shortened(leaves):
    total = sum(leaves)
    return total
""",
    "desk/__init__.py": "",
    "desk/__init__.pyi": "from .chair import Chair as Chair\n",
    "desk/book.py": "class Book: ...\n",
    "desk/chair.py": "class Chair: ...\n",
    "desk/kinds.py": 'KINDS = {"book": "pellucid.desk.book:Book"}\n',
    "desk/lamp.py": "",
    "cli/__init__.py": "",
    "cli/read.py": "def read(a, b, c, d, e, f, g, h, i, j): ...\n",
}
WALKS = {
    "whole": "reader:read shelf.book:Book.turned table shelf.book shelf",
    "without a module": "reader cellar",
    "without a name": "reader:write",
    "apart": "reader desk.lamp table",
}


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)


def measured(root: Path, walks: dict[str, str]) -> dict[str, Any]:
    return importlib.import_module("benchmarks.house").measure(root, walks)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        path = tmp_path / "src" / "pellucid" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_every_count_is_exact(root: Path) -> None:
    assert measured(root, WALKS) == {
        "files": 13,
        "lines": 73,
        "lines a file, median": 1,
        "largest files": {
            "reader.py": 32,
            "shelf/book.py": 19,
            "shelf/spine.py": 13,
            "table.py": 3,
            "shelf/__init__.py": 2,
        },
        "files imported by one other": {
            "desk/book.py": "desk/kinds.py",
            "desk/chair.py": "desk/__init__.py",
            "desk/lamp.py": "reader.py",
            "shelf/spine.py": "shelf/__init__.py",
            "table.py": "shelf/book.py",
        },
        "of those, by no __init__.py": ["desk/book.py", "desk/lamp.py", "table.py"],
        "longest parameter lists outside cli": {
            "shelf/book.py:Book.burnt": 9,
            "shelf/book.py:Book.turned": 8,
            "reader.py:read": 2,
            "reader.py:glued": 1,
            "reader.py:shortened": 1,
        },
        "functions of more than 8 parameters outside cli": 1,
        "functions that watch steps": ["reader.py:read"],
        "classes of just done and total": ["reader.py:Read"],
        "classes of these and more": ["reader.py:Reading"],
        "functions written more than once": [["reader.py:glued", "shelf/spine.py:glued"]],
        "lines written again": 7,
        "untyped seams": ["shelf/book.py:Book.notes", "shelf/book.py:Book.burnt", "shelf/book.py:Book.__call__"],
        "names defined by several modules": 3,
        "the most often defined": {
            "Book": ["desk/book.py", "shelf/book.py"],
            "glued": ["reader.py", "shelf/spine.py"],
            "read": ["cli/read.py", "reader.py"],
        },
        "file names in several folders": {"book.py": ["desk/book.py", "shelf/book.py"]},
        "files passed through": {
            "whole": 4,
            "without a module": "broken: there is no pellucid.cellar",
            "without a name": "broken: there is no pellucid.reader:write",
            "apart": "broken: neither of pellucid.desk.lamp and pellucid.table imports the other",
        },
    }


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("def f(a, b): g(a, k=b); h(a); i(b); j(); k()", "def f(x, y): g(x, k=y); h(x); i(y); j(); k()", True),
        ("def f(a, b): g(a, k=b); h(a); i(b); j(); k()", "def f(x, y): g(y, k=x); h(x); i(y); j(); k()", False),
        ("def f(a, b): g(a, k=b); h(a); i(b); j(); k()", "def f(k, l): g(k, l=l); h(k); i(l); j(); k()", False),
        ("def f(): a = g(); b = a.c; a.c(); b(); return a", "def f(): x = g(); y = x.c; x.c(); y(); return x", True),
        ("def f(): a = g(); b = a.c; a.c(); b(); return a", "def f(): x = g(); y = x.d; x.c(); y(); return x", False),
        ("def f(): a = 1; a += 1; a += 2; return a", "def f(): a = 1; a += 1; a += 2; return a", False),
    ],
)
def test_functions_are_the_same_where_only_names_of_their_own_differ(
    tmp_path: Path, one: str, other: str, is_same: bool
) -> None:
    (tmp_path / "src" / "pellucid").mkdir(parents=True)
    for name, text in {"one.py": one, "other.py": other}.items():
        (tmp_path / "src" / "pellucid" / name).write_text(text)
    found = measured(tmp_path, {})["functions written more than once"]
    assert found == ([["one.py:f", "other.py:f"]] if is_same else [])


def test_the_command_says_it_and_writes_it(root: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.house", str(root), "--json", str(root / "house.json")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "files imported by one other: 5\n" in said
    assert json.loads((root / "house.json").read_text())["files imported by one other"].keys() == {
        "desk/book.py",
        "desk/chair.py",
        "desk/lamp.py",
        "shelf/spine.py",
        "table.py",
    }
    listed = subprocess.run([*command, "--verbose"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '"desk/lamp.py": "reader.py"' in listed
