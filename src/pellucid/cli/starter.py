"""Which process has started this one to work for it."""

import os
from collections.abc import Generator
from contextlib import contextmanager

_VARIABLE = "PELLUCID_STARTER"


def starter() -> int:
    """The process that started this one to work for it, which may be gone by now; 0 where none has."""
    named = os.environ.get(_VARIABLE, "")
    return int(named) if named.isdecimal() else 0


@contextmanager
def starting() -> Generator[None]:
    """Processes that are started in this block know that they work for this one."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before
