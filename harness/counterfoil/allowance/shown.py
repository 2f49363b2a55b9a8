"""Which presence states that a schema allows the interactions of a pact show, and which never. Pure.

Pact has no optional matcher: that a field can be absent or null is only tested by an interaction in which it is. The
schema knows of more: a field of protobuf with explicit presence may be unset in any message. `described` is the same
for JSON Schema and OpenAPI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from counterfoil.allowance.declared import is_map
from counterfoil.allowance.edits import Edit, apply, state_of
from counterfoil.allowance.exchanges import Exchange, exchanges
from counterfoil.allowance.links import link_of
from counterfoil.allowance.paths import Steps, shown
from counterfoil.core.pacts import Interaction, Json, Pact
from counterfoil.core.workspace import Settings
from counterfoil.model import CaseResult, Finding, Output, StateSeen
from counterfoil.probe.payloads import ABSENT, NULL

MAX_DEPTH = 32
NOT_SHOWN = "STATE_NOT_SHOWN"
PARTS = ("response", "message")
"""What providers send."""
OF_A_STATE = ": "
"""After the path, where a subject names a state as well."""
WRAPPERS = "google/protobuf/wrappers.proto"
WELL_KNOWN = "google.protobuf."


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverShown:
    """A field that the schema lets be unset, and that no interaction shows so, though some show it with a value.

    `grounds` are the schema's, in words; `example` is the body of `interaction` with the field in that state.
    """

    subject: str
    """What of the pact it is about."""
    grounds: str
    field: str
    state: str
    interaction: Interaction
    example: Json


def never_shown(settings: Settings, pact: Pact, message: Descriptor) -> Iterator[NeverShown]:
    """The fields of a message that no interaction of the pact shows absent or null, though it shows them."""
    states: dict[str, set[str]] = {}
    first: dict[str, tuple[str, Interaction, Exchange, Steps]] = {}
    for interaction, body in _bodies(settings, pact, message.full_name):
        for field, place, state in _fields(message, body.example, ()):
            path = shown(place, generalised=True)
            states.setdefault(path, set()).add(state)
            if state not in {ABSENT, NULL}:
                first.setdefault(path, (field.full_name, interaction, body, place))
    for path, (name, interaction, body, place) in first.items():
        if not states[path] & {ABSENT, NULL}:
            example = apply(body.example, Edit(place, None))
            yield NeverShown(
                subject=path,
                grounds=f"{name} may be unset",
                field=path.rpartition(".")[2],
                state=NULL,
                interaction=interaction,
                example=example,
            )


def _bodies(settings: Settings, pact: Pact, message: str) -> Iterator[tuple[Interaction, Exchange]]:
    """What is read by the decoder of a message, in every interaction."""
    for interaction in pact.interactions:
        for body in exchanges(interaction):
            link = link_of(settings, pact, interaction, body)
            if isinstance(body, Exchange) and link and link.message == message:
                yield interaction, body


def _fields(message: Descriptor, value: Json, place: Steps) -> Iterator[tuple[FieldDescriptor, Steps, str]]:
    """Every field that may be unset, with its state in this value; and those of the messages in it."""
    if not isinstance(value, dict) or message.full_name.startswith(WELL_KNOWN) or len(place) > MAX_DEPTH:
        return
    for field in message.fields:
        key = field.json_name if field.json_name in value or field.name not in value else field.name
        here = (*place, key)
        if _is_nullable(field):
            yield field, here, state_of(value[key]) if key in value else ABSENT
        elif field.message_type is not None and key in value:
            for at, element in _elements(field, value[key], here):
                yield from _fields(field.message_type, element, at)


def _is_nullable(field: FieldDescriptor) -> bool:
    """A single value with explicit presence, plain or in a wrapper; messages, oneofs and extensions apart."""
    in_oneof = field.containing_oneof is not None and len(field.containing_oneof.fields) > 1
    is_value = field.message_type is None or field.message_type.file.name == WRAPPERS
    return bool(field.has_presence) and is_value and not in_oneof and not field.is_required


def _elements(field: FieldDescriptor, value: Json, place: Steps) -> Iterable[tuple[Steps, Json]]:
    if field.is_repeated and not is_map(field) and isinstance(value, list):
        return [((*place, str(index)), element) for index, element in enumerate(value)]
    return [] if field.is_repeated else [(place, value)]


def with_sightings(result: CaseResult, seen: Iterable[StateSeen]) -> CaseResult:
    """The result, its findings of states that are not shown with what the provider did send in other contracts."""
    by_field: dict[tuple[str, str], list[str]] = {}
    for one in seen:
        if one.state in {ABSENT, NULL}:
            path = one.field.partition(" ")[2]
            words = f"{one.participant} did send {path} {one.state} in {one.contract}"
            by_field.setdefault((one.participant, one.field), []).append(words)

    def told(found: Finding) -> Finding:
        pair, _, subject = found.subject.partition("::")
        provider, path = pair.rpartition("→")[2], subject.partition(OF_A_STATE)[0]
        words = [one for part in PARTS for one in by_field.get((provider, f"{part} {path}"), ())]
        if found.rule != NOT_SHOWN or not words:
            return found
        lines = tuple(dict.fromkeys(words))
        return replace(found, evidence=(Output(label="seen", lines=lines), *found.evidence))

    return replace(result, findings=tuple(map(told, result.findings)))


def is_not_shown(result: CaseResult) -> bool:
    """Whether any state is not shown, of which a provider's answers may tell more."""
    return any(found.rule == NOT_SHOWN for found in result.findings)
