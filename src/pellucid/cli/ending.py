"""How a command ends: with an exit code, and with one line about whatever kept it from its end."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable

import click

from pellucid import stopping
from pellucid.errors import PartDone, PellucidError
from pellucid.printable import printable, printable_lines

_GONE = "the current folder is not there any more; change to one that is, and give the command again"
_SMALLER = "take fewer images at once (--batch), a smaller network, or another device"


def ended(work: Callable[[], object]) -> int:
    """Do the work; the exit code that says how it ended. After a failure a process that watches ends here."""
    try:
        status = work()
    except BaseException as error:
        code = _said(error)
        if stopping.asked() or not isinstance(error, click.exceptions.Exit):
            stopping.leave(code)
        return code
    return status if isinstance(status, int) else 0


def say(line: str) -> None:
    """A line on standard error."""
    if line:
        click.echo(printable(line), err=True)


def _said(error: BaseException) -> int:
    """Say why there is no result."""
    if code := stopping.asked():  # whatever the signal was turned into on its way
        say(stopping.words())
        return code
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return error.exit_code
        case click.ClickException():
            say(f"error: {_usage(error)}")
            return error.exit_code
        case PartDone():
            say(str(error))
            return 0
        case PellucidError():
            say(f"error: {error}" if _here() else f"error: {error}; {_GONE}")
        case KeyboardInterrupt():
            say(stopping.words())
            return 130
        case _:
            say(f"error: {_line(error)}")
    return 1


def _usage(error: click.ClickException) -> str:
    """What cannot be understood of a command, what was meant, and where it is told."""
    near: list[str] = getattr(error, "possibilities", None) or []
    said = (error.message if near else error.format_message()).rstrip(".")
    meant = f" (did you mean '{near[0]}'?)" if near else ""
    context = error.ctx if isinstance(error, click.UsageError) else None
    more = f"; '{context.command_path} --help' tells more" if context else ""
    return f"{said[:1].lower()}{said[1:]}{meant}{more}"


def _line(error: BaseException) -> str:
    """What went wrong that nobody has foreseen where it happened, and what to do."""
    told = " ".join(str(error).split())[:300]
    match error:
        case OSError():
            if not _here():
                return _GONE
            place = f"'{os.fsdecode(error.filename)}': " if isinstance(error.filename, str | bytes) else ""
            what = error.strerror or told or type(error).__name__
            return f"{place}{what}; mend that, then give the same command again"
        case MemoryError():
            return f"there is too little memory; {_SMALLER}"
        case RecursionError():
            return f"something is nested too deeply, a file or a network; {_kept(error)}"
        case UnicodeEncodeError():
            name = ascii(error.object)[:100]
            return f"the name {name} is not in UTF-8; give it one that is, or set LC_ALL=C.UTF-8, and try again"
        case SystemExit():
            return f"the code of a network or an extension ended the program ({told or 0}); {_kept(error)}"
        case _ if type(error).__name__ == "OutOfMemoryError":
            return f"{told or 'there is too little memory'}; {_SMALLER}"
        case _:
            what = f"{type(error).__name__}: {told}" if told else type(error).__name__
            return f"this was not foreseen, a fault of Pellucid or of the network: {what}; {_kept(error)}"


def _kept(error: BaseException) -> str:
    """Where the traceback lies, for whoever looks for the fault."""
    try:
        handle, path = tempfile.mkstemp(".txt", "pellucid-")
        with os.fdopen(handle, "w", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        sys.stderr.write(printable_lines("".join(traceback.format_exception(error))))
        return "its traceback stands above, since no temporary file can be written"
    return f"report it with its traceback, which is kept in {path}"


def _here() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return False
    return True
