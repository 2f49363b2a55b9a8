"""The bodies of an interaction as what they allow: an example, its matching rules, and who sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from counterfoil.allowance.json_values import type_of
from counterfoil.allowance.matchers import parse_rules
from counterfoil.allowance.matching import Matching
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, InteractionKind, Json, Pact

JSON_TYPE: Final = re.compile(r"application/([\w.\-]+\+)?(json|json-rpc|jsonrequest)", re.IGNORECASE)
WRAPPED: Final = {"content", "contentType", "contentTypeHint", "encoded"}
"""The keys of a V4 body or message content."""
CONTENT_TYPES: Final = {"content-type", "contenttype"}


class Sender(StrEnum):
    """Which side of the pact sends a body; the other one reads it."""

    CONSUMER = "consumer"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One JSON body of an interaction. `part` is request, response or message; `index` counts responses.

    `loose_metadata`: the entries of a message's metadata that may be sent otherwise than in the example.
    """

    part: str
    index: int
    sender: Sender
    example: Json
    matching: Matching
    loose_metadata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Underived:
    """A body about which nothing is claimed, with the reason in a few words."""

    part: str
    index: int
    sender: Sender
    reason: str


def reader_of(pact: Pact, sender: Sender) -> str:
    """The participant that has to read what the sender sends."""
    return pact.consumer if sender is Sender.PROVIDER else pact.provider


def exchanges(interaction: Interaction) -> Iterator[Exchange | Underived]:
    """Every body that an interaction exchanges; a part without a body has none."""
    seen: dict[str, int] = {}
    for part_name, part in interaction.parts:
        index = seen[part_name] = seen.get(part_name, -1) + 1
        sender = Sender.CONSUMER if part_name == "request" else Sender.PROVIDER
        strict = part_name == "request" and interaction.kind is InteractionKind.HTTP
        try:
            example = example_of(part)
            if example is NO_BODY:
                continue
            matching = Matching(parse_rules(body_rules(part)), extra_keys_allowed=not strict)
        except UndecidedError as why:
            yield Underived(part=part_name, index=index, sender=sender, reason=str(why))
        else:
            yield Exchange(
                part=part_name,
                index=index,
                sender=sender,
                example=example,
                matching=matching,
                loose_metadata=loose_metadata(part),
            )


NO_BODY: Final[Json] = "\0no body"
"""The sentinel of a part that expects no body, or says nothing of one."""


def body_of(part: Mapping[str, Json]) -> tuple[Json, str | None]:
    """The body as it stands in a pact, and its content type: V4 wraps the two. NO_BODY where nothing is said of one."""
    body = part.get("body", part.get("contents", NO_BODY))
    declared = _content_type(part)
    if isinstance(body, dict) and "content" in body and set(body) <= WRAPPED:
        wrapped_type = body.get("contentType")
        return body["content"], wrapped_type if isinstance(wrapped_type, str) else declared
    return body, declared


def example_of(part: dict[str, Json]) -> Json:
    """The example body, or NO_BODY. Raises UndecidedError for what is not JSON, which this model does not cover."""
    wrapped = part.get("body", part.get("contents"))
    body, declared = body_of(part)
    if (
        isinstance(wrapped, dict)
        and body is not wrapped
        and wrapped.get("encoded") not in (None, False, "JSON", "json")
    ):
        raise UndecidedError("the body is encoded, not JSON")
    if body is NO_BODY or body is None or body == "":
        return NO_BODY
    if declared is not None and not JSON_TYPE.fullmatch(declared.split(";")[0].strip()):
        raise UndecidedError(f"the body is {declared}, not JSON")
    if not isinstance(body, dict | list):
        raise UndecidedError(f"the body is a single value ({type_of(body)}), not an object or an array")
    return body


def _content_type(part: Mapping[str, Json]) -> str | None:
    for section in ("headers", "metadata", "metaData"):
        entries = part.get(section)
        for name, value in entries.items() if isinstance(entries, dict) else ():
            if name.casefold() in CONTENT_TYPES:
                first = value[0] if isinstance(value, list) and value else value
                return first if isinstance(first, str) else None
    return None


def loose_metadata(part: Mapping[str, Json]) -> tuple[str, ...]:
    """Entries of metadata with a matching rule, the body's type aside; those without one are as in the example."""
    rules = part.get("matchingRules")
    of_metadata = rules.get("metadata", rules.get("metaData")) if isinstance(rules, dict) else None
    names = of_metadata if isinstance(of_metadata, dict) else {}
    plain = [name.removeprefix("$.") for name in names]
    return tuple(sorted(name for name in plain if name.casefold() not in CONTENT_TYPES))


def body_rules(part: dict[str, Json]) -> dict[str, Json]:
    """The rules of the body by path: V3 and V4 group them under `body` (or `content`), V2 writes `$.body...` keys."""
    rules = part.get("matchingRules")
    if not isinstance(rules, dict):
        return {}
    if any(key.startswith("$") for key in rules):
        return {"$" + key.removeprefix("$.body"): rule for key, rule in rules.items() if _is_of_body(key)}
    grouped: dict[str, Json] = {}
    for category in ("body", "content"):
        of_category = rules.get(category)
        if isinstance(of_category, dict):
            grouped |= {"": of_category} if "matchers" in of_category else of_category
    return grouped


def _is_of_body(key: str) -> bool:
    if key.startswith("$['body']"):
        raise UndecidedError(f"the reference matcher takes '{key}' for something else than the body")
    return key == "$.body" or key.startswith(("$.body.", "$.body["))
