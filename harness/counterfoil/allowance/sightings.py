"""In which presence states a provider did send the fields of what it answers and emits. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from counterfoil.allowance import paths
from counterfoil.allowance.edits import state_of
from counterfoil.allowance.exchanges import Exchange, exchanges
from counterfoil.allowance.reading import SENT
from counterfoil.allowance.requests import example_of_request, objection
from counterfoil.allowance.states import left_out, places
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.pacts import Interaction, InteractionKind, Json, Pact
from counterfoil.model import StateSeen
from counterfoil.probe.payloads import ABSENT

REQUEST, RESPONSE, MESSAGE = "request", "response", "message"


def of_answer(
    pact: Pact, interaction: Interaction, method: str, path: str, status: int, body: str
) -> Iterator[StateSeen]:
    """The states of the fields of an answer that is one to the request of an interaction, as the contract says."""
    if interaction.kind is not InteractionKind.HTTP:
        return
    try:
        request = example_of_request(dict(interaction.parts).get("request", {}))
        if (request.method, request.path) != (method, path) or objection(interaction, status, body.encode()):
            return
        yield from sent(pact, RESPONSE, json.loads(body), examples_like(pact, interaction, RESPONSE))
    except (UndecidedError, ValueError, RecursionError):
        return


def of_message(pact: Pact, interaction: Interaction, body: str) -> Iterator[StateSeen]:
    """The states of the fields of a message that is as an interaction says."""
    for expected in exchanges(interaction):
        if isinstance(expected, Exchange) and expected.part == MESSAGE:
            try:
                document = json.loads(body)
                if any(expected.matching.refusals(expected.example, document)):
                    return
            except (UndecidedError, ValueError, RecursionError):
                return
            akin = [one for one in examples_like(pact, interaction, MESSAGE) if _are_akin(document, one)]
            yield from sent(pact, MESSAGE, document, akin)


def sent(pact: Pact, part: str, document: Json, others: Iterable[Json]) -> Iterator[StateSeen]:
    """The state of each field of what was sent, and of those that it lacks and other examples of its kind have."""
    states = [(paths.shown(place, generalised=True), state_of(value)) for place, value in places(document)]
    for path, state in dict.fromkeys([*states, *((path, ABSENT) for path in left_out(document, others))]):
        yield StateSeen(contract=pact.pair, field=f"{part} {path}", participant=pact.provider, state=state, result=SENT)


def absent_in_requests(pact: Pact, interaction: Interaction) -> list[str]:
    """Keys that the request of an interaction lacks, and others to the same endpoint have."""
    others = examples_like(pact, interaction, REQUEST)
    return [path for body in bodies(interaction, REQUEST) for path in left_out(body, others)]


def examples_like(pact: Pact, interaction: Interaction, part: str) -> list[Json]:
    """The examples of all bodies of a pact that are of the kind of an interaction's."""
    kind = _kind_of(interaction, part)
    return [one for other in pact.interactions if _kind_of(other, part) == kind for one in bodies(other, part)]


def bodies(interaction: Interaction, part: str) -> list[Json]:
    """The examples of a part's bodies."""
    return [one.example for one in exchanges(interaction) if isinstance(one, Exchange) and one.part == part]


def _kind_of(interaction: Interaction, part: str) -> tuple[str, ...]:
    """Bodies of one kind are alike: requests to one endpoint of a pact, and answers to them with one status."""
    parts = dict(interaction.parts)
    request, response = parts.get("request", {}), parts.get("response", {})
    status = str(response.get("status")) if part == RESPONSE else ""
    return part, str(request.get("method")), str(request.get("path")), status


def _are_akin(one: Json, other: Json) -> bool:
    """Whether two messages seem to be of one type, which no pact tells: they share most of their keys."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return len(one.keys() & other.keys()) * 2 > len(one.keys() | other.keys())
