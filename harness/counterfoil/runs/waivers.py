"""Waivers: findings that are accepted for now, by whom, why, and until when. Pure.

A waiver accepts what breaks a contract or a promise. What could not be judged cannot be accepted: green means proven.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Annotated, Final

import msgspec

from counterfoil.core import toml_tables
from counterfoil.core.rules import LEVELS, finding
from counterfoil.core.toml_tables import Table, quoted
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Level, Location, PayloadWitness, Verdict, Waiver
from counterfoil.runs.events import CaseFinished, Event, FindingDeferred, FindingRaised, RunFinished, RunStarted

FORMAT: Final = 1
FILE: Final = "contracts/waivers.toml"
DIVERGENCE: Final = "DIVERGENCE"
"""The only rule whose waivers may hold for ever: some runtimes differ, and will not change."""
OWN_RULES: Final = frozenset({"WAIVER_EXPIRED", "WAIVER_WITNESS_CHANGED", "WAIVER_UNMATCHED"})
_FIX: Final = "see docs/waivers.md for what each key takes"
_TABLE: Final = "waiver"

_Said = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S", description="text that says something")]
_Rule = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]*$", description="a rule, such as DIVERGENCE")]
_Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    rule: _Rule
    subject: _Said
    owner: _Said
    reason: _Said
    link: _Said | None = None
    expires: dt.date | None = None
    witness: _Digest | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: int
    waiver: tuple[_Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What waivers make of findings."""

    findings: tuple[Finding, ...]
    """All of them, in their order; those that are accepted say by which waiver."""
    raised: tuple[Finding, ...]
    """What is amiss with the waivers that matched: expired, or granted for another witness."""
    stale: tuple[Waiver, ...]
    """The waivers that matched no finding."""

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Those of the findings that are accepted."""
        return tuple(found for found in self.findings if found.waived)


def never(waiver: Waiver) -> bool:  # noqa: ARG001  (the answer of runs that cannot see everything)
    """No waiver has to match in this run."""
    return False


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a workspace, in the order of the file."""

    entries: tuple[Waiver, ...] = ()

    def apply(self, findings: Iterable[Finding], today: dt.date) -> Applied:
        """Accept what may be accepted. The findings of the waivers themselves are never accepted."""
        judged, raised, matched = [], {}, set()
        for found in findings:
            of_it = [one for one in self.entries if _matches(one, found)]
            matched.update(of_it)
            amiss = [(one, _amiss(one, found, today)) for one in of_it]
            valid = next((one for one, trouble in amiss if trouble is None), None)
            judged.append(replace(found, waived=valid) if valid else found)
            if valid is None:
                raised.update({trouble.identity: trouble for _, trouble in amiss if trouble})
        stale = tuple(one for one in self.entries if one not in matched)
        return Applied(findings=tuple(judged), raised=tuple(raised.values()), stale=stale)

    def applied_to(
        self, events: Iterable[Event], today: dt.date, *, could_show: Callable[[Waiver], bool] = never
    ) -> Iterator[Event]:
        """The events of a run with its findings waived, and before its end what is amiss with the waivers.

        `could_show` says of a waiver whether the run would have shown its findings; asked at the run's end. A run in
        which something could not be judged says of no waiver that it has no findings any more. A part of a run defers
        what it says of that.
        """
        seen = _Seen(set(self.entries))
        told: type[FindingRaised | FindingDeferred] = FindingRaised
        for event in events:
            match event:
                case RunStarted(shard=shard):
                    told = FindingDeferred if shard else FindingRaised
                    yield event
                case CaseFinished(result):
                    applied = self.apply(result.findings, today)
                    seen.take(applied)
                    yield CaseFinished(replace(result, findings=applied.findings))
                case FindingRaised(found):
                    applied = self.apply([found], today)
                    seen.take(applied)
                    yield from map(FindingRaised, applied.findings)
                case RunFinished():
                    vanished = () if seen.doubtful else tuple(one for one in self.entries if one in seen.stale)
                    yield from map(FindingRaised, seen.raised.values())
                    yield from (told(_unmatched(one)) for one in vanished if could_show(one))
                    yield event
                case _:
                    yield event


@dataclass(slots=True)
class _Seen:
    """What a run has shown of the waivers so far."""

    stale: set[Waiver]
    raised: dict[tuple[str, str], Finding] = field(default_factory=dict)
    doubtful: bool = False

    def take(self, applied: Applied) -> None:
        self.stale.intersection_update(applied.stale)
        self.raised.update({one.identity: one for one in applied.raised})
        self.doubtful = self.doubtful or any(one.level is Level.UNPROVEN for one in applied.findings)


def _matches(waiver: Waiver, found: Finding) -> bool:
    is_to_be_accepted = found.level.verdict is Verdict.BROKEN or found.verdict is Verdict.BROKEN  # by --fail-on
    return (
        is_to_be_accepted
        and found.rule not in OWN_RULES
        and found.rule == waiver.rule
        and fnmatchcase(found.subject, waiver.subject)
    )


def _subject(waiver: Waiver) -> str:
    return f"{waiver.rule}::{waiver.subject}"


