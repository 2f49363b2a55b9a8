"""Who is concerned by a change: participants that declare the message, and pacts that mention the field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from counterfoil.compat.carriers import Carriers
from counterfoil.compat.changes import Change
from counterfoil.core.workspace import Workspace

MAX_DEPTH = 100


class Consumers:
    """The participants and pacts of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def involved(self, carriers: Carriers, change: Change) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """`ranker reads`, `storefront writes`; and `storefront→recommender::a description`."""
        return tuple(self._participants(carriers, change)), tuple(self._mentioning(change))

    def _participants(self, carriers: Carriers, change: Change) -> Iterator[str]:
        """Those who declare the element, what it stands in, or anything in which it is sent."""
        if not self._workspace.settings.participants:
            return
        names = {change.symbol, *change.messages, *_scopes(change.symbol), *carriers.sent_by(change.symbol)}
        for one in {change.symbol, change.symbol.rpartition(".")[0], *change.messages}:
            names |= carriers.of(one)
        for name, participant in self._workspace.settings.participants.items():
            for verb, patterns in (("reads", participant.reads), ("writes", participant.writes)):
                if any(fnmatchcase(one, pattern) for one in names for pattern in patterns):
                    yield f"{name} {verb}"

    def _mentioning(self, change: Change) -> Iterator[str]:
        yield from dict.fromkeys(subject for name in change.names for subject in self._mentions.get(name, ()))

    @cached_property
    def _mentions(self) -> Mapping[str, tuple[str, ...]]:
        """The interactions of all pacts by the keys that occur in their bodies."""
        if self._workspace.settings.pacts is None:
            return {}
        from counterfoil.project.pact_files import read_pacts  # noqa: PLC0415  (many workspaces have none)

        found: dict[str, dict[str, None]] = {}
        for pact in read_pacts(self._workspace):
            for interaction in pact.interactions:
                for key in {key for _, part in interaction.parts for key in _keys(part)}:
                    found.setdefault(key, {})[pact.subject(interaction)] = None
        return {key: tuple(subjects) for key, subjects in found.items()}

    def concerns(self, participant: str, participants: Iterable[str], pacts: Iterable[str]) -> bool:
        """Whether a participant is among those who read or write, or a party of one of the pacts."""
        return any(one.rpartition(" ")[0] == participant for one in participants) or any(
            participant in one.partition("::")[0].split("→") for one in pacts
        )


def _scopes(symbol: str) -> Iterator[str]:
    """The messages and services that an element may stand in."""
    while "." in symbol:
        symbol = symbol.rpartition(".")[0]
        yield symbol


def _keys(value: object, depth: int = 0) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _keys(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _keys(one, depth + 1)
