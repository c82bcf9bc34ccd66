"""What lies in a folder, so that two can be compared."""

import json
from pathlib import Path
from typing import Any

import numpy as np

OF_THE_ATTEMPT = {"seconds", "images_per_second", "started", "environment", "threads"}
"""What differs from one attempt to the next."""
_NOT_COMPARED = {".lock", "checksums.txt"}


def timeless(content: Any) -> Any:
    """Plain values without what differs from one attempt to the next."""
    if isinstance(content, dict):
        return {name: timeless(value) for name, value in content.items() if name not in OF_THE_ATTEMPT}
    return [timeless(value) for value in content] if isinstance(content, list) else content


def contents(folder: Path) -> dict[str, Any]:
    """Every file below a folder by its path: arrays and JSON by what they hold, pages by being there."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in _NOT_COMPARED):
        name = path.relative_to(folder).as_posix()
        try:
            found[name] = _taken_apart(path)
        except Exception:  # damaged, in whatever way
            found[name] = path.read_bytes()
    return found


def _taken_apart(path: Path) -> Any:
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {key: (str(arrays[key].dtype), arrays[key].tolist()) for key in arrays.files}
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
    return "there" if path.suffix == ".html" else path.read_bytes()
