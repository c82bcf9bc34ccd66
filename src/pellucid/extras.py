"""Packages that only some uses need."""

import importlib
from typing import Any

from pellucid.errors import MissingExtra


def extra(module: str, owner: str, name: str) -> Any:
    """The optional `module` that `owner` needs; `name` is the extra that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"'{owner}' needs {error.name}, which is missing; pip install pellucid[{name}]") from error
    except Exception as error:  # such as a torchvision that was built for another torch
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise MissingExtra(f"'{owner}' needs {module}, which cannot be imported ({told})") from error
