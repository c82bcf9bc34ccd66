"""Attacks by the words that a person types."""

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

from pellucid import attacks, config, naming
from pellucid.attacks.attack import Attack
from pellucid.attacks.ladder import Ladder
from pellucid.attacks.presets import AttackPreset
from pellucid.attacks.repeat import Repeat
from pellucid.errors import ConfigError, UnknownName, suggestion


def named(
    name: str,
    *,
    preset: str = "",
    eps: Sequence[float] = (),
    norm: str = "",
    goals: Sequence[str] = (),
    restarts: int = 1,
    assignments: Sequence[str] = (),
) -> tuple[Attack, ...]:
    """The attacks that a name and its settings stand for, one for each goal.

    Several `eps` make a `Ladder` of an attack that takes a budget; one that looks for the nearest point needs none,
    since its distances tell of every budget. `assignments` are `setting=value`.
    """
    kind = attacks.ATTACKS[name]
    if preset:
        if norm or goals or eps or assignments:
            raise ConfigError(f"the preset '{preset}' says all there is to say of {name}; leave out other settings")
        found = _preset(name, preset).attacks
    else:
        found = tuple(_made(kind, name, eps, norm, goal, assignments) for goal in goals or ("",))
    return tuple(Repeat(attack, restarts) for attack in found) if restarts > 1 else found


def _preset(name: str, preset: str) -> AttackPreset:
    """The preset as it is listed, or without the attack's name in front."""
    own = [full.removeprefix(f"{name}-") for full in attacks.PRESETS if full.startswith(f"{name}-")]
    short = preset.removeprefix(f"{name}-")
    if short not in own:
        raise UnknownName(f"{name} has no preset '{preset}'{suggestion(short, own)}")
    return attacks.PRESETS[f"{name}-{short}"]


def _made(
    kind: type[Attack], name: str, eps: Sequence[float], norm: str, goal: str, assignments: Sequence[str]
) -> Attack:
    fields = {field.name for field in dataclasses.fields(cast("Any", kind)) if field.init}
    table = naming.defaults(kind, name)
    for setting, value in (("norm", norm), ("goal", goal)):
        if value and setting not in fields:
            raise ConfigError(f"{name} takes no {setting}; leave --{setting} out")
        if value:
            table[setting] = {"kind": value}
    for assignment in assignments:
        table = config.override(table, assignment)
    if "eps" not in fields or not eps:
        made = config.build(Attack, table)
        if eps and not made.nearest:
            instead = (
                f"--set attack.eps={eps[0]:g}" if "attack" in fields else f"--set one of {', '.join(sorted(fields))}"
            )
            raise ConfigError(f"{name} takes no eps of its own; give {instead}")
        return made
    rungs = [config.build(Attack, {**table, "eps": each}) for each in eps]
    return rungs[0] if len(rungs) == 1 else Ladder(tuple(rungs))
