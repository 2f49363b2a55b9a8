"""Where versions are live: recording it, and asking for it.

A deployment takes the slot of (environment, participant, instance) from whatever was there; a release replaces nothing.
Every change is a row, and the last row of a slot says what holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Row, case, func, select

from counterfoil.core.command_lines import command_line
from counterfoil.errors import UsageError, nearest
from counterfoil.gate.facts import PresenceFact, PresenceKind, VersionRef
from counterfoil.ledger import tables
from counterfoil.ledger.recording import Recorder
from counterfoil.ledger.sets import among
from counterfoil.ledger.tables import NO_INSTANCE

NAMES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one version of a participant."""

    participant: str
    environment: str
    instance: str | None = None


def deploy(recorder: Recorder, slot: Slot, number: str) -> bool:
    """Make the version the live one of its slot; whether it was not. Raises UsageError for what does not exist."""
    version, environment = _version(recorder, slot.participant, number), _environment(recorder, slot.environment)
    if any(row.version_id == version for row in _deployed(recorder, slot, environment)):
        return False
    _add(recorder, slot, environment, version, PresenceKind.DEPLOYED, live=True)
    return True


def undeploy(recorder: Recorder, slot: Slot) -> str:
    """Empty the slot; the number of the version that was there. Raises UsageError when it is empty."""
    environment = _environment(recorder, slot.environment)
    for row in _deployed(recorder, slot, environment):
        _add(recorder, slot, environment, row.version_id, PresenceKind.DEPLOYED, live=False)
        return str(row.number)
    instance = f" (instance '{slot.instance}')" if slot.instance else ""
    raise UsageError(
        f"{slot.participant} is not deployed to {slot.environment}{instance}",
        why="each instance is a slot of its own, and so is none",
        fix="name the instance that it was deployed to: --application-instance NAME",
    )


def release(recorder: Recorder, slot: Slot, number: str, *, live: bool) -> bool:
    """Release a version, or end its support; whether that changed something. Raises UsageError."""
    version, environment = _version(recorder, slot.participant, number), _environment(recorder, slot.environment)
    rows = _live(recorder, slot.participant, environment)
    is_live = any(row.kind == PresenceKind.RELEASED and row.version_id == version for row in rows)
    if is_live == live:
        if not live:
            raise UsageError(
                f"{slot.participant} {number} is not released in {slot.environment}",
                fix="name a version that was recorded with 'counterfoil record-release'",
            )
        return False
    _add(recorder, slot, environment, version, PresenceKind.RELEASED, live=live)
    return True


def live_rows(
    connection: Connection, environments: Collection[int], participants: Collection[int]
) -> list[Row[int, int, str, str, int, str, str, str]]:
    """What is live now: one row for each slot and release that holds."""
    table = tables.presence
    # A release is a slot of its version; a deployment's slot holds whichever version.
    released = case((table.c.kind == PresenceKind.RELEASED, table.c.version_id))
    last = (
        select(func.max(table.c.id))
        .where(
            among(connection, table.c.environment_id, environments),
            among(connection, table.c.participant_id, participants),
        )
        .group_by(table.c.environment_id, table.c.participant_id, table.c.kind, table.c.instance, released)
    )
    # Asked apart: a planner that cannot tell how few slots there are reads every version to join with them.
    ids = connection.scalars(last).all()
    query = (
        select(
            table.c.id,
            table.c.version_id,
            table.c.kind,
            table.c.instance,
            table.c.participant_id,
            tables.participant.c.name.label("participant"),
            tables.version.c.number,
            tables.environment.c.name.label("environment"),
        )
        .join(tables.version, tables.version.c.id == table.c.version_id)
        .join(tables.participant, tables.participant.c.id == table.c.participant_id)
        .join(tables.environment, tables.environment.c.id == table.c.environment_id)
        .where(table.c.live, among(connection, table.c.id, ids))
        .order_by(table.c.id)
    )
    return list(connection.execute(query))


def fact_of(row: Row[int, int, str, str, int, str, str, str]) -> PresenceFact:
    """A row of `live_rows` as the gate reads it."""
    return PresenceFact(
        version=VersionRef(row.participant, row.number),
        environment=row.environment,
        kind=PresenceKind(row.kind),
        instance=row.instance or None,
        order=row.id,
    )


def _live(recorder: Recorder, participant: str, environment: int) -> list[Row[int, int, str, str, int, str, str, str]]:
    known = recorder.find(tables.participant, name=participant)
    return [] if known is None else live_rows(recorder.connection, [environment], [known])


def _deployed(recorder: Recorder, slot: Slot, environment: int) -> list[Row[int, int, str, str, int, str, str, str]]:
    """The row of the slot, if a version is there."""
    wanted = (PresenceKind.DEPLOYED, slot.instance or NO_INSTANCE)
    return [row for row in _live(recorder, slot.participant, environment) if (row.kind, row.instance) == wanted]


def _add(recorder: Recorder, slot: Slot, environment: int, version: int, kind: PresenceKind, *, live: bool) -> None:
    recorder.add(
        tables.presence,
        environment_id=environment,
        participant_id=recorder.participant(slot.participant),
        version_id=version,
        kind=kind,
        instance=slot.instance or NO_INSTANCE,
        live=live,
    )


def _version(recorder: Recorder, participant: str, number: str) -> int:
    known = recorder.find(tables.participant, name=participant)
    if known is None:
        raise UsageError(
            f"the ledger knows no participant '{participant}'",
            where="--pacticipant",
            why=nearest(participant, _names(recorder.connection, tables.participant.c.name)),
            fix=f"publish it first: {command_line('publish', '-a', participant, '-e', number)}",
        )
    version = recorder.find(tables.version, participant_id=known, number=number)
    if version is None:
        raise UsageError(
            f"the ledger knows no version '{number}' of {participant}",
            where="--version",
            fix=f"publish it first: {command_line('publish', '-a', participant, '-e', number)}",
        )
    return version


def _environment(recorder: Recorder, name: str) -> int:
    known = recorder.find(tables.environment, name=name)
    if known is None:
        raise UsageError(
            f"the ledger knows no environment '{name}'",
            where="--environment",
            why=nearest(name, _names(recorder.connection, tables.environment.c.name)),
            fix=f"create it: {command_line('create-environment', '--name', name)}",
        )
    return known


def _names(connection: Connection, column: object) -> list[str]:
    """Some of the names, for a reader who mistyped one."""
    return list(connection.scalars(select(column).limit(NAMES_SHOWN)))  # type: ignore[call-overload]
