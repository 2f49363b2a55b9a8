"""Words for values that are no curated ones, by their looks alone: the same bytes always have the same words. Pure."""

from __future__ import annotations

import re
from typing import Final

from counterfoil.probe import wire_tree
from counterfoil.probe.payloads import EDGE, PLUS, VALUE
from counterfoil.probe.wire_format import MASK_64

SHOWN_CHARS: Final = 40
DEEP: Final = 8
ENTRY_NUMBERS: Final = frozenset({1, 2})
_NUMBERS: Final = re.compile("(u|s)?int(32|64)|s?fixed(32|64)|float|double")
_PLAIN_NUMBER: Final = re.compile(rb"-?(0|[1-9][0-9]{0,8})")
_PLAIN_TEXT: Final = re.compile(rb'"[A-Za-z]*"')
_MAP: Final = re.compile("map<[^,]*,(.*)>")
_KEYS: Final = re.compile(rb'("[^"]*"):')
_ONE_ITEM: Final = re.compile(rb'(?:\[|\{"[^"]*":)([^,:{}\[\]]*)[\]}]')
_PLAIN_VARINT: Final = 1 << 28
BEYOND_64_BITS: Final = "bits beyond 64"
INVALID_UTF8: Final = f"{EDGE}invalid UTF-8"


def is_number(type_: str) -> bool:
    """Whether it is a type of numbers that is no wrapper."""
    return _NUMBERS.fullmatch(type_) is not None


def of_json(text: bytes, type_: str) -> str:
    """The state of a field of a type that has this JSON; of a list or map of one item, that of the item."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return INVALID_UTF8
    if of_map := _MAP.fullmatch(type_):
        type_ = of_map[1]
        if len(set(_KEYS.findall(text))) < len(_KEYS.findall(text)):
            return f"{EDGE}duplicate map key"
    if found := _ONE_ITEM.fullmatch(text):
        text = found[1]
    if text in {b"true", b"false"}:
        return VALUE if type_ == "bool" else EDGE + shown(text)
    plain = _PLAIN_NUMBER if is_number(type_) else _PLAIN_TEXT
    return VALUE if plain.fullmatch(text) else EDGE + shown(text)


def is_no_name(state: str) -> bool:
    """Whether a state is the value itself, for want of a name."""
    return state.startswith((f'{EDGE}"', f"{EDGE}bytes ")) or state.removeprefix(EDGE).isdecimal()


def shown(text: bytes) -> str:
    """Bytes as printable characters that do not look like several states."""
    return text[:SHOWN_CHARS].decode("ascii", "backslashreplace").replace(PLUS, "+").replace("|", "\\x7c")


def of_record(record: wire_tree.Record, type_: str) -> str:
    """The state of a field of a type that has this record."""
    return overlong(record) or _of_content(record.content, type_)


def _of_content(content: wire_tree.Content, type_: str) -> str:
    match content:
        case wire_tree.Nested(message) if _MAP.fullmatch(type_):
            strange = any(one.number not in ENTRY_NUMBERS for one in message.records)
            return f"{EDGE}unknown field in an entry" if strange else VALUE
        case wire_tree.Chunk(data) if type_ == "string" and not _is_utf8(data):
            return INVALID_UTF8
        case wire_tree.Varint(value) if value > MASK_64:
            return BEYOND_64_BITS
        case wire_tree.Varint(value) if value >= _PLAIN_VARINT:
            return f"{EDGE}{value}"
        case wire_tree.Fixed(data) | wire_tree.Chunk(data) if any(data) and len(data) <= SHOWN_CHARS // 2:
            return VALUE if data.isalpha() else f"{EDGE}bytes {data.hex()}"
        case _:
            return VALUE


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def overlong(record: wire_tree.Record) -> str:
    """What takes more bytes than it needs; empty where nothing does."""
    if record.tag_size:
        return f"tag of {record.tag_size} bytes"
    match record.content:
        case wire_tree.Varint(_, size) if size:
            return f"varint of {size} bytes"
        case wire_tree.Chunk(_, size) | wire_tree.Nested(_, size) | wire_tree.Packed(_, _, size) if size:
            return f"length of {size} bytes"
        case _:
            return ""


def unknown(record: wire_tree.Record) -> str:
    """The state of a payload in which a record stands that the schema does not have."""
    depth = _depth(record)
    if depth >= DEEP:
        return f"unknown groups to a depth of {depth}"
    return "unknown field" + (", overlong" if overlong(record) else "")


def _depth(record: wire_tree.Record) -> int:
    depth = 0
    while isinstance(record.content, wire_tree.Group):
        depth += 1
        if not record.content.message.records:
            break
        record = record.content.message.records[0]
    return depth
