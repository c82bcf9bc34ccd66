"""How the audit was made, and how to make it again."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pellucid
from pellucid.attacks import ATTACKS
from pellucid.audits import PARTS, PROFILES
from pellucid.evaluate.explanations import METRICS
from pellucid.explainers import EXPLAINERS
from pellucid.papers import papers_of
from pellucid.registry import Registry
from pellucid.reports import opening
from pellucid.reports.read import Audit

_CITED: tuple[Registry[Any], ...] = (PARTS, ATTACKS, EXPLAINERS, METRICS)


@dataclass(frozen=True)
class PartSettings:
    """A part: of what kind it is, its settings, and how long it took each network."""

    part: str
    kind: str
    values: tuple[tuple[str, str], ...]
    seconds: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """Everything that the figures depend on."""

    facts: tuple[tuple[str, str], ...]
    settings: tuple[PartSettings, ...]
    command: str
    typed: bool
    rules: tuple[str, ...]
    papers: tuple[str, ...]
    version: str = pellucid.__version__


def method(audit: Audit) -> Method:
    """What the folder says of how it came to be."""
    about, data = audit.about, audit.about.get("data", {})
    facts = [("images", str(data.get("source", ""))), ("fingerprint of the images", str(data.get("fingerprint", "")))]
    for network in audit.networks:
        of = f" {network.letter}" if len(audit.networks) > 1 else ""
        facts += [(f"network{of}", network.given), (f"fingerprint of network{of}", network.fingerprint)]
    facts += [("shape", " x ".join(map(str, data.get("shape", ())))), ("seed", str(about.get("seed", "")))]
    facts += [("profile", str(about.get("profile", "")))]
    facts += [(name, value) for name, value in _flat(about.get("environment") or {})]
    settings = tuple(
        PartSettings(part, str(own.get("kind", "")), tuple(_flat({**own, "kind": None})), _seconds(audit, part))
        for part, own in about["parts"].items()
    )
    rules = tuple(line.strip() for line in _rules())
    return Method(
        tuple((name, value) for name, value in facts if value),
        settings,
        _command(audit),
        isinstance(about.get("command"), str),
        rules,
        tuple(_cited(audit)),
    )


def _cited(audit: Audit) -> list[str]:
    """What to cite for what was used, each once, by the first author's name."""
    words = set(_words(audit.about["parts"]))
    for part in audit.sections:
        for figures in audit.found(part).figures:
            for figure in figures:
                words |= {figure.name, *figure.arguments}
    used = (registry[name] for registry in _CITED for name in words & set(registry))
    return sorted({paper for entry in used for paper in papers_of(entry)})


def _words(settings: Any) -> Iterable[str]:
    """The names of things in settings, which stand under `kind`."""
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            if name == "kind":
                yield str(value)
            elif isinstance(value, Mapping):
                yield from _words(value)
            elif isinstance(value, list):
                for entry in value:
                    yield from _words(entry)


def _seconds(audit: Audit, part: str) -> tuple[str, ...]:
    outcomes = [own.get(part) for own in audit.outcomes]
    return tuple(
        f"{outcome.seconds:,.{0 if outcome.seconds >= 10 else 1}f} s" if outcome else "" for outcome in outcomes
    )


def _command(audit: Audit) -> str:
    """What was typed where the folder knows it, else what comes to the same."""
    about = audit.about
    if isinstance(about.get("command"), str):
        return about["command"]
    profile = [name for name in PROFILES if PROFILES[name].summary == about.get("profile")]
    words = ["pellucid", "audit", *(network.given for network in audit.networks)]
    words += ["--data", str(about.get("data", {}).get("source", ""))]
    words += ["--profile", profile[0]] if profile else []
    return shlex.join([*words, "--seed", str(about.get("seed", 0)), "--out", audit.path.name])


def _rules() -> Iterator[str]:
    """The numbered rules of the sentence, as its own documentation has them."""
    rule = ""
    for line in (opening.__doc__ or "").splitlines()[2:]:
        if line[:1].isdigit():
            if rule:
                yield rule
            rule = line.partition(". ")[2]
        elif line.startswith("   "):
            rule += f" {line.strip()}"
        else:
            break
    yield rule


def _flat(settings: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            kind = value.get("kind")
            if kind is not None:
                yield f"{under}{name}", str(kind)
            yield from _flat({key: own for key, own in value.items() if key != "kind"}, f"{under}{name}.")
        elif value is not None:
            yield f"{under}{name}", _word(", ".join(map(_word, value)) if isinstance(value, list) else value)


def _word(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value) or "left empty"
