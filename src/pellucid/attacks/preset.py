"""Attacks at the settings of a paper, under one name."""

from dataclasses import dataclass

from pellucid.attacks.attack import Attack


@dataclass(frozen=True)
class Preset:
    """One attack or more, and where their settings come from."""

    summary: str
    attacks: tuple[Attack, ...]
