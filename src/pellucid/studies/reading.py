"""A study by its name, or from a TOML file."""

from pathlib import Path

from pellucid import config
from pellucid.studies import STUDIES
from pellucid.studies.study import Study


def find(name: str) -> Study:
    """The study of a name that `pellucid list studies` shows, or the one that a TOML file describes."""
    return config.build(Study, config.read(Path(name))) if name.endswith(".toml") else STUDIES[name]
