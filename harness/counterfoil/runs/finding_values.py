"""Findings as plain JSON values and back: for reports that are read again, and for results that are kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec

from counterfoil.model import (
    Evidence,
    Finding,
    Level,
    Location,
    Mismatch,
    Output,
    PayloadWitness,
    SchemaChange,
    Waiver,
)

KINDS: Final[Mapping[str, type[Evidence]]] = {
    "mismatch": Mismatch,
    "output": Output,
    "change": SchemaChange,
    "witness": PayloadWitness,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_EFFECTS: Final = ("effects", "not_shown")
"""Pairs that are written as objects."""


class _Written(msgspec.Struct, frozen=True):
    """A finding as it is written. Unknown keys are passed over: a newer version may have added them."""

    rule: str
    subject: str
    level: Level
    message: str
    fix: str
    location: Location | None
    evidence: tuple[dict[str, Any], ...]
    witness: str | None = None
    waived: Waiver | None = None
    fails: bool | None = None


def as_values(found: Finding) -> dict[str, object]:
    """A finding as docs/reference/report.v1.schema.json describes it."""
    return {
        "rule": found.rule,
        "subject": found.subject,
        "level": found.level,
        "location": _location(found.location),
        "message": found.message,
        "fix": found.fix,
        "evidence": [_evidence_values(evidence) for evidence in found.evidence],
        "witness": found.witness,
        "waived": _waiver(found.waived) if found.waived else None,
        "fails": found.fails,
    }


def from_values(values: object) -> Finding:
    """The finding that was written. Raises msgspec.ValidationError for values that are none."""
    written = msgspec.convert(values, _Written)
    fields = {name: getattr(written, name) for name in _Written.__struct_fields__ if name != "evidence"}
    return Finding(**fields, evidence=tuple(map(_evidence, written.evidence)))


def _waiver(waiver: Waiver) -> dict[str, object]:
    return {
        "rule": waiver.rule,
        "subject": waiver.subject,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "link": waiver.link,
        "expires": waiver.expires.isoformat() if waiver.expires else None,
        "witness": waiver.witness,
        "location": _location(waiver.location),
    }


def _location(location: Location | None) -> dict[str, object] | None:
    return {"path": location.path, "line": location.line} if location else None


def _evidence_values(evidence: Evidence) -> dict[str, object]:
    document = {"kind": _NAMES[type(evidence)], **asdict(evidence)}
    for key in _EFFECTS:
        if key in document:
            document[key] = [{"direction": direction, "encoding": encoding} for direction, encoding in document[key]]
    return document


def _evidence(values: Mapping[str, Any]) -> Evidence:
    fields = dict(values)
    kind = KINDS.get(str(fields.pop("kind", "")))
    if kind is None:
        raise msgspec.ValidationError(f"unknown evidence {values.get('kind')!r}")
    for key in _EFFECTS:
        if key in fields:
            fields[key] = [list(one.values()) if isinstance(one, dict) else one for one in fields[key]]
    made: Evidence = msgspec.convert(fields, kind)
    return made
