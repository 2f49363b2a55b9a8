"""A change, what runtimes showed of it and what buf says of it, as one finding. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterfoil.compat.changes import BEHAVIOUR_CHANGED, PYTHON, Change, Direction, Effect, Key
from counterfoil.model import Finding, Level, Location, PayloadWitness, SchemaChange
from counterfoil.probe.payloads import Encoding
from counterfoil.schema.building import json_name

if TYPE_CHECKING:
    from counterfoil.compat.replayable import Replayable

Witnesses = Mapping[Effect, tuple[PayloadWitness, ...]]
"""The first of each shows the change in Python, or in as many runtimes as any; the others show it in the rest."""
SAFE_WAY = "keep the old element as it is and add a new one beside it; remove the old one when nobody uses it any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What runtimes showed; nothing where none was started."""

    by_change: Mapping[Key, Witnesses] = field(default_factory=dict)
    runtimes: tuple[str, ...] = ()
    """Those that took part."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Those that did not, and why."""
    silent: Mapping[str, str] = field(default_factory=dict)
    """Those that were asked and did not answer everything, and why."""
    services: tuple[str, ...] = ()
    """Stubs that take no schema, for they read with the code of one service."""
    tried: frozenset[str] = frozenset()
    """The messages of which payloads were tried."""
    untried: frozenset[str] = frozenset()
    """The fields of these that were too many, or too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a finding says beside the change itself."""

    directions: frozenset[Direction]
    shown: Shown = field(default_factory=Shown)
    buf_ran: bool = False
    buf_is_asked: bool = False
    """Whether a buf.yaml asks for its findings; else they are listed and do not fail."""
    place: Callable[[Location], Location] = lambda location: location
    """From the paths of images to those of the workspace."""
    place_old: Callable[[Location], Location] = lambda location: location
    """The same for the old schema, which stands elsewhere."""
    involved: Callable[[Change], tuple[tuple[str, ...], tuple[str, ...]]] = lambda _: ((), ())
    """Participants that read or write the element, and pacts that mention it."""


def compose(change: Change, shown: Witnesses, also: tuple[str, ...], context: Context) -> Finding | None:
    """The finding, or None where the change shows in none of the directions that are judged."""
    if change.level is Level.BEHAVIOUR and change.effects and not _in(context.directions, change.effects) and not shown:
        return None
    predicted = frozenset(one for one in change.effects if one.direction in context.directions)
    level = _level(change, shown, also, context)
    new = change.new_location and context.place(change.new_location)
    old = change.old_location and context.place_old(change.old_location)
    participants, pacts = context.involved(change)
    evidence = SchemaChange(
        old=change.old,
        new=change.new,
        old_location=old,
        new_location=new,
        effects=_pairs(shown),
        not_shown=_pairs(predicted - shown.keys()) if change.level is Level.BEHAVIOUR else (),
        also=also,
        participants=participants,
        pacts=pacts,
    )
    witnesses = tuple(one for effect in sorted(shown, key=_order) for one in shown[effect])
    return Finding(
        rule=change.rule,
        subject=change.symbol,
        level=level,
        message=" ".join([_sentence(change.message), *_notes(change, shown, also, context)]),
        fix=change.fix,
        location=new or old,
        evidence=(evidence, *witnesses),
        witness=digest_of_all(several[0] for several in shown.values()),
    )


def not_asked(shown: Shown) -> str:
    """Who had no part in the judgement, as a note; for example `not asked: node and rust`."""
    names = sorted({*shown.absent, *shown.services})
    return f"not asked: {_list(names)}" if names else ""


def digest_of_all(witnesses: Iterable[PayloadWitness | Replayable]) -> str | None:
    """That of the only witness of a change, or of all of them together.

    It has to be the same whichever runtimes are there, so those count that Python shows, as long as there are any.
    """
    first = list(witnesses)
    always = [one for one in first if any(reading.stub == PYTHON and reading.breaks for reading in one.runtimes)]
    digests = sorted({one.digest for one in always or first})
    if len(digests) <= 1:
        return next(iter(digests), None)
    return "sha256:" + hashlib.sha256("\n".join(digests).encode()).hexdigest()


