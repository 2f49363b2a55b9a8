"""Which presence states that OpenAPI or JSON Schema allows the interactions of a pact show, and which never. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from counterfoil.allowance.edits import REMOVED, Edit, apply
from counterfoil.allowance.exchanges import Exchange, body_of, exchanges
from counterfoil.allowance.json_schema import Described, NotFollowed, places_of, resolve
from counterfoil.allowance.links import link_of
from counterfoil.allowance.openapi import DescribedResponse, is_openapi, response_of
from counterfoil.allowance.paths import Steps, shown
from counterfoil.allowance.requests import DEFAULT_STATUS, example_of_request
from counterfoil.allowance.shown import OF_A_STATE, PARTS, NeverShown
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, InteractionKind, Json, Pact
from counterfoil.core.workspace import SentSchema, Settings
from counterfoil.probe.payloads import ABSENT, NULL


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDescribed:
    """What a document that a provider names does not say of the body of an interaction, and why."""

    file: str
    interaction: Interaction
    place: str
    reason: str


@dataclass(slots=True)
class _Sightings:
    """Of one place: which states its schema allows, which the interactions show, and the first with a value there."""

    may_be: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    first: tuple[Interaction, Exchange, Steps] | None = None


def never_shown_of(
    settings: Settings, pact: Pact, documents: Mapping[str, Json]
) -> Iterator[NeverShown | NotDescribed]:
    """What no interaction of a pact shows absent, or null, though a document of its provider allows it.

    `documents` are those that could be read, by file.
    """
    seen: dict[tuple[str, str, str], _Sightings] = {}
    untold: dict[tuple[str, str, str], NotDescribed] = {}
    for entry, interaction, body in _bodies(settings, pact, documents):
        document = documents[entry.file]
        try:
            response = _described(entry, document, interaction)
        except UndecidedError as why:
            yield NotDescribed(file=entry.file, interaction=interaction, place="$", reason=str(why))
            continue
        for one in places_of(document, response.schema, body.example):
            key = (entry.file, response.name, shown(one.place, generalised=True))
            if isinstance(one, NotFollowed):
                told = NotDescribed(file=entry.file, interaction=interaction, place=key[2], reason=one.reason)
                untold.setdefault(key, told)
            else:
                _note(seen.setdefault(key, _Sightings()), one, interaction, body)
    yield from untold.values()
    for (file, name, path), sightings in seen.items():
        yield from _missing(file, name, path, sightings)


def _bodies(
    settings: Settings, pact: Pact, documents: Mapping[str, Json]
) -> Iterator[tuple[SentSchema, Interaction, Exchange]]:
    """What the provider sends and the consumer reads, with the first entry that describes it, if it can be read."""
    provider = settings.participants.get(pact.provider)
    for interaction in pact.interactions if provider and provider.schemas else ():
        entry = _entry(provider.schemas if provider else (), interaction, documents)
        for body in exchanges(interaction):
            link = link_of(settings, pact, interaction, body)
            is_looked_at = link is None or link.message is not None
            if isinstance(body, Exchange) and body.part in PARTS and is_looked_at and entry and entry.file in documents:
                yield entry, interaction, body


def _entry(entries: Iterable[SentSchema], interaction: Interaction, documents: Mapping[str, Json]) -> SentSchema | None:
    is_http = interaction.kind is InteractionKind.HTTP
    for one in entries:
        described = any(fnmatchcase(interaction.description, pattern) for pattern in one.interactions)
        if described and (is_http or not is_openapi(documents.get(one.file))):
            return one
    return None


def _described(entry: SentSchema, document: Json, interaction: Interaction) -> DescribedResponse:
    """The schema of a body, and its name for a reader. Raises UndecidedError."""
    if not is_openapi(document):
        return DescribedResponse(name=f"{entry.file}{entry.at.removeprefix('#')}", schema=resolve(document, entry.at))
    parts = dict(interaction.parts)
    response = parts.get("response", {})
    request = example_of_request({key: one for key, one in parts.get("request", {}).items() if key != "body"})
    status = response.get("status", DEFAULT_STATUS)
    if not isinstance(status, int):
        raise UndecidedError("the interaction has no status")
    _, content_type = body_of(response)
    return response_of(document, request.method.upper(), request.path, status, content_type)


def _note(sightings: _Sightings, one: Described, interaction: Interaction, body: Exchange) -> None:
    sightings.may_be |= one.may_be
    sightings.states.add(one.state)
    if sightings.first is None and one.state not in {ABSENT, NULL}:
        sightings.first = (interaction, body, one.place)


def _missing(file: str, name: str, path: str, sightings: _Sightings) -> Iterator[NeverShown]:
    if sightings.first is None:
        return
    interaction, body, place = sightings.first
    for state in (ABSENT, NULL):
        if state in sightings.may_be - sightings.states:
            yield NeverShown(
                subject=f"{path}{OF_A_STATE}{state} in {name}",
                grounds=f"{file} lets `{path}` be {state} in {name}",
                field=place[-1] if not path.endswith("[*]") else path,
                state=state,
                interaction=interaction,
                example=apply(body.example, Edit(place, REMOVED if state == ABSENT else None)),
            )
