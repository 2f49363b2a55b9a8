"""Witnesses: the smallest payload that shows a divergence, with what every stub did, as a file that replays. Pure.

The payload's bytes are the artefact. Everything else in the file is there for readers, apart from what recognises the
divergence again: its class, its groups, and the kinds and states of the fields that it is about.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from google.protobuf.descriptor import Descriptor

from counterfoil.core.command_lines import command_line
from counterfoil.core.workspace import WITNESSES
from counterfoil.errors import UsageError
from counterfoil.probe import wire_tree
from counterfoil.probe.compare import observation_of
from counterfoil.probe.divergences import Divergence, DivergenceClass
from counterfoil.probe.families import cause
from counterfoil.probe.observation import MalformedObservationError, cut, parse_observation, render
from counterfoil.probe.outcomes import (
    Crashed,
    Decoded,
    EncodeFailed,
    Garbled,
    Outcome,
    OutputFormat,
    Rejected,
    TimedOut,
    Unsupported,
)
from counterfoil.probe.payloads import Encoding, Payload, Phase

FORMAT: Final = 1
MAX_WITNESS_BYTES: Final = 16 * 1024 * 1024
READABLE_WIDTH: Final = 2000
_SLUG_WIDTH: Final = 60
_DIGEST_WIDTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StubOutcome:
    """What a stub did, in readable form. `runtime` names the library and its version: `protobuf-es 2.17.0`."""

    stub: str
    runtime: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """`schema_digest` is that of the schema it was found with, `verdict` says who is right where that is known."""

    message: str
    schema_digest: str
    payload: Payload
    readable: str
    divergence: Divergence
    outcomes: tuple[StubOutcome, ...]
    verdict: str = ""


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    encoding: Encoding
    path: str
    kind: str
    state: str
    readable: str
    base64: str


class _Divergence(msgspec.Struct, forbid_unknown_fields=True, rename={"kind": "class"}):
    kind: DivergenceClass
    path: str
    groups: tuple[tuple[str, ...], ...]
    about: tuple[tuple[str, str], ...]
    detail: str
    signature: str


class _Outcome(msgspec.Struct, forbid_unknown_fields=True):
    stub: str
    runtime: str
    outcome: str


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    format: int
    message: str
    schema: str
    payload: _Payload
    divergence: _Divergence
    outcomes: tuple[_Outcome, ...]
    replay: str
    digest: str
    verdict: str = ""


class _Version(msgspec.Struct):
    format: int


def file_name(divergence: Divergence) -> str:
    """The same for the same signature, so that a finding has one file wherever and whenever it is found."""
    words = (divergence.kind, divergence.encoding, *cause(divergence.parts))
    slug = re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower())
    digest = sha256(divergence.signature.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slug[:_SLUG_WIDTH].strip('-')}-{digest[:_DIGEST_WIDTH]}.json"


def digest(message: str, payload: Payload) -> str:
    """By which a witness is told from another one: that of its message, its encoding and its bytes."""
    return "sha256:" + sha256(f"{message} {payload.encoding} ".encode() + payload.data).hexdigest()


def write(witness: Witness) -> str:
    """The text of a witness's file; the same witness gives the same text."""
    payload, divergence = witness.payload, witness.divergence
    content = _File(
        format=FORMAT,
        message=witness.message,
        schema=witness.schema_digest,
        payload=_Payload(
            encoding=payload.encoding,
            path=payload.path,
            kind=payload.kind,
            state=payload.state,
            readable=_clean(witness.readable),
            base64=b64encode(payload.data).decode(),
        ),
        divergence=_Divergence(
            kind=divergence.kind,
            path=_clean(divergence.path),
            groups=divergence.groups,
            about=divergence.parts,
            detail=_clean(divergence.detail),
            signature=divergence.signature,
        ),
        outcomes=tuple(
            _Outcome(one.stub, one.runtime, _clean(one.outcome)) for one in sorted(witness.outcomes, key=_stub)
        ),
        replay=command_line("replay", f"{WITNESSES}/{witness.message}/{file_name(divergence)}"),
        digest=digest(witness.message, payload),
        verdict=_clean(witness.verdict),
    )
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def _stub(outcome: StubOutcome) -> str:
    return outcome.stub


