"""Several processes at one audit: each part of each network is carried out by one of them.

claims/0 robustness.claim      who is at the robustness of the first network
claims/lead.claim              who leads: keeps to the budget, and draws the page on the way
"""

from collections.abc import Generator
from contextlib import contextmanager

from pellucid import files
from pellucid.audits.folder import AuditFolder
from pellucid.ledger import Claims

_LEAD = "lead"


class Sharing:
    """What this process has in hand of an audit that others may work at too.

    Used as a context, which gives everything up when it ends. What a process had in hand that died is free again. One
    that `helps` never leads.
    """

    def __init__(self, folder: AuditFolder, *, helps: bool = False) -> None:
        self._folder = folder.path.resolve()  # which somebody named, and may have made a link
        self._new = not self._folder.exists()
        self._place = self._folder / "claims"
        self._claims = Claims(self._place)
        self._helps, self._leads = helps, False

    @property
    def leads(self) -> bool:
        """Whether this process leads; it does from now on where no other one does."""
        self._leads = self._leads or (not self._helps and self._claims.take(_LEAD))
        return self._leads

    @contextmanager
    def deciding(self) -> Generator[None]:
        """In this block no other process decides what is to be done, or takes something in hand."""
        with files.locked(self._folder, wait=True):
            yield

    def take(self, model: int, part: str) -> bool:
        """Take a part of a network in hand; not where somebody else has."""
        return self._claims.take(_name(model, part))

    def elsewhere(self, model: int, part: str) -> bool:
        """Whether another process seems to have it in hand."""
        return (self._place / f"{_name(model, part)}.claim").exists()

    def release(self, model: int, part: str) -> None:
        """Give a part of a network up."""
        self._claims.release(_name(model, part))

    def __enter__(self) -> "Sharing":
        return self

    def __exit__(self, *_: object) -> None:
        self._claims.close()
        if self._place.is_dir() and self._claims.sweep():
            files.remove_folder(self._place)
            if self._new:  # and nothing was begun in it
                files.remove_folder(self._folder)


def _name(model: int, part: str) -> str:
    return f"{model} {part}"
