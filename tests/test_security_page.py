"""`docs/security.md` knows every kind of file that the code does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
TABLE = PAGE.partition("## Every kind of file")[2].partition("\n## ")[0]
NAMED = set(re.findall(r"`([^`]+)`", TABLE))


def texts(path: Path) -> Iterator[str]:
    """What is compared with the end of a file's name, or looked for in a folder."""
    tree = ast.parse(path.read_text())
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
            yield str(node.right.value)
        text = node.value if isinstance(node, ast.Constant) and id(node) not in pieces else None
        if isinstance(text, str) and (re.fullmatch(r"\.[a-z][a-z0-9]*", text) or "*." in text):
            yield text


def test_every_kind_of_file_stands_in_the_table() -> None:
    found = {text for path in sorted((ROOT / "src").rglob("*.py")) for text in texts(path)}
    endings = {match[1] for text in found if (match := re.search(r"(\.[a-z][a-z0-9]*)$", text))}
    assert {".pt2", ".npz", ".toml", ".json", ".png", ".safetensors", ".ckpt", ".partial"} <= endings
    known = {match[1] for name in NAMED if (match := re.search(r"(\.[a-z][a-z0-9]*)$", name))}
    inner = {".d", ".pkl"}  # which end the names of some tensors, and of members of an archive
    assert not sorted(endings - known - inner)


def test_every_row_says_whether_it_is_safe() -> None:
    rows = [line.split("|") for line in TABLE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    for row in rows:
        assert len(row) == 5 and re.match(r" (yes|no|only with `--trust)\b", row[2]), row


def test_a_hole_can_be_reported() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text and "Report a vulnerability" in PAGE
    assert "docs/security.md" in text
