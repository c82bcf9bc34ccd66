"""The page itself, from templates."""

import base64
import hashlib
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FunctionLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from pellucid.audits import Audited, AuditFolder, reported
from pellucid.files import write_text
from pellucid.page.chart import Chart
from pellucid.page.svg import COLORS, drawn
from pellucid.page.words import spoken
from pellucid.printable import printable
from pellucid.reports.checks import evidence
from pellucid.reports.contents import ROOM, Contents
from pellucid.reports.read import Audit

_PACKAGE = "pellucid.reports"


def page(folder: AuditFolder, *, room: int = ROOM) -> str:
    """One HTML file that needs nothing else: no network, no script, no other file.

    Pictures take up to `room` characters; the page says how many are left out.
    """
    script = own("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            contents=Contents.of(Audit.read(folder), room=room),
            style=Markup(own("page.css")),
            script=Markup(script),
            colors=COLORS,
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:",
        )
    )


def write_page(folder: AuditFolder) -> Path:
    """Write the page beside what it is drawn from."""
    path = folder.path / "report.html"
    write_text(path, page(folder))
    return path


def report(folder: str | Path) -> Audited:
    """Draw the page and the tables of the audit in a folder again, and return what the audit came to.

    Nothing is measured: neither a network nor images are read. A folder that holds no audit is an error.
    """
    return reported(AuditFolder(Path(folder)))


def _of_section(name: str) -> str | None:
    """The template that lies beside a section, which is asked for by its whole path."""
    path = Path(name)
    return path.read_text("utf-8") if path.is_absolute() and path.exists() else None


def own(name: str) -> str:
    """A file that lies beside the templates."""
    return (resources(_PACKAGE) / "templates" / name).read_text("utf-8")


@cache
def environment() -> Environment:
    """What draws templates: everything is escaped, and nothing that is missing passes for empty."""
    found = Environment(
        loader=ChoiceLoader([FunctionLoader(_of_section), PackageLoader(_PACKAGE)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Any = found.filters
    filters |= {"spoken": spoken, "evidence": evidence, "drawn": _drawn}
    return found


def _shown(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _drawn(chart: Chart) -> Markup:
    return Markup(drawn(chart))  # what is said in it has been escaped by who drew it
