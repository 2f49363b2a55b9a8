"""JSON text as a tree that keeps what decoders normalise away. Pure.

`write(parse(data)) == data` for any bytes: the order of keys, duplicate keys, the text of numbers, the bytes inside
quotes (escapes, lone surrogates, invalid UTF-8), white space, a byte order mark, what is missing at the end and what
follows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

BOM = b"\xef\xbb\xbf"
MAX_DEPTH = 100
"""What is nested deeper stays one Scalar."""


@dataclass(frozen=True, slots=True)
class Gap:
    """White space around a node."""

    before: bytes = b""
    after: bytes = b""


NO_GAP = Gap()


@dataclass(frozen=True, slots=True)
class Scalar:
    """null, true, false, a number or any other run of bytes without quotes, such as NaN, +1 or nothing at all."""

    text: bytes
    gap: Gap = NO_GAP


@dataclass(frozen=True, slots=True)
class String:
    """`raw` is what stands between the quotes, escapes included."""

    raw: bytes
    closed: bool = True
    gap: Gap = NO_GAP


@dataclass(frozen=True, slots=True)
class Array:
    """A trailing comma makes a last item that is an empty Scalar."""

    items: tuple[Node, ...] = ()
    closed: bool = True
    gap: Gap = NO_GAP
    inside: bytes = b""
    """White space of an array without items."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object; without a value there is no colon either."""

    key: String | Scalar
    value: Node | None


@dataclass(frozen=True, slots=True)
class Object:
    """Members in their order, duplicates included."""

    members: tuple[Member, ...] = ()
    closed: bool = True
    gap: Gap = NO_GAP
    inside: bytes = b""
    """White space of an object without members."""


Node = Scalar | String | Array | Object


@dataclass(frozen=True, slots=True)
class Document:
    """`rest` is what follows the root, or the part of it where the text stops being JSON."""

    root: Node
    bom: bool = False
    rest: bytes = b""


PLAIN = re.compile(rb"[ !#-\[\]-~]*")
"""What stands for itself."""


def text_of(raw: bytes) -> str | None:
    """What the inside of quotes stands for; None where it is no valid JSON string."""
    if PLAIN.fullmatch(raw):
        return raw.decode()
    try:
        return cast("str", json.loads(b'"%b"' % raw, strict=True))
    except ValueError:
        return None


def string(text: str) -> bytes:
    """A JSON string in quotes, in plain UTF-8 wherever JSON allows it."""
    return json.dumps(text, ensure_ascii=False).encode()


def write(document: Document) -> bytes:
    """The bytes of a tree."""
    return (BOM if document.bom else b"") + b"".join(_pieces(document.root)) + document.rest


def _pieces(node: Node) -> Iterator[bytes]:
    yield node.gap.before
    match node:
        case Scalar():
            yield node.text
        case String():
            yield b'"%b"' % node.raw if node.closed else b'"%b' % node.raw
        case Array():
            yield b"[" + node.inside
            for index, item in enumerate(node.items):
                yield b"," if index else b""
                yield from _pieces(item)
            yield b"]" if node.closed else b""
        case Object():
            yield b"{" + node.inside
            for index, member in enumerate(node.members):
                yield b"," if index else b""
                yield from _member_pieces(member)
            yield b"}" if node.closed else b""
    yield node.gap.after


def _member_pieces(member: Member) -> Iterator[bytes]:
    yield from _pieces(member.key)
    if member.value is not None:
        yield b":"
        yield from _pieces(member.value)


def parse(data: bytes) -> Document:
    """The tree of any bytes. Where the text is no JSON, containers end unclosed and the remainder is the `rest`."""
    bom = data.startswith(BOM)
    reader = _Reader(data, len(BOM) if bom else 0)
    root = reader.node(0)
    return Document(root, bom, data[reader.position :])


SPACE = re.compile(rb"[ \t\r\n]*")
BARE = re.compile(rb'[^ \t\r\n,:"{}\[\]]*')
QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*+)(["\\]?)', re.DOTALL)
MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class _Reader:
    def __init__(self, data: bytes, position: int) -> None:
        self.data = data
        self.position = position

    def node(self, depth: int) -> Node:
        before = self.match(SPACE)
        opening = self.data[self.position : self.position + 1]
        if opening == b'"':
            return self.string(before)
        if opening and opening in b"{[" and depth >= MAX_DEPTH:
            return Scalar(self.balanced(), Gap(before, self.match(SPACE)))
        if opening == b"[":
            return self.array(before, depth)
        if opening == b"{":
            return self.object(before, depth)
        return Scalar(self.match(BARE), Gap(before, self.match(SPACE)))

    def string(self, before: bytes) -> String:
        found = QUOTED.match(self.data, self.position)
        if found is None:  # cannot be: the caller saw the quote
            raise ValueError(self.position)
        raw, end = found.groups()
        self.position = found.end()
        if end == b'"':
            return String(raw, gap=Gap(before, self.match(SPACE)))
        return String(raw + end, closed=False, gap=Gap(before))

    def array(self, before: bytes, depth: int) -> Array:
        self.position += 1
        items: list[Node] = []
        inside = self.empty(b"]")
        if inside is None:
            items.append(self.node(depth + 1))
            while self.skip(b","):
                items.append(self.node(depth + 1))
        closed = self.skip(b"]")
        return Array(tuple(items), closed, self.gap(before, closed=closed), inside or b"")

    def object(self, before: bytes, depth: int) -> Object:
        self.position += 1
        members: list[Member] = []
        inside = self.empty(b"}")
        if inside is None:
            members.append(self.member(depth))
            while self.skip(b","):
                members.append(self.member(depth))
        closed = self.skip(b"}")
        return Object(tuple(members), closed, self.gap(before, closed=closed), inside or b"")

    def member(self, depth: int) -> Member:
        before = self.match(SPACE)
        if self.data[self.position : self.position + 1] == b'"':
            key: String | Scalar = self.string(before)
        else:
            key = Scalar(self.match(BARE), Gap(before, self.match(SPACE)))
        return Member(key, self.node(depth + 1) if self.skip(b":") else None)

    def empty(self, closing: bytes) -> bytes | None:
        """The white space of a container that has nothing else; None, and nothing read, for any other."""
        start = self.position
        space = self.match(SPACE)
        if self.data[self.position : self.position + 1] in (closing, b""):
            return space
        self.position = start
        return None

    def gap(self, before: bytes, *, closed: bool) -> Gap:
        return Gap(before, self.match(SPACE) if closed else b"")

    def balanced(self) -> bytes:
        """A container taken as bytes, up to its closing bracket or the end."""
        start, depth = self.position, 0
        self.position = len(self.data)
        for mark in MARKS.finditer(self.data, start):
            depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(mark.group(), 0)
            if depth == 0:
                self.position = mark.end()
                break
        return self.data[start : self.position]

    def match(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self.data, self.position)
        self.position = found.end() if found else self.position
        return found.group() if found else b""

    def skip(self, mark: bytes) -> bool:
        if self.data[self.position : self.position + 1] != mark:
            return False
        self.position += 1
        return True
