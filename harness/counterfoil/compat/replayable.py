"""Witnesses of schema changes as files that replay on their own: the payload and both schemas are in them. Pure."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Literal

import msgspec

from counterfoil.compat.changes import Direction
from counterfoil.core.command_lines import command_line
from counterfoil.errors import UsageError
from counterfoil.probe.payloads import Encoding

FORMAT = 1
KIND = "breaking"
FOLDER = "breaking"
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_SCHEMA_BYTES = 64 * 1024 * 1024
EMBEDDED_UP_TO_BYTES = 4 * 1024 * 1024
"""Larger schemas stay outside; whoever replays names them."""
SLUG_WIDTH = 80
DIGEST_WIDTH = 10
PACKED = 64
"""Schemas that are remembered as they are written: many witnesses have the same in them."""


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one runtime did."""

    stub: str
    runtime: str
    breaks: bool
    wrote: str
    read: str


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    readable: str
    base64: str


class _Schema(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    digest: str
    image: str = ""
    """The files that the message needs: zlib, base64. Empty where they are too large."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    kind: Literal["breaking"]
    rule: str
    subject: str
    digest: str
    direction: Direction
    encoding: Encoding
    message: str
    payload: _Payload
    old: _Schema
    new: _Schema
    runtimes: tuple[Told, ...]
    replay: str


class _Head(msgspec.Struct):
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayable:
    """A witness of a change. The schemas are images of what the message needs, None where they are too large."""

    rule: str
    subject: str
    digest: str
    direction: Direction
    encoding: Encoding
    message: str
    data: bytes
    readable: str
    old: bytes | None
    new: bytes | None
    old_digest: str
    new_digest: str
    runtimes: tuple[Told, ...]

    @property
    def file_name(self) -> str:
        """The same for the same change, direction, encoding and payload."""
        words = f"{self.rule} {self.subject} {self.direction} {self.encoding}"
        slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        unique = sha256(f"{words}\n{self.digest}".encode("utf-8", "surrogatepass")).hexdigest()
        return f"{slug[:SLUG_WIDTH].strip('-')}-{unique[:DIGEST_WIDTH]}.json"


def payload_digest(message: str, direction: Direction, encoding: Encoding, data: bytes) -> str:
    """By which a witness is known again, whoever finds it."""
    return "sha256:" + sha256(f"{message} {direction} {encoding}\n".encode() + data).hexdigest()


def image_digest(image: bytes) -> str:
    """By which a witness says which schemas it was found with."""
    return "sha256:" + sha256(image).hexdigest()


def write(witness: Replayable, path: str) -> str:
    """The text of its file; the same witness gives the same text. `path` is where it will lie, for the command."""
    content = _File(
        format=FORMAT,
        kind="breaking",
        rule=witness.rule,
        subject=witness.subject,
        digest=witness.digest,
        direction=witness.direction,
        encoding=witness.encoding,
        message=witness.message,
        payload=_Payload(readable=_clean(witness.readable), base64=b64encode(witness.data).decode()),
        old=_Schema(witness.old_digest, _packed(witness.old)),
        new=_Schema(witness.new_digest, _packed(witness.new)),
        runtimes=tuple(
            Told(one.stub, one.runtime, one.breaks, _clean(one.wrote), _clean(one.read)) for one in witness.runtimes
        ),
        replay=command_line("replay", path),
    )
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@lru_cache(maxsize=PACKED)
def _packed(image: bytes | None) -> str:
    if image is None or len(image) > EMBEDDED_UP_TO_BYTES:
        return ""
    return b64encode(zlib.compress(image, 9)).decode()


def is_one(text: bytes) -> bool:
    """Whether a file says that it is such a witness."""
    try:
        return len(text) <= MAX_FILE_BYTES and msgspec.json.decode(text, type=_Head).kind == KIND
    except (msgspec.DecodeError, RecursionError):
        return False


def read(text: bytes, path: str) -> Replayable:
    """The witness in a file. Raises UsageError with what is wrong and where."""
    try:
        content = msgspec.json.decode(text, type=_File)
        if content.format != FORMAT:
            raise _not_a_witness(path, f"its format is {content.format}; this version of counterfoil reads {FORMAT}")
        data = b64decode(content.payload.base64, validate=True)
        old, new = (_unpacked(one.image) for one in (content.old, content.new))
    except (msgspec.DecodeError, Base64Error, zlib.error, UnicodeEncodeError, RecursionError) as error:
        raise _not_a_witness(path, str(error)) from None
    made = payload_digest(content.message, content.direction, content.encoding, data)
    if made != content.digest:
        raise UsageError(
            f"'{path}' was edited: its bytes are not those that the finding was written for",
            where=path,
            why=f"its payload has the digest {made}, not {content.digest}",
            fix="take it from git again, or remove it and run 'counterfoil breaking', which writes it anew",
        )
    return Replayable(
        rule=content.rule,
        subject=content.subject,
        digest=content.digest,
        direction=content.direction,
        encoding=content.encoding,
        message=content.message,
        data=data,
        readable=content.payload.readable,
        old=old,
        new=new,
        old_digest=content.old.digest,
        new_digest=content.new.digest,
        runtimes=content.runtimes,
    )


def _unpacked(text: str) -> bytes | None:
    if not text:
        return None
    unzipping = zlib.decompressobj()
    data = unzipping.decompress(b64decode(text, validate=True), MAX_SCHEMA_BYTES)
    if not unzipping.eof:
        raise zlib.error("a schema in it ends early, or is too large")
    return data


def _not_a_witness(path: str, why: str) -> UsageError:
    return UsageError(
        f"'{path}' is not a witness of a schema change",
        where=path,
        why=why,
        fix="name a file that 'counterfoil breaking' wrote as a witness",
    )
