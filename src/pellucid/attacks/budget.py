"""How far an attack may go, as it was typed."""

from dataclasses import dataclass

from pellucid import naming
from pellucid.errors import ConfigError

_SHOWN = 40  # letters of what is none


@dataclass(frozen=True)
class Budget:
    """A number, and its text: what was typed as 8/255 is shown as 8/255.

    >>> Budget.parse("8/255")
    Budget(eps=0.03137254901960784, text='8/255')
    """

    eps: float
    text: str

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """The budget that a text stands for: a number, or a fraction such as 8/255."""
        found = naming.number(text)
        if found is None:
            raise ConfigError(f"'{text[:_SHOWN]}' is no budget; give a number, or a fraction such as 8/255")
        return cls(found, text.strip())
