import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import pellucid
from pellucid.cli import listing


def test_every_public_name_is_there_and_known_to_type_checkers() -> None:
    tree = ast.parse(Path(inspect.getfile(pellucid)).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared | {"__version__"} == set(dir(pellucid))
    for name in dir(pellucid):
        assert getattr(pellucid, name) is not None
    with pytest.raises(AttributeError, match=re.escape("module 'pellucid' has no attribute 'fitt'")):
        pellucid.fitt  # noqa: B018 # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("kind", list(listing.REGISTRIES))
def test_every_listed_registry_is_there_and_describes_its_entries(kind: str) -> None:
    from pellucid.registry import describe

    module, _, name = listing.REGISTRIES[kind].partition(":")
    entries = getattr(importlib.import_module(module), name)
    assert len(entries) > 0
    for entry, value in entries.items():
        assert re.fullmatch(r"[a-z0-9-]+", entry)
        assert describe(value), entry
