"""Families: kinds of fields for which one state means the same, so that one cause is one finding. Pure.

A duplicate key is a matter of the JSON parser, whatever type the field has; hexadecimal text is one of the parser of
integers, whether they have 32 bits or 64, and presence or not. Whether absence, null and a default are told apart is a
matter of the exact kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from counterfoil.probe.payloads import BY_PROTO_NAME, DEFAULT, EDGE, EMPTY, ONEOF, PLUS, VALUE, ZERO, type_of

ANY_FIELD: Final = "field"
_STRUCTURAL: Final = (
    *("duplicate key", "both spellings", "escaped key", "key in capitals", "key with a space", "number as key"),
    *("overlong ", "tag of ", "length of ", "length beyond", "missing length", "bits beyond", "varint of "),
    *("truncated ", "unknown groups"),
    *("wire type mismatch", "repeated occurrence", "nesting of ", "unknown field", "unclosed group"),
    *("end of another group", "packed ", "spread "),
)
"""What the states begin with that concern the parser of the format, whatever the type of the field."""
_SCALARS: Final = {
    **dict.fromkeys(("int32", "sint32", "sfixed32", "uint32", "fixed32"), "integer"),
    **dict.fromkeys(("int64", "sint64", "sfixed64", "uint64", "fixed64"), "integer"),
    **dict.fromkeys(("double", "float"), "floating point"),
    **dict.fromkeys(("string", "unverified string"), "string"),
    **dict.fromkeys(("enum", "closed enum"), "enum"),
    **dict.fromkeys(("message", "group"), "message"),
}
_SAME: Final = {
    **dict.fromkeys(
        (f"{EDGE}{spelling} as text" for spelling in ("+Infinity", "-NaN", "nan", "inf", "infinity", "INF")),
        f"{EDGE}another spelling of Infinity or NaN",
    ),
    **dict.fromkeys(
        (f"{EDGE}{where} as text" for where in ("leading space", "trailing space", "line feed")),
        f"{EDGE}white space around a number as text",
    ),
    **dict.fromkeys(
        (f"{EDGE}{where} base64" for where in ("space in", "line feed in", "line feed after")),
        f"{EDGE}white space in base64",
    ),
    **dict.fromkeys(
        (f"{EDGE}{what}" for what in ("too little padding", "too much padding", "padding alone", "four times padding")),
        f"{EDGE}wrong padding of base64",
    ),
    **dict.fromkeys(
        (f"{EDGE}padding {where}" for where in ("where none belongs", "in the middle", "after one character")),
        f"{EDGE}wrong padding of base64",
    ),
    **dict.fromkeys(
        (f"{EDGE}{number}" for number in ("0.1", "2^24+1", "many digits", "float in between")),
        f"{EDGE}number between two floats",
    ),
    f"{EDGE}duplicate map key, default last": f"{EDGE}duplicate map key",
    "duplicate key, default last": "duplicate key",
    f"{EDGE}-0 as text": f"{EDGE}-0.0",
    **{
        f"{which}length of {number}": f"{which}length beyond 32 bits"
        for which in ("", "unknown ")
        for number in ("2^32", "2^63", "2^64-1")
    },
}
_MISMATCH: Final = "wire type mismatch"
_SOMETHING: Final = frozenset({VALUE, DEFAULT, ZERO, EMPTY})
_OF_ENTRIES: Final = (
    *(f"{EDGE}entry without", f"{EDGE}value before key", f"{EDGE}key twice", f"{EDGE}value twice"),
    *(f"{EDGE}unknown field in an entry", f"{EDGE}trailing bytes in an entry", f"{EDGE}duplicate map key"),
)
_WRAPPER: Final = re.compile(r"message:google\.protobuf\.(Double|Float|U?Int(?:32|64)|Bool|String|Bytes)Value")
_MAP: Final = re.compile(r"map<([^,]*),(.*)>")


@lru_cache(maxsize=4096)
def cause(parts: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """(kinds, states) of probed fields, each joined by PLUS, in the words and the order that all of one cause share."""
    pairs = [(family(kind, state), condition(state)) for kind, state in parts]
    if len(parts) > 1:
        if all(kind.startswith(ONEOF) for kind, _state in parts):
            pairs = [(ONEOF, _of_several(state)) for _kind, state in parts]
        pairs.sort()
    kinds, states = zip(*pairs, strict=True)
    return PLUS.join(kinds), PLUS.join(states)


def condition(state: str) -> str:
    """The state; of those that are the same to a reader, the name that they share."""
    return _MISMATCH if state.startswith(_MISMATCH) else _SAME.get(state, state)


def _of_several(state: str) -> str:
    """Of several members of a oneof it matters which are there, and which are null."""
    plain = state.removesuffix(BY_PROTO_NAME)
    return VALUE if plain in _SOMETHING or plain.startswith(EDGE) else plain


def family(kind: str, state: str) -> str:
    """What a kind has in common with others that are in this state too."""
    if state.startswith(_STRUCTURAL):
        return ANY_FIELD
    if not state.startswith(EDGE):
        return kind
    found = _MAP.fullmatch(type_of(kind))
    if found is None:
        return _scalar(kind)
    if state.startswith(_OF_ENTRIES):
        return "map"
    return f"map<{_scalar(found[1])}>" if state.startswith(f"{EDGE}map key") else _scalar(found[2])


def _scalar(kind: str) -> str:
    """Without labels, and without the number of bits; a wrapper is what it wraps."""
    type_ = type_of(kind)
    if found := _WRAPPER.fullmatch(type_):
        type_ = found[1].lower()
    return _SCALARS.get(type_, type_)
