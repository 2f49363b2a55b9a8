"""What protobuf's specification says of a payload, where it is certain: who of those who differ is right.

The table speaks of one probed field. It holds for a payload in which nothing else could be refused, so ask it about
witnesses, which are shrunk. Where the documents only advise, or leave JSON parsers freedom, it says nothing or "open".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from counterfoil.probe.compare import read_observations
from counterfoil.probe.differences import Aspect, View, differences
from counterfoil.probe.divergences import Divergence, DivergenceClass
from counterfoil.probe.edge_scalars import POWERS
from counterfoil.probe.outcomes import Decoded, EncodeFailed, Outcome, Rejected
from counterfoil.probe.payloads import (
    BY_PROTO_NAME,
    DEFAULT,
    DOCUMENT,
    EDGE,
    NULL,
    NULL_ELEMENT,
    ONEOF,
    OTHER_PACKING,
    VALUE,
    Encoding,
    Payload,
    type_of,
)

SITE: Final = "https://protobuf.dev"


class Expectation(StrEnum):
    """What a conforming reader does with the payload."""

    REFUSED = "refused"
    READ = "read"
    UNSET = "read, the field left unset"
    PRESENT = "read, the field present"
    KEPT = "read, the unknown field kept"
    OPEN = "left open"


@dataclass(frozen=True, slots=True)
class Citation:
    """A section of protobuf's documentation; `section` is empty for what a page says before its first."""

    page: str
    section: str
    url: str

    def __str__(self) -> str:
        return f"{self.page}{', ' if self.section else ''}{self.section}: {self.url}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the specification says, in our words, and where."""

    expectation: Expectation
    says: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Judgement:
    """A divergence settled by the specification. Of an open one nobody is right or wrong."""

    ruling: Ruling
    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = f"{', '.join(self.wrong)} {'is' if len(self.wrong) == 1 else 'are'} wrong: " if self.wrong else ""
        return f"{verdict}{self.ruling.says} ({self.ruling.citation})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """`types` and `labels` empty: any. No row speaks of maps, of required fields or of whole oneofs."""

    encoding: Encoding
    states: frozenset[str]
    ruling: Ruling
    types: frozenset[str] = frozenset()
    but_types: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def fits(self, kind: str, state: str) -> bool:
        type_, label = _scalar_type(kind), kind.partition(" ")[0]
        return (
            state.removeprefix(EDGE) in self.states
            and (not self.types or type_ in self.types)
            and type_ not in self.but_types
            and (not self.labels or label in self.labels)
        )


_WRAPPERS: Final = {
    "message:google.protobuf.DoubleValue": "double",
    "message:google.protobuf.FloatValue": "float",
    "message:google.protobuf.Int64Value": "int64",
    "message:google.protobuf.UInt64Value": "uint64",
    "message:google.protobuf.Int32Value": "int32",
    "message:google.protobuf.UInt32Value": "uint32",
    "message:google.protobuf.BytesValue": "bytes",
}


def _scalar_type(kind: str) -> str:
    """A wrapper has the JSON of what it wraps."""
    type_ = type_of(kind)
    return _WRAPPERS.get(type_, type_)


# --- the table -------------------------------------------------------------------------------------------------------


def _json_page(section: str, anchor: str = "") -> Citation:
    return Citation("ProtoJSON Format", section, f"{SITE}/programming-guides/json/{anchor}")


def _encoding_page(section: str, anchor: str = "") -> Citation:
    return Citation("Encoding", section, f"{SITE}/programming-guides/encoding/{anchor}")


NULLS: Final = _json_page("Null values", "#null-values")
TYPES: Final = _json_page("Representation of each type", "#field-representation")
WELL_KNOWN: Final = _json_page("Well-Known Types", "#wkt")
RANGES: Final = _json_page("Out of range numeric values")

SIGNED_32: Final = frozenset({"int32", "sint32", "sfixed32"})
UNSIGNED_32: Final = frozenset({"uint32", "fixed32"})
SIGNED_64: Final = frozenset({"int64", "sint64", "sfixed64"})
UNSIGNED_64: Final = frozenset({"uint64", "fixed64"})
INTEGERS: Final = SIGNED_32 | UNSIGNED_32 | SIGNED_64 | UNSIGNED_64
FLOATS: Final = frozenset({"double", "float"})
NULL_IS_A_VALUE: Final = frozenset({"message:google.protobuf.Value", "enum:google.protobuf.NullValue"})


def _json(states: Iterable[str], ruling: Ruling, types: Iterable[str] = ()) -> _Row:
    return _Row(encoding=Encoding.JSON, states=frozenset(states), ruling=ruling, types=frozenset(types))


def _ranges() -> Iterator[_Row]:
    """Whole numbers inside and outside of each integer type's range, as numbers and as text."""
    says = "a number that does not fit the type is refused"
    refused = Ruling(Expectation.REFUSED, says, RANGES)
    read = Ruling(Expectation.READ, "integers are read as numbers and as strings", TYPES)
    for types, least, most in (
        (SIGNED_32, -(2**31), 2**31 - 1),
        (UNSIGNED_32, 0, 2**32 - 1),
        (SIGNED_64, -(2**63), 2**63 - 1),
        (UNSIGNED_64, 0, 2**64 - 1),
    ):
        for fits, ruling in ((True, read), (False, refused)):
            names = [name for name, number in POWERS.items() if (least <= number <= most) is fits]
            yield _json((name + form for name in names for form in ("", " as text")), ruling, types)