def _amiss(waiver: Waiver, found: Finding, today: dt.date) -> Finding | None:
    """Why a waiver that matches a finding does not accept it."""
    if waiver.expires is not None and waiver.expires < today:
        return finding(
            "WAIVER_EXPIRED",
            _subject(waiver),
            f"{waiver.owner} accepted this until {waiver.expires}: {waiver.reason}",
            fix="mend what it accepts, or agree on a later 'expires'",
            location=waiver.location,
        )
    if waiver.witness is not None and waiver.witness not in _witnesses(found):
        return finding(
            "WAIVER_WITNESS_CHANGED",
            _subject(waiver),
            f"{waiver.owner} accepted this for the witness {waiver.witness}; now {found.witness or 'none'} shows it",
            fix="look at the new witness, then set 'witness' to its digest or remove the waiver",
            location=waiver.location,
        )
    return None


def _witnesses(found: Finding) -> frozenset[str | None]:
    """The digest of all its witnesses together, and that of each."""
    return frozenset({found.witness, *(one.digest for one in found.evidence if isinstance(one, PayloadWitness))})


def _unmatched(waiver: Waiver) -> Finding:
    return finding(
        "WAIVER_UNMATCHED",
        _subject(waiver),
        f"{waiver.owner} accepted this, and nothing that was judged shows it any more",
        fix="remove the waiver, so that it is noticed when it comes back",
        location=waiver.location,
    )


# --- the file --------------------------------------------------------------------------------------------------------


def read(data: bytes, where: str = FILE) -> Waivers:
    """The waivers in a file. Raises UsageError with the line of what is wrong."""
    text, document = toml_tables.parse(data, where)
    entries = document.get(_TABLE)
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        toml_tables.check(where, text, Table(_TABLE, number), entry, _Entry, fix=_FIX)
    toml_tables.check(where, text, Table(""), document, _File, fix=_FIX)
    file = msgspec.convert(document, _File, strict=True)
    if file.format != FORMAT:
        raise UsageError(
            f"format = {file.format} of waivers is not known to this version of Counterfoil",
            where=toml_tables.locate(where, text, Table(""), "format"),
            why=f"it reads format {FORMAT}",
            fix=f"upgrade Counterfoil, or set format = {FORMAT}",
        )
    made: dict[tuple[str, str], Waiver] = {}
    for number, entry in enumerate(file.waiver, start=1):
        waiver = _read_entry(where, text, Table(_TABLE, number), entry)
        if (waiver.rule, waiver.subject) in made:
            raise UsageError(f"two waivers of {_subject(waiver)}", where=str(waiver.location), fix="remove one")
        made[waiver.rule, waiver.subject] = waiver
    return Waivers(tuple(made.values()))


def _read_entry(where: str, text: str, table: Table, entry: _Entry) -> Waiver:
    """One waiver, with what types cannot say checked."""
    line = toml_tables.line_of(text, table)
    waiver = Waiver(**msgspec.structs.asdict(entry), location=Location(path=where, line=line))
    check_rule(waiver.rule, toml_tables.locate(where, text, table, "rule"))
    if waiver.expires is None and waiver.rule != DIVERGENCE:
        raise UsageError(
            f"the waiver of {_subject(waiver)} has no date on which it expires",
            where=str(waiver.location),
            why=f"only one of {DIVERGENCE} may hold for ever",
            fix="add for example: expires = 2027-01-31",
        )
    return waiver


def check_rule(rule: str, where: str) -> None:
    """Raise UsageError for a rule that cannot be waived."""
    if rule in OWN_RULES or LEVELS.get(rule) is Level.UNPROVEN:
        raise UsageError(
            f"{rule} cannot be waived",
            where=where,
            why="it is about waivers" if rule in OWN_RULES else "it says that something could not be judged",
            fix="do what the finding says is next",
        )


def appended(data: bytes, waiver: Waiver, where: str = FILE) -> bytes:
    """A file with one more waiver at its end, and every byte before it as it was. Raises UsageError."""
    existing = read(data, where) if data.strip() else Waivers()
    known = next((one for one in existing.entries if (one.rule, one.subject) == (waiver.rule, waiver.subject)), None)
    if known:
        raise UsageError(
            f"there is a waiver of {_subject(waiver)} already",
            where=str(known.location),
            why=f"{known.owner} gave as the reason: {known.reason}",
            fix="change that one by hand",
        )
    if not data.strip():
        head = b"# Findings that are accepted for now: see docs/waivers.md.\nformat = 1\n"
    else:
        head = data if data.endswith(b"\n") else data + b"\n"
    made = head + b"\n" + _rendered(waiver).encode("utf-8", "backslashreplace")
    read(made, where)
    return made


def _rendered(waiver: Waiver) -> str:
    values = [(key, getattr(waiver, key)) for key in _Entry.__struct_fields__]
    lines = [f"{key} = {value if key == 'expires' else quoted(value)}" for key, value in values if value is not None]
    return "\n".join([f"[[{_TABLE}]]", *lines]) + "\n"


def pattern_of(subject: str) -> str:
    """The pattern that matches this subject alone."""
    return re.sub(r"([*?[])", r"[\1]", subject)
