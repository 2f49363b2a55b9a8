"""Which body of which interaction is read by which decoder: what the null lane judges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from counterfoil.allowance.exchanges import Exchange, Sender, Underived, exchanges, reader_of
from counterfoil.core.pacts import Interaction, InteractionKind, Pact
from counterfoil.core.workspace import Decoder, Settings
from counterfoil.model import Case, Lane

REFERENCE_GROUP = "counterfoil"
DECODER, STUB = "decoder", "stub"
"""The names by which the comments of an interaction refer to the decoder of its consumer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReading:
    """One body to be read, as a case. `link`: None where nothing says how its reader decodes it."""

    case: Case
    pact: Pact
    interaction: Interaction
    body: Exchange | Underived
    reader: str
    link: Decoder | None

    @property
    def stub(self) -> str | None:
        """The stub that is to read it; None where none is named, or there is nothing to read."""
        return self.link.stub if self.link and not isinstance(self.body, Underived) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """One HTTP interaction, as a case: every request that it allows is to be sent to the running provider."""

    case: Case
    pact: Pact
    interaction: Interaction


def plan_trials(settings: Settings, pacts: Iterable[Pact], *, always: bool = False) -> Iterator[PlannedTrial]:
    """Every HTTP interaction, once any participant says how it reads; or `always`."""
    for pact, interaction in _asked_for(settings, pacts, always=always):
        if interaction.kind is InteractionKind.HTTP:
            case = _case(pact, interaction, "answer")
            yield PlannedTrial(case=case, pact=pact, interaction=interaction)


def is_asked_for(settings: Settings, pacts: Iterable[Pact]) -> bool:
    """Whether any participant or pact says how bodies are read, so that what the contracts allow is to be judged."""
    return any(participant.decoders for participant in settings.participants.values()) or any(
        DECODER in _references(interaction) for pact in pacts for interaction in pact.interactions
    )


def plan_readings(settings: Settings, pacts: Iterable[Pact], *, always: bool = False) -> Iterator[PlannedReading]:
    """Every body that somebody has to read, once any participant says how it reads; or `always`.

    The request of an HTTP interaction is read where its reader says how it decodes it: in any case it is a trial of the
    running provider.
    """
    for pact, interaction in _asked_for(settings, pacts, always=always):
        for body in exchanges(interaction):
            reader = reader_of(pact, body.sender)
            link = link_of(settings, pact, interaction, body)
            if link or not (interaction.kind is InteractionKind.HTTP and body.sender is Sender.CONSUMER):
                case = _case(pact, interaction, body.part if body.index == 0 else f"{body.part} {body.index + 1}")
                yield PlannedReading(case=case, pact=pact, interaction=interaction, body=body, reader=reader, link=link)


def _asked_for(settings: Settings, pacts: Iterable[Pact], *, always: bool) -> Iterator[tuple[Pact, Interaction]]:
    pacts = tuple(pacts)
    if always or is_asked_for(settings, pacts):
        yield from ((pact, interaction) for pact in pacts for interaction in pact.interactions)


def _case(pact: Pact, interaction: Interaction, part: str) -> Case:
    participants = (pact.consumer, pact.provider)
    return Case(
        lane=Lane.NULLS, subject=pact.pair, name=f"{interaction.description} ({part})", participants=participants
    )


def link_of(settings: Settings, pact: Pact, interaction: Interaction, body: Exchange | Underived) -> Decoder | None:
    """The first entry of the reader's `decoders` that fits; else what the consumer wrote into its pact."""
    reader = settings.participants.get(reader_of(pact, body.sender))
    sender = pact.consumer if body.sender is Sender.CONSUMER else pact.provider
    for one in reader.decoders if reader else ():
        of_part = one.part in {None, body.part}
        described = any(fnmatchcase(interaction.description, pattern) for pattern in one.interactions)
        if one.sender == sender and of_part and described:
            return one
    return _of_comments(settings, pact, interaction) if body.sender is Sender.PROVIDER else None


def _of_comments(settings: Settings, pact: Pact, interaction: Interaction) -> Decoder | None:
    """The decoder that the comments of an interaction refer to; without a stub that is known there is none."""
    references = _references(interaction)
    consumer = settings.participants.get(pact.consumer)
    stub = references.get(STUB, consumer.stub if consumer else None)
    if DECODER not in references or stub not in settings.stubs:
        return None
    return Decoder(sender=pact.provider, message=references[DECODER], stub=stub)


def _references(interaction: Interaction) -> dict[str, str]:
    """As pact-js (`reference`) and pact-python (`add_external_reference`) write them into comments."""
    found = interaction.comments
    for key in ("references", REFERENCE_GROUP):
        found = found.get(key) if isinstance(found, dict) else None
    return {name: one for name, one in found.items() if isinstance(one, str)} if isinstance(found, dict) else {}
