"""A part's section of the page: what is shown of its findings, and what it has for the top of the page."""

import inspect
from abc import ABC
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast, final

from pellucid.audits.finding import Finding
from pellucid.errors import ConfigError
from pellucid.page.album import Album
from pellucid.page.chart import Chart
from pellucid.page.figure import Figure
from pellucid.page.network import Network

D = TypeVar("D")


@dataclass(frozen=True)
class Found(Generic[D]):
    """What a part found of each network; none where it found nothing. `number` is the part's place in the audit."""

    part: str
    number: int
    networks: tuple[Network, ...]
    findings: tuple[Finding | None, ...]

    @property
    def details(self) -> list[tuple[Network, D]]:
        """The details of each network that has some."""
        pairs = zip(self.networks, self.findings, strict=True)
        return [(network, finding.details) for network, finding in pairs if finding is not None]

    @property
    def figures(self) -> list[tuple[Figure, ...]]:
        """The figures of every network; of one that nothing was found of there are none."""
        return [() if finding is None else finding.figures for finding in self.findings]


@dataclass(frozen=True)
class Headline:
    """What is said of a network before anything else: a clause of the opening sentence, a figure beside it, or both.

    Of several `about` the same the first of the highest `rank` is said. A figure without a `label` has its own name.
    """

    about: str
    clause: str = ""
    figure: Figure | None = None
    label: str = ""
    rank: int = 0


class Section(ABC, Generic[D]):
    """How the page shows a part. Final classes override what they have something for; the rest is left out.

    It gets what was saved, so that the page is drawn without a network, and imports no torch. Besides a table of the
    part's figures it shows what the template `section.html.j2` in its own folder makes of `section.shown`.
    """

    details: ClassVar[Any] = Mapping[str, Any]
    """The class of a finding's details: a frozen dataclass, which `pellucid.plain` writes and reads back."""

    place: ClassVar[Literal["figures", "pictures", "checks"]] = "figures"
    """Where it stands; elsewhere than among figures only its figures stand there, if it has some."""

    tabled: ClassVar[bool] = True
    """Whether its figures have a table; else the template shows them."""

    answers: ClassVar[tuple[str, ...]] = ()
    """What it measures of what the opening sentence tells, be it that it failed to."""

    lead: ClassVar[str] = ""
    """What has to be said once before sections of this kind."""

    def heading(self, name: str) -> str:
        """The heading of the section, given the part's name as words."""
        return name

    def shown(self, found: Found[D], album: Album) -> Any:
        """What the template is about; where it is none, there is none. Pictures are shown through the album."""
        return None

    def charts(self, found: Found[D]) -> Iterable[Chart]:
        """Charts of all networks; their ids begin with `chart-` and the number of the part."""
        return ()

    def headlines(self, finding: Finding) -> Iterable[Headline]:
        """What is said of a network at the top of the page."""
        return ()


@final
class Plain(Section[Any]):
    """The section of a part that names none: its figures as a table."""


def section_of(part: type[Any]) -> Section[Any]:
    """The section of a class of parts: the one at the place that it names, else the one in `section.py` beside it."""
    place, package = str(getattr(part, "section", "")), _package(part)
    if place:
        module, _, name = place.partition(":")
        return getattr(import_module(module), name)()
    if not package or find_spec(f"{package}.section") is None:
        return Plain()
    module = import_module(f"{package}.section")
    own = [value for value in vars(module).values() if _is_section(value) and value.__module__ == module.__name__]
    if len(own) != 1:
        raise ConfigError(
            f"{module.__name__} has {len(own)} sections; a part names its own as `section = 'package.module:Class'`"
        )
    return cast("Section[Any]", own[0]())


def template_of(section: Section[Any]) -> Path:
    """The file of a section's template."""
    return Path(inspect.getfile(type(section))).with_name("section.html.j2")


def _package(part: type[Any]) -> str:
    spec = import_module(part.__module__).__spec__
    return spec.parent or "" if spec else ""


def _is_section(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Section)