def _json_rows() -> Iterator[_Row]:
    unset = Ruling(Expectation.UNSET, "null is read for any field and leaves it unset", NULLS)
    nulls = frozenset({NULL, NULL + BY_PROTO_NAME})
    yield _Row(encoding=Encoding.JSON, states=nulls, ruling=unset, but_types=NULL_IS_A_VALUE)
    in_lists = frozenset({NULL_ELEMENT, NULL_ELEMENT + BY_PROTO_NAME, "null after a value", "null before a value"})
    no_null = Ruling(Expectation.REFUSED, "null is not allowed inside a repeated field", NULLS)
    repeated = frozenset({"repeated"})
    yield _Row(
        encoding=Encoding.JSON,
        states=in_lists,
        ruling=no_null,
        labels=repeated,
        but_types=NULL_IS_A_VALUE | {"message:google.protobuf.ListValue"},
    )
    yield from _ranges()
    whole = Ruling(Expectation.REFUSED, "an integer has no fractional part other than zero", RANGES)
    yield _json(("1.5", "1e-1"), whole, INTEGERS)
    yield _json(("1.0",), Ruling(Expectation.READ, "a fractional part of zero is read", RANGES), INTEGERS)
    exponent = Ruling(Expectation.READ, "exponent notation is read, as number and as string", TYPES)
    yield _json(("1e2", "1E+2", "1e2 as text"), exponent, INTEGERS)
    yield _json(
        ("1e2 as text", "1.5 as text"), Ruling(Expectation.READ, "numbers are read from strings", TYPES), FLOATS
    )
    no_text = Ruling(Expectation.REFUSED, "the empty string is no number", TYPES)
    yield _json(("empty text",), no_text, INTEGERS | FLOATS)
    special = Ruling(Expectation.READ, 'the strings "NaN", "Infinity" and "-Infinity" are read', TYPES)
    yield _json(("NaN as text", "Infinity as text", "-Infinity as text"), special, FLOATS)
    base64 = Ruling(Expectation.READ, "both alphabets of base64 are read, with and without padding", TYPES)
    forms = (f"base64{alphabet} {padding} padding" for alphabet in ("", "url") for padding in ("with", "without"))
    yield _json(forms, base64, ("bytes",))
    names = Ruling(
        Expectation.READ,
        "the field's own name is read as a key too",
        _json_page("Field names as JSON keys", "#field-names"),
    )
    yield _json((VALUE + BY_PROTO_NAME,), names)
    yield from _json_messages()


_UNKNOWN_JSON: Final = frozenset(
    {"unknown field", "unknown field first", *(f"unknown field of {value}" for value in ("null", "text", "an object"))}
)
_UNKNOWN_BINARY: Final = frozenset(
    {"unknown field", "unknown field first", "unknown field twice", "unknown fixed64", "unknown fixed32"}
    | {"unknown length-delimited field", "unknown group"}
)
_OTHER_END: Final = "end of another group"
_OF_DOCUMENTS: Final = _UNKNOWN_JSON | _UNKNOWN_BINARY | {_OTHER_END}


def _json_messages() -> Iterator[_Row]:
    unknown = Ruling(
        Expectation.REFUSED,
        "unknown fields are refused unless asked otherwise",
        _json_page("JSON Options", "#json-options"),
    )
    yield _json(_UNKNOWN_JSON, unknown)
    offsets = Ruling(Expectation.READ, "offsets other than Z are read", WELL_KNOWN)
    yield _json(("offset", "negative offset"), offsets, ("message:google.protobuf.Timestamp",))
    strict = _json_page("RFC 3339 Clarifications, Timestamps", "#rfc3339-timestamp")
    small = Ruling(
        Expectation.OPEN, "small letters should not be read where that is possible; some implementations do", strict
    )
    yield _json(("small t", "small z"), small, ("message:google.protobuf.Timestamp",))
    duration = ("message:google.protobuf.Duration",)
    yield _json(("no unit",), Ruling(Expectation.REFUSED, "the suffix s is required", WELL_KNOWN), duration)
    digits = Ruling(Expectation.READ, "any number of fractional digits up to nanoseconds is read", WELL_KNOWN)
    yield _json(("one digit of fraction",), digits, duration)
    twice = Ruling(
        Expectation.OPEN,
        "the last of several values should count; a parser that cannot tell their order is to refuse them",
        _json_page("Duplicate values", "#duplicate-values"),
    )
    spelt = ("duplicate key", "duplicate key, default last", "both spellings", "both spellings, proto name first")
    yield _json(spelt, twice)


def _binary(states: Iterable[str], ruling: Ruling, types: Iterable[str] = ()) -> _Row:
    return _Row(encoding=Encoding.BINARY, states=frozenset(states), ruling=ruling, types=frozenset(types))


