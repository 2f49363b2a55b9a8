"""The HTTP requests that an interaction allows, and the answers that it allows to them. Pure, always in order."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from counterfoil.allowance import paths
from counterfoil.allowance.exchanges import NO_BODY, Exchange, body_of, exchanges
from counterfoil.allowance.payloads import SHOWN_CHARS, lattice
from counterfoil.allowance.states import Derived, derive
from counterfoil.allowance.texts import (
    HEADER,
    NEVER_VARIED,
    PATH,
    QUERY,
    Text,
    allowed_texts,
    extra_header,
    header_objection,
    text_rules,
)
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, Json
from counterfoil.probe.payloads import VALUE

MAX_REQUESTS: Final = 300
"""Requests of one interaction that are tried: presence states first, then values, then pairs."""
OF_CONNECTION: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
"""Headers that whoever sends writes anew."""
DEFAULT_STATUS: Final = 200
SAFE_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"
STATUS_CLASSES: Final[Mapping[str, range]] = {
    "info": range(100, 200),
    "success": range(200, 300),
    "redirect": range(300, 400),
    "clientError": range(400, 500),
    "serverError": range(500, 600),
    "nonError": range(100, 400),
    "error": range(400, 600),
}
"""What the matcher `statusCode` knows by a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it is sent. `query` and `headers` are pairs of a name and a text, in order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def target(self) -> str:
        """The path with the query, percent-encoded."""
        path = quote(self.path, safe=SAFE_IN_PATH)
        return f"{path}?{urlencode(self.query)}" if self.query else path

    @property
    def lines(self) -> tuple[str, ...]:
        """As a reader is shown it."""
        body = (self.body.decode("utf-8", "replace")[:SHOWN_CHARS],) if self.body is not None else ()
        return (
            f"{self.method} {self.target}"[:SHOWN_CHARS],
            *(f"{name}: {value}"[:SHOWN_CHARS] for name, value in self.headers),
            *body,
        )


