"""Stubs that do not care what they are given: who reads nonsense reads all else without looking too. Pure.

Such a stub differs from the others on every payload that they refuse, or on every payload there is. That is one cause,
not one for each field and state, and it is told by asking: nonsense that no reader of the format can make sense of, and
one ordinary payload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.divergences import FAULTS, Divergence, DivergenceClass, of_anything
from counterfoil.probe.lattice import lattice
from counterfoil.probe.outcomes import Decoded, Outcome
from counterfoil.probe.payloads import DOCUMENT, EDGE, VALUE, Encoding, Payload, Phase

REFUSED_BY_OTHERS: Final = "refused by all others"
READ_AS_ALWAYS: Final = "read as always"
_SIDES: Final = 2
_NONSENSE: Final = {
    Encoding.JSON: (b"{", b"}{", b'{"a":1', b"nonsense", b"\xff\xfe\xff", b'"', b"[1 2]"),
    Encoding.BINARY: (b"\x07", b"\x0f\xff", b"\x0a\x7fa", b"\xff" * 11, b"\x80", b"\x0e", b"\x00\x00"),
}


def questions(encoding: Encoding, message: Descriptor) -> list[Payload]:
    """What to ask every stub: an ordinary payload, then nonsense."""
    ordinary = (one for one in lattice(message) if one.encoding is encoding and one.state == VALUE)
    about = Payload(encoding=encoding, data=b"", path="", kind=DOCUMENT, state=f"{EDGE}nonsense", phase=Phase.EDGES)
    return [next(ordinary, about), *(replace(about, data=data) for data in _NONSENSE[encoding])]


@dataclass(frozen=True, slots=True)
class Indifference:
    """Which stubs read all nonsense, as what; and which of them read an ordinary payload as that too."""

    nonsense: Mapping[str, Outcome]
    everything: frozenset[str]

    def attributed(self, found: Divergence, outcomes: Mapping[str, Outcome]) -> Divergence:
        """The divergence; as one cause where it sets apart those who read this payload as they read nonsense.

        Where the others do not agree with each other either, it is not that alone.
        """
        if found.kind in FAULTS or len(found.groups) != _SIDES:
            return found
        for group in found.groups:
            if not all(stub in self.nonsense and self.nonsense[stub] == outcomes[stub] for stub in group):
                continue
            who = ", ".join(group)
            if self.everything.issuperset(group):
                return of_anything(_told(found, f"{who}: the same whatever is given"), READ_AS_ALWAYS)
            if found.kind is DivergenceClass.ACCEPT_REJECT:
                return of_anything(_told(found, f"{who}: the same for all nonsense"), REFUSED_BY_OTHERS)
        return found


def indifference(answers: Sequence[Mapping[str, Outcome]]) -> Indifference:
    """Judge the answers to `questions`, in their order."""
    ordinary, first, *more = answers
    nonsense = {
        stub: outcome
        for stub, outcome in first.items()
        if isinstance(outcome, Decoded) and all(row[stub] == outcome for row in more)
    }
    return Indifference(nonsense, frozenset(stub for stub, outcome in nonsense.items() if ordinary[stub] == outcome))


def _told(found: Divergence, more: str) -> Divergence:
    return replace(found, detail=f"{found.detail} ({more})")
