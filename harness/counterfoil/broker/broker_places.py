"""Telling a Pact Broker what is live where: its environments, deployments and releases, by the links that it gives."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

import msgspec

from counterfoil.broker.broker_address import URL, BrokerAddress
from counterfoil.broker.broker_client import BrokerClient
from counterfoil.core.command_lines import command_line
from counterfoil.errors import UsageError, nearest
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger.entries import Environment
from counterfoil.ledger.presences import Slot

RECORD_DEPLOYMENT, RECORD_RELEASE = "pb:record-deployment", "pb:record-release"
DEPLOYED, SUPPORTED = "pb:currently-deployed-deployed-versions", "pb:currently-supported-released-versions"


class BrokerPlaces:
    """What is live where, at one Broker. Every method raises UsageError for what the Broker or the user can cause."""

    def __init__(self, address: BrokerAddress) -> None:
        self._client = BrokerClient(address)

    def create_environment(self, made: Environment) -> None:
        """Create an environment, unless there is one of that name."""
        if made.name not in {one.name for one in self._environments()}:
            body = {"name": made.name, "displayName": made.display_name, "production": made.production}
            self._client.send("POST", "environments", body)

    def deploy(self, slot: Slot, number: str) -> None:
        """A version takes the slot."""
        body = {} if slot.instance is None else {"applicationInstance": slot.instance}
        self._record(RECORD_DEPLOYMENT, slot, number, body)

    def release(self, slot: Slot, number: str) -> None:
        """A version is supported from now on."""
        self._record(RECORD_RELEASE, slot, number, {})

    def undeploy(self, slot: Slot) -> None:
        """Empty the slot, if anything is there."""
        for one in self._live(DEPLOYED, slot, {"pacticipant": slot.participant}).deployed_versions:
            if one.application_instance == slot.instance and one.is_of(VersionRef(slot.participant, "")):
                self._client.send("PATCH", one.href("self"), {"currentlyDeployed": False})

    def end_support(self, slot: Slot, number: str) -> None:
        """A released version is supported no longer."""
        wanted = {"pacticipant": slot.participant, "version": number}
        for one in self._live(SUPPORTED, slot, wanted).released_versions:
            if one.is_of(VersionRef(slot.participant, number)):
                self._client.send("PATCH", one.href("self"), {"currentlySupported": False})

    def _record(self, relation: str, slot: Slot, number: str, body: dict[str, str]) -> None:
        """Follow the link that the version has for this environment."""
        path = f"pacticipants/{quote(slot.participant, safe='')}/versions/{quote(number, safe='')}"
        links = self._client.read(path, _Linked).linked(relation)
        link = next((one for one in links if one.name == slot.environment), None)
        if link is None:
            raise self._no_environment(slot.environment, (one.name for one in links))
        self._client.send("POST", link.href, body)

    def _live(self, relation: str, slot: Slot, wanted: dict[str, str]) -> _Live:
        environments = {one.name: one for one in self._environments()}
        if slot.environment not in environments:
            raise self._no_environment(slot.environment, environments)
        details = self._client.read(environments[slot.environment].href("self"), _Linked)
        found = self._client.read(f"{details.href(relation)}?{urlencode(wanted)}", _Found)
        return found.embedded

    def _environments(self) -> list[_Environment]:
        return self._client.read("environments", _Environments).embedded.environments

    def _no_environment(self, name: str, known: Iterable[str]) -> UsageError:
        return UsageError(
            f"the Pact Broker at {self._client.shown} knows no environment '{name}'",
            where="--environment",
            why=nearest(name, known),
            fix=f"create it in both: {command_line('create-environment', '--name', name)}",
        )


class _Link(msgspec.Struct):
    href: str
    name: str = ""


class _Linked(msgspec.Struct):
    """Whatever has links: one for a relation, or several by name."""

    links: dict[str, _Link | list[_Link]] = msgspec.field(name="_links", default_factory=dict)

    def linked(self, relation: str) -> list[_Link]:
        """The links of one relation; none where the Broker gives none."""
        found = self.links.get(relation, [])
        return [found] if isinstance(found, _Link) else found

    def href(self, relation: str) -> str:
        """The one link of a relation."""
        found = self.linked(relation)
        if not found:
            raise UsageError(
                f"the Pact Broker gives no link '{relation}', which recording what is live takes",
                where=URL,
                fix="update the Broker: environments came with its version 2.80",
            )
        return found[0].href


class _Environment(_Linked):
    name: str = ""


class _Named(msgspec.Struct):
    environments: list[_Environment] = []


class _Environments(msgspec.Struct):
    embedded: _Named = msgspec.field(name="_embedded", default_factory=_Named)


class _Number(msgspec.Struct):
    number: str = ""


class _Embedded(msgspec.Struct):
    pacticipant: _Environment = msgspec.field(default_factory=_Environment)
    version: _Number = msgspec.field(default_factory=_Number)


class _Present(_Linked, rename="camel"):
    """A deployment or a release that holds."""

    application_instance: str | None = None
    embedded: _Embedded = msgspec.field(name="_embedded", default_factory=_Embedded)

    def is_of(self, version: VersionRef) -> bool:
        """Whether it is of this version; without a number, of any version of the participant."""
        told = self.embedded.pacticipant.name or version.participant, self.embedded.version.number or version.number
        return told[0] == version.participant and version.number in {"", told[1]}


class _Live(msgspec.Struct, rename="camel"):
    deployed_versions: list[_Present] = []
    released_versions: list[_Present] = []


class _Found(msgspec.Struct):
    embedded: _Live = msgspec.field(name="_embedded", default_factory=_Live)