def unexplained(
    key: Key, shown: Witnesses, context: Context, locations: tuple[Location | None, Location | None]
) -> Finding:
    """A difference that no rule expects: the runtimes are the judge. `locations`: of the old and the new element."""
    name = key[1].rpartition(".")[2]
    change = Change(
        rule=BEHAVIOUR_CHANGED,
        symbol=key[1],
        level=Level.BEHAVIOUR,
        effects=frozenset(shown),
        old=None,
        new=None,
        old_location=locations[0],
        new_location=locations[1],
        messages=frozenset(witness.message for several in shown.values() for witness in several),
        names=(name, json_name(name)),
        message=f"'{key[1]}' is read differently, though no rule of a schema's changes expects it",
        fix=SAFE_WAY,
    )
    found = compose(change, shown, (), context)
    if found is None:
        raise ValueError(key)
    return found


def _level(change: Change, shown: Witnesses, also: tuple[str, ...], context: Context) -> Level:
    if shown:
        return Level.BEHAVIOUR
    if change.level is Level.BEHAVIOUR:
        return Level.POLICY
    if also and context.buf_is_asked and change.level.verdict is not Level.POLICY.verdict:
        return Level.POLICY
    return change.level


def _in(directions: Iterable[Direction], effects: Iterable[Effect]) -> bool:
    return not {effect.direction for effect in effects}.isdisjoint(directions)


def _order(effect: Effect) -> tuple[str, str]:
    return effect.direction, effect.encoding


def _pairs(effects: Iterable[Effect]) -> tuple[tuple[str, str], ...]:
    return tuple((str(effect.direction), str(effect.encoding)) for effect in sorted(effects, key=_order))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _notes(change: Change, shown: Witnesses, also: tuple[str, ...], context: Context) -> Iterable[str]:
    """What the runtimes say, what buf says, and where the two do not agree."""
    if shown:
        yield _breaking(shown, context)
    elif change.level is Level.BEHAVIOUR:
        yield _no_witness(change, context)
    if shown and context.buf_ran and not also:
        yield "buf does not report it."
    elif also and not shown and change.level in {Level.SOURCE, Level.ADDITIVE}:
        yield f"buf reports it ({', '.join(also)}), but it changes nothing that a runtime reads."


def _breaking(shown: Witnesses, context: Context) -> str:
    readings = [one for several in shown.values() for witness in several for one in witness.runtimes]
    breaking = sorted({one.stub for one in readings if one.breaks})
    agreeing = sorted({one.stub for one in readings if not one.why_silent} - set(breaking))
    silent = {one.stub: one.why_silent for one in readings if one.stub not in {*breaking, *agreeing}}
    text = f"{_list(breaking)} show{'s' if len(breaking) == 1 else ''} it: {_where(shown)}"
    if agreeing:
        text += f"; {_list(agreeing)} read{'s' if len(agreeing) == 1 else ''} the same"
    if silent:
        text += f"; without an answer: {_reasons(silent)}"
    return f"{text}{_not_asked(context)}."


def _not_asked(context: Context) -> str:
    absent = context.shown.absent
    return f"; not asked: {_reasons(absent)}" if absent else ""


def _reasons(names: Mapping[str, str]) -> str:
    """For example `rust (its runtime stub is not built)`."""
    return _list([f"{name} ({why})" for name, why in sorted(names.items())])


def _where(effects: Iterable[Effect]) -> str:
    """For example `new code reading old binary and JSON`."""
    found: dict[str, list[str]] = {}
    for effect in sorted(effects, key=_order):
        who = "new code reading old" if effect.direction is Direction.BACKWARD else "old code reading new"
        found.setdefault(who, []).append("JSON" if effect.encoding is Encoding.JSON else "binary")
    return "; ".join(f"{who} {_list(encodings)}" for who, encodings in found.items())


def _no_witness(change: Change, context: Context) -> str:
    """Why a change that a runtime could show has no witness."""
    if context.shown.absent and not context.shown.runtimes:
        return f"No witness: no runtime could read both schemas: {_reasons(context.shown.absent)}."
    if not change.messages & context.shown.tried:
        return "No witness: no message that has it is there in both schemas, so no payload can be read with both."
    if change.symbol in context.shown.untried:
        return (
            "No witness: in its message too many fields changed to try each with every value, "
            "so this is a matter of policy."
        )
    return (
        f"No witness: {_list(context.shown.runtimes)} read every payload that was tried alike, "
        f"so this is a matter of policy{_not_asked(context)}."
    )


def _list(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
