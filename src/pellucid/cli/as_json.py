"""The option --json: standard output for one object alone; what else is written there goes to standard error.

Networks of other people print, and so does code below Python. Both are led aside while a command works.
"""

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import click


def _alone(context: click.Context, _parameter: click.Parameter, chosen: bool) -> bool:
    if chosen:
        context.with_resource(alone())
    return chosen


as_json = click.option(
    "--json", "as_json", is_flag=True, callback=_alone, help="Print one JSON object instead of tables."
)


def print_json(content: Any) -> None:
    """One JSON object, for another program to read."""
    from pellucid.files import json_text

    with aloud():
        click.echo(json_text(content))


@contextmanager
def alone() -> Generator[None]:
    """Lead aside what is written to standard output in this block, except by `aloud`."""
    spoken = sys.stdout
    _flush()
    kept = os.dup(1)
    _aside.append((spoken, kept))
    try:
        _lead(sys.stderr, 2)
        yield
    finally:
        _flush()
        _aside.pop()
        _lead(spoken, kept)
        os.close(kept)


@contextmanager
def aloud() -> Generator[None]:
    """Speak to standard output itself."""
    if not _aside:
        yield
        return
    spoken, kept = _aside[-1]
    _flush()
    _lead(spoken, kept)
    try:
        yield
    finally:
        _flush()
        _lead(sys.stderr, 2)


_aside: list[tuple[object, int]] = []


def _lead(stream: object, number: int) -> None:
    sys.stdout = stream
    os.dup2(number, 1)


def _flush() -> None:
    """What waits in a buffer, of Python or of C, goes where it was meant to go."""
    for stream in (sys.stdout, sys.__stdout__):
        with suppress(Exception):
            if stream is not None:
                stream.flush()
    with suppress(Exception):
        ctypes.CDLL(None).fflush(None)