_WITH_PRESENCE: Final = frozenset({"optional", "oneof"})


def _binary_rows() -> Iterator[_Row]:
    packed = _encoding_page("Packed Repeated Fields", "#packed")
    either = Ruling(Expectation.READ, "a repeated field is read packed and spread, whatever the schema says", packed)
    yield _binary((OTHER_PACKING, "packed and spread", "spread and packed", "packed twice"), either)
    last = Ruling(
        Expectation.READ,
        "of several occurrences the last counts, messages are merged",
        _encoding_page("Last One Wins", "#last-one-wins"),
    )
    yield _binary(("repeated occurrence", "repeated occurrence, default last"), last)
    text = Ruling(
        Expectation.REFUSED,
        "a string is UTF-8, and every parser checks it where the schema does not turn that off",
        Citation("UTF-8 Validation in Java", "", f"{SITE}/reference/java/java-utf8-validation/"),
    )
    invalid = (
        *("invalid UTF-8", "truncated UTF-8", "overlong UTF-8", "overlong NUL in UTF-8", "surrogate in UTF-8"),
        *("surrogate pair in UTF-8", "beyond Unicode in UTF-8"),
    )
    yield _binary(invalid, text, ("string",))
    group = Ruling(
        Expectation.REFUSED, "an end tag of another number makes the message malformed", _encoding_page("Groups")
    )
    yield _binary((_OTHER_END,), group)
    kept = Ruling(
        Expectation.KEPT,
        "unknown fields are kept and written again",
        Citation("Language Guide (proto 3)", "Unknown Fields", f"{SITE}/programming-guides/proto3/#unknowns"),
    )
    yield _binary(_UNKNOWN_BINARY, kept)
    present = Ruling(
        Expectation.PRESENT,
        "every value in a serialization is a present field, a default one too",
        Citation(
            "Application Note: Field Presence",
            "Presence in Tag-value stream (Wire Format) Serialization",
            f"{SITE}/programming-guides/field_presence/",
        ),
    )
    yield _Row(encoding=Encoding.BINARY, states=frozenset({DEFAULT}), ruling=present, labels=_WITH_PRESENCE)


TABLE: Final = (*_json_rows(), *_binary_rows())


# --- judging ---------------------------------------------------------------------------------------------------------


def ruling(encoding: Encoding, kind: str, state: str) -> Ruling | None:
    """What the specification says of a field of this kind in this state; None where it says nothing for certain."""
    if kind == ONEOF or kind.startswith(("map<", "required")) or (kind == DOCUMENT and state not in _OF_DOCUMENTS):
        return None
    return next((row.ruling for row in TABLE if row.encoding is encoding and row.fits(kind, state)), None)


def judge(
    payload: Payload, found: Divergence, outcomes: Mapping[str, Outcome], *, view: View = View.SCHEMA
) -> Judgement | None:
    """Who is right about a divergence of a payload that probes one field; None where the specification does not say."""
    if len(payload.parts) != 1:
        return None
    ((path, kind, state),) = payload.parts
    said = ruling(payload.encoding, kind, state)
    if said is None:
        return None
    if said.expectation is Expectation.OPEN:
        return Judgement(said)
    if found.kind is DivergenceClass.ACCEPT_REJECT:
        refused = [stub for stub, one in outcomes.items() if isinstance(one, Rejected)]
        read = [stub for stub, one in outcomes.items() if isinstance(one, Decoded | EncodeFailed)]
        right, wrong = (refused, read) if said.expectation is Expectation.REFUSED else (read, refused)
        return Judgement(said, tuple(sorted(right)), tuple(sorted(wrong)))
    if found.kind is DivergenceClass.PRESENCE and _INDEX.sub("[]", found.path) != path:
        return None
    return _judge_observed(said, found, outcomes, view)


_INDEX: Final = re.compile(r"\[\d+\]")
_DECIDES: Final = {
    (DivergenceClass.PRESENCE, Expectation.UNSET): Aspect.PRESENCE,
    (DivergenceClass.PRESENCE, Expectation.PRESENT): Aspect.PRESENCE,
    (DivergenceClass.REENCODING, Expectation.KEPT): Aspect.UNKNOWN,
}


def _judge_observed(said: Ruling, found: Divergence, outcomes: Mapping[str, Outcome], view: View) -> Judgement | None:
    """Where an expectation is about what is seen, those are wrong who see nothing, or something."""
    aspect = _DECIDES.get((found.kind, said.expectation))
    if aspect is None:
        return None
    trees, _malformed = read_observations(outcomes)
    at_place = (one for one in differences(trees, view) if one.aspect is aspect and one.path == found.path)
    difference = next(at_place, None)
    if difference is None:
        return None
    right: list[str] = []
    wrong: list[str] = []
    for group, seen in zip(difference.groups, difference.seen, strict=True):
        sees_nothing = seen in _NOTHING
        (right if sees_nothing is (said.expectation is Expectation.UNSET) else wrong).extend(group)
    return Judgement(said, tuple(sorted(right)), tuple(sorted(wrong)))


_NOTHING: Final = frozenset({"absent", "null", "undefined", "default", "0 bytes of unknown fields"})