def _clean(text: str) -> str:
    """JSON files are UTF-8, which has no lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def read(text: str, path: str = "") -> Witness:
    """The witness in a file; `path` is for errors. Raises UsageError with what is wrong and where.

    Where the bytes are not those that the digest is of, it was edited, and is refused.
    """
    if len(text) > MAX_WITNESS_BYTES:
        raise _not_a_witness(path, f"it has {len(text)} characters, more than the {MAX_WITNESS_BYTES} that are read")
    try:
        version = msgspec.json.decode(text, type=_Version).format
        if version != FORMAT:
            raise _not_a_witness(path, f"its format is {version}; this version of counterfoil reads {FORMAT}")
        content = msgspec.json.decode(text, type=_File)
        data = b64decode(content.payload.base64, validate=True)
    except Base64Error as error:
        raise _not_a_witness(path, f"{error} - at `$.payload.base64`") from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise _not_a_witness(path, str(error)) from None
    if not content.divergence.about:
        raise _not_a_witness(path, "it is about no field - at `$.divergence.about`")
    witness = _witness(content, data)
    made = digest(witness.message, witness.payload)
    if content.digest != made:
        raise _edited(path, f"its payload has the digest {made}, not {content.digest}")
    return witness


def _witness(content: _File, data: bytes) -> Witness:
    made, found = content.payload, content.divergence
    return Witness(
        message=content.message,
        schema_digest=content.schema,
        payload=Payload(
            encoding=made.encoding, data=data, path=made.path, kind=made.kind, state=made.state, phase=Phase.WITNESS
        ),
        readable=made.readable,
        divergence=Divergence(
            kind=found.kind,
            path=found.path,
            groups=found.groups,
            detail=found.detail,
            encoding=made.encoding,
            parts=found.about,
        ),
        outcomes=tuple(
            StubOutcome(stub=one.stub, runtime=one.runtime, outcome=one.outcome) for one in content.outcomes
        ),
        verdict=content.verdict,
    )


def _edited(path: str, why: str) -> UsageError:
    return UsageError(
        f"'{path}' was edited: its bytes are not those that the finding was written for",
        where=path,
        why=why,
        fix="take it from git again, or remove it and run 'counterfoil probe', which writes it anew",
    )


def _not_a_witness(path: str, why: str) -> UsageError:
    return UsageError(
        f"'{path}' is not a witness" if path else "not a witness",
        where=path,
        why=why,
        fix="name a file that 'counterfoil probe' or 'counterfoil breaking' wrote as a witness",
    )


# --- for readers -----------------------------------------------------------------------------------------------------


def readable(payload: Payload, message: Descriptor | None = None, width: int = READABLE_WIDTH) -> str:
    """The payload for people: JSON as its text, the wire format record by record, `3 price: {1 units: 5}`."""
    if payload.encoding is Encoding.JSON:
        text = payload.data.decode("utf-8", "backslashreplace")
        return cut("".join(one if one.isprintable() or one in "\n\t" else _escape(one) for one in text), width)
    return cut(" ".join(_records(wire_tree.parse(payload.data, message), message)), width)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def _records(message: wire_tree.WireMessage, descriptor: Descriptor | None) -> Iterator[str]:
    fields = descriptor.fields_by_number if descriptor else {}
    for record in message.records:
        field = fields.get(record.number)
        inside = field.message_type if field else None
        name = f"{record.number} {field.name}" if field else str(record.number)
        tag = f" (tag of {record.tag_size} bytes)" if record.tag_size else ""
        yield f"{name}{tag}: {_content(record.content, inside)}"
    if message.rest:
        yield f"and no record: {message.rest.hex(' ')}"


def _content(content: wire_tree.Content, inside: Descriptor | None) -> str:
    match content:
        case wire_tree.Varint(value, size):
            return f"{value} (in {size} bytes)" if size else str(value)
        case wire_tree.Fixed(data):
            return f"fixed({data.hex(' ')})"
        case wire_tree.Chunk(data, length_size):
            shown = _bytes(data)
        case wire_tree.Packed(items, rest, length_size):
            shown = f"[{' '.join([*(_content(item, None) for item in items), *([rest.hex(' ')] if rest else [])])}]"
        case wire_tree.Nested(message, length_size):
            shown = f"{{{' '.join(_records(message, inside))}}}"
        case wire_tree.Group(message, end):
            length_size = 0
            shown = f"group{{{' '.join(_records(message, inside))}}}{'' if end else ' without end'}"
    return f"{shown} (length in {length_size} bytes)" if length_size else shown


def _bytes(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"bytes({data.hex(' ')})"
    return json.dumps(text) if text.isprintable() else f"bytes({data.hex(' ')})"


def describe(outcome: Outcome, width: int = READABLE_WIDTH) -> str:
    """What a stub did, in one line."""
    match outcome:
        case Decoded(_, output, output_format):
            text = f"read{_seen(outcome)}{_wrote(output, output_format)}"
        case EncodeFailed(message):
            text = f"read{_seen(outcome)}, but not written again: {message}"
        case Rejected(message):
            text = f"refused: {message}"
        case Unsupported(reason):
            text = f"not supported: {reason}"
        case Crashed(exit_code, tail):
            text = f"crashed with exit code {exit_code}{': ' if tail else ''}{' / '.join(tail)}"
        case TimedOut(after_s):
            text = f"no answer within {after_s:g} s"
        case Garbled(what):
            text = f"no answer to what was asked: {what}"
    return cut(" ".join(text.split()), width)


def _seen(outcome: Outcome) -> str:
    data = observation_of(outcome)
    if not data:
        return ""
    try:
        return f" as {render(parse_observation(data), READABLE_WIDTH)}"
    except MalformedObservationError as error:
        return f", but the observation cannot be read: {error}"


def _wrote(output: bytes | None, output_format: OutputFormat) -> str:
    if output is None:
        return ""
    if output_format is OutputFormat.JSON:
        return f", written as {output.decode('utf-8', 'backslashreplace')}"
    return f", written as {output.hex(' ') or 'no bytes'}"