@dataclass(frozen=True, slots=True)
class AllowedRequest:
    """A request that the contract allows, and in what it differs from the example; without items it is the example."""

    request: HttpRequest
    items: tuple[Derived, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """As a reader is shown it."""
        return self.request.lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The requests of one interaction. `undecided` has the places of which it is not known what they allow."""

    example: AllowedRequest
    others: tuple[AllowedRequest, ...]
    places: tuple[Derived, ...]
    """The places of the example, in the state that each has there."""
    undecided: tuple[Derived, ...] = ()
    left_out: int = 0
    """Requests beyond the bound."""


def allowance_of(interaction: Interaction) -> Allowance:
    """Every request that an HTTP interaction allows, up to the bound. Raises UndecidedError without an example."""
    part = dict(interaction.parts).get("request", {})
    example = example_of_request(part)
    texts = [item for text in _texts(part, example) for item in allowed_texts(text)]
    found = [AllowedRequest(_with_text(example, item), (item,)) for item in (*texts, extra_header())]
    body = next((one for one in exchanges(interaction) if one.part == "request"), None)
    places = [item for item in texts if item.is_the_example]
    undecided: list[Derived] = []
    if isinstance(body, Exchange):
        derivation = derive(body)
        found += [
            AllowedRequest(replace(example, body=_json(allowed.document)), allowed.items)
            for allowed in lattice(derivation)
            if allowed.items
        ]
        places += [item for item in derivation.having(allowed=True) if item.is_the_example]
        undecided = list(derivation.having(allowed=None))
    others = sorted((one for one in found if not all(item.is_the_example for item in one.items)), key=_urgency)
    return Allowance(
        example=AllowedRequest(example),
        others=tuple(others[:MAX_REQUESTS]),
        places=tuple(places),
        undecided=tuple(undecided),
        left_out=sum(len(one.items) == 1 for one in others[MAX_REQUESTS:]),
    )


def _urgency(allowed: AllowedRequest) -> int:
    """Presence states first, then values, then pairs."""
    if len(allowed.items) > 1:
        return 2
    return int(any(item.state == VALUE for item in allowed.items))


def example_of_request(part: Mapping[str, Json]) -> HttpRequest:
    """The example itself. Raises UndecidedError for a body that cannot be sent."""
    headers = part.get("headers")
    return HttpRequest(
        method=str(part.get("method") or "GET").upper(),
        path=str(part.get("path") or "/"),
        query=tuple(_query(part.get("query"))),
        headers=tuple(_headers(headers if isinstance(headers, dict) else {}, part)),
        body=_body(part),
    )


def _query(query: Json) -> Iterator[tuple[str, str]]:
    """V2 writes a query as it stands in a URL, V3 and V4 a list of values for each name."""
    if isinstance(query, str):
        yield from parse_qsl(query, keep_blank_values=True)
    for name, values in query.items() if isinstance(query, dict) else ():
        for value in values if isinstance(values, list) else [values]:
            yield name, value if isinstance(value, str) else ""


def _headers(headers: Mapping[str, Json], part: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() not in OF_CONNECTION:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    _, declared = body_of(part)
    if declared and not any(name.lower() == "content-type" for name in headers):
        yield "Content-Type", declared


def _body(part: Mapping[str, Json]) -> bytes | None:
    content, declared = body_of(part)
    wrapped = part.get("body")
    encoded = wrapped.get("encoded") if isinstance(wrapped, dict) and content is not wrapped else None
    if content is NO_BODY or content is None or content == "":
        return None
    if isinstance(content, str) and encoded not in (None, False, "JSON", "json"):
        try:
            return base64.b64decode(content, validate=True)
        except binascii.Error:
            raise UndecidedError(f"its body is encoded as '{encoded}', which is not read") from None
    if isinstance(content, str) and not (declared or "application/json").lower().startswith("application/json"):
        return content.encode("utf-8", "surrogatepass")
    return _json(content)


def _json(document: Json) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _texts(part: dict[str, Json], example: HttpRequest) -> Iterator[Text]:
    """Every text of a request beside its body, with the rules that hold for it."""
    yield Text((PATH,), example.path, text_rules(part, PATH))
    counts: dict[str, int] = {}
    for name, value in example.query:
        index = counts[name] = counts.get(name, -1) + 1
        yield Text((QUERY, name, str(index)), value, text_rules(part, QUERY, name))
    for name, value in example.headers:
        if name.lower() not in NEVER_VARIED:
            yield Text((HEADER, name), value, text_rules(part, HEADER, name))


def _with_text(example: HttpRequest, item: Derived) -> HttpRequest:
    """The example with another text in a place."""
    (where, *names), value = item.edit.place, str(item.edit.value)
    if where == PATH:
        return replace(example, path=value)
    if where == HEADER:
        kept = tuple(pair for pair in example.headers if pair[0] != names[0])
        return replace(example, headers=(*kept, (names[0], value)))
    name, index = names
    at = [position for position, (one, _) in enumerate(example.query) if one == name][int(index)]
    return replace(example, query=(*example.query[:at], (name, value), *example.query[at + 1 :]))


# --- answers ----------------------------------------------------------------------------------------------------------


def objection(
    interaction: Interaction, status: int, body: bytes, headers: Sequence[tuple[str, str]] | None = None
) -> str:
    """What an answer has that the contract does not allow, such as "answers 400, where the contract says 200", or "".

    A body of which it is not known what the contract allows is not objected to: its reader is told so. Headers that are
    None are not looked at. Raises UndecidedError where it is not known which status or headers are allowed.
    """
    part = dict(interaction.parts).get("response", {})
    if not _is_expected(part, status):
        return f"answers {status}, where the contract says {part.get('status', DEFAULT_STATUS)}"
    amiss = _header_objection(part, headers) if headers is not None else ""
    if amiss:
        return f"answers {status} {amiss}"
    expected = next((one for one in exchanges(interaction) if one.part == "response"), None)
    if not isinstance(expected, Exchange):
        return ""
    try:
        refusal = next(expected.matching.refusals(expected.example, json.loads(body)), None)
    except UndecidedError:
        return ""
    except (ValueError, RecursionError):
        return f"answers {status} with a body that is not JSON"
    return f"answers {status} with another {paths.shown(refusal.place)} than the contract allows" if refusal else ""


def _header_objection(part: dict[str, Json], headers: Sequence[tuple[str, str]]) -> str:
    expected = part.get("headers")
    for name, value in _headers(expected if isinstance(expected, dict) else {}, {}):
        came = [one for key, one in headers if key.lower() == name.lower()]
        if amiss := header_objection(part, name, value, came):
            return amiss
    return ""


def _is_expected(part: Mapping[str, Json], status: int) -> bool:
    """Whether a status is the one of the contract, or one of those that its rules name. Raises UndecidedError."""
    rules = part.get("matchingRules")
    entry = rules.get("status") if isinstance(rules, dict) else None
    matchers = entry.get("matchers") if isinstance(entry, dict) else None
    if not matchers:
        return status == part.get("status", DEFAULT_STATUS)
    if not isinstance(matchers, list):
        raise UndecidedError("the rules of its status are no list")
    return all(_is_of_class(one, status) for one in matchers)


def _is_of_class(matcher: Json, status: int) -> bool:
    named = matcher.get("status") if isinstance(matcher, dict) else None
    if isinstance(named, str) and named in STATUS_CLASSES:
        return status in STATUS_CLASSES[named]
    if isinstance(named, Sequence) and not isinstance(named, str):
        return status in named
    raise UndecidedError("the rule of its status is not modelled")
