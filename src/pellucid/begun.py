"""How work that is done chunk by chunk begins: everything that it depends on is written down, or compared."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pellucid import sealed
from pellucid.errors import MeasurementError


def begun(file: Path, about: Mapping[str, Any], batch: int, forget: Callable[[], None]) -> int:
    """Write down what is made here, or see that it is what was begun; how many images a chunk has.

    A file that is damaged or gone is written again. Unless the same content had been there, what was made is
    forgotten: between chunks of another size, or of other things, it would not fit.
    """
    content = json.dumps({"about": about, "batch": batch}, indent=2) + "\n"
    if file.exists():
        with sealed.telling(), sealed.reading(file, sealed.MADE_AGAIN):
            known = sealed.read_json(file, sealed.MADE_AGAIN)
            same(file.parent, about, known["about"])
            return int(known["batch"])
    if not sealed.vouched(file, content):
        forget()
    sealed.write(file, content)
    return batch


def same(folder: Path, about: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse to go on with what depends on other things."""
    if known != json.loads(json.dumps(about)):
        raise MeasurementError(f"{folder} holds another measurement; give each a folder of its own")
