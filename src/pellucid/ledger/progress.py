"""How far a long work is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What is being done, how much of it is done, of how much, and what else there is to say of it so far."""

    doing: str
    done: int
    total: int
    words: str = ""
