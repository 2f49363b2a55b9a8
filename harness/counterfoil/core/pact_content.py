"""What of a pact matters to its verification, as bytes in which equal contents are equal, and their digests. Pure.

The rule is the Pact Broker's (`PactBroker::Pacts::GenerateSha` with its default settings): of the document count the
interactions, the messages and the version of the specification. The order of the interactions, the order of keys,
white space, the names of the two participants and the rest of the metadata do not. Hence a pact that a newer client
library writes is not verified again. Ours differs in two points: the hash is SHA-256 over ASCII JSON, and an `_id`,
which the Broker adds to the interactions that it hands out, does not count. Of a document that has neither interactions
nor messages, everything counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.core.pacts import MAX_PACT_BYTES, Json, read_document
from counterfoil.errors import UsageError

SECTIONS = ("interactions", "messages")
SPECIFICATION = "pactSpecificationVersion"


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionContent:
    """One interaction of a content; the digest identifies it from version to version."""

    description: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PactContent:
    """What is published: who, with whom, and the content that is verified. `digest` is that of `body`."""

    consumer: str
    provider: str
    body: bytes
    digest: str
    source: bytes = b""
    """The whole file, for whoever keeps it as it is."""


def digest_of(data: bytes) -> str:
    """For example `sha256:9f86d0...`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def content_of(path: str, data: bytes) -> PactContent:
    """The content of a pact file. Raises UsageError for what is not one."""
    document, pact = read_document(path, data)
    try:
        body = normalised(document)
    except ValueError:  # a number such as 1e400
        raise UsageError(
            f"'{path}' has a number that JSON's readers take for infinite",
            where=path,
            fix="write a number that a double can hold, or a string",
        ) from None
    return PactContent(consumer=pact.consumer, provider=pact.provider, body=body, digest=digest_of(body), source=data)


def normalised(document: dict[str, Json]) -> bytes:
    """The content that matters, as ASCII JSON. Raises ValueError for a number that is not finite."""
    content: dict[str, Json] = {
        section: sorted(map(_without_id, entries), key=_text) for section, entries in _sections(document)
    }
    if not content:
        return _text(document).encode("ascii")
    version = _specification(document.get("metadata"))
    if version is not None:
        content[SPECIFICATION] = version
    return _text(content).encode("ascii")


def interactions_of(body: bytes) -> Iterator[InteractionContent]:
    """The interactions of a normalised content."""
    content = json.loads(body)
    for section in SECTIONS:
        for entry in content.get(section, ()):
            description = entry.get("description") if isinstance(entry, dict) else None
            yield InteractionContent(description=str(description or ""), digest=digest_of(_text(entry).encode("ascii")))


def is_normalised(body: bytes) -> bool:
    """Whether these bytes are what `normalised` writes."""
    if len(body) > MAX_PACT_BYTES:
        return False
    try:
        content = json.loads(body)
        if not isinstance(content, dict):
            return False
        if not dict(_sections(content)):
            # Where nothing else counts the whole document does; once, the version of the specification was kept alone.
            is_pact = {"consumer", "provider"} <= content.keys() or content.keys() <= {SPECIFICATION}
            return is_pact and normalised(content) == body
        if not content.keys() <= {*SECTIONS, SPECIFICATION}:
            return False
        metadata: dict[str, Json] = (
            {"metadata": {SPECIFICATION: content[SPECIFICATION]}} if SPECIFICATION in content else {}
        )
        return normalised(content | metadata) == body
    except (ValueError, RecursionError):
        return False


def _sections(document: dict[str, Json]) -> Iterator[tuple[str, list[Json]]]:
    for section in SECTIONS:
        entries = document.get(section)
        if isinstance(entries, list):
            yield section, entries


def _without_id(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key != "_id"} if isinstance(entry, dict) else entry


def _specification(metadata: Json) -> Json:
    """The version of the specification; libraries have written it in three places."""
    if not isinstance(metadata, dict):
        return None
    for key in ("pactSpecification", "pact-specification"):
        entry = metadata.get(key)
        if isinstance(entry, dict) and entry.get("version"):
            return entry["version"]
    return metadata.get(SPECIFICATION)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
