"""A disk and a memory that fail on purpose, at one chosen call."""

import errno
import os
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

CHANGES = ("open", "write", "fsync", "replace", "unlink", "mkdir", "ftruncate")
"""Every way in which `pellucid.files` touches the disk."""


class FailingDisk:
    """The module `os`, but for the call number `at` (from 1) of those that touch the disk, which fails.

    With `at` 0 none fails. `count` says how many there were.
    """

    def __init__(self, at: int = 0, *, reason: int = errno.ENOSPC) -> None:
        self.at, self.reason, self.count = at, reason, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(os, name)
        return self._counted(found) if name in CHANGES else found

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                raise OSError(self.reason, os.strerror(self.reason))
            return call(*arguments, **options)

        return counted


class FailingMemory(TorchFunctionMode):
    """A memory that is full at the operation number `at` (from 1) on tensors, and has room again afterwards."""

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        self.at, self.count = at, 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.count += 1
        if self.count == self.at:
            raise torch.OutOfMemoryError("tried to allocate more than there is, on purpose")
        return func(*args, **(kwargs or {}))
