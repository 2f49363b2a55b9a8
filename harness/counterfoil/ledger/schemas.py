"""The schema that a recorded version speaks."""

from __future__ import annotations

from sqlalchemy import Connection, select

from counterfoil.errors import UsageError, nearest
from counterfoil.gate.facts import VersionRef
from counterfoil.ledger import tables


def schema_of(connection: Connection, version: VersionRef, shown: str) -> bytes:
    """The image that was recorded last for a version; `shown` is where the ledger is. Raises UsageError."""
    participant, number = version.participant, version.number
    names = connection.scalars(select(tables.participant.c.name)).all()
    if participant not in names:
        raise UsageError(
            f"the ledger '{shown}' knows no participant '{participant}'",
            why=nearest(participant, names) if names else "it knows none yet",
            fix="name one that it knows, or record it first: counterfoil publish",
        )
    of_it = tables.version.join(tables.participant, tables.participant.c.id == tables.version.c.participant_id)
    numbers = select(tables.version.c.number).select_from(of_it).where(tables.participant.c.name == participant)
    known = connection.scalars(numbers).all()
    if number not in known:
        raise UsageError(
            f"the ledger '{shown}' knows no version '{number}' of {participant}",
            why=nearest(number, known) if known else "it knows none yet",
            fix="name one that it knows, or record it first: counterfoil publish",
        )
    with_schema = of_it.join(tables.schema, tables.schema.c.version_id == tables.version.c.id).join(
        tables.content, tables.content.c.id == tables.schema.c.content_id
    )
    image = connection.scalar(
        select(tables.content.c.body)
        .select_from(with_schema)
        .where(tables.participant.c.name == participant, tables.version.c.number == number)
        .order_by(tables.schema.c.id.desc())
        .limit(1)
    )
    if image is None:
        raise UsageError(
            f"no schema was recorded with version '{number}' of {participant}",
            where=shown,
            fix="record it where its schema is: counterfoil publish, with a [schema] table in counterfoil.toml",
        )
    return bytes(image)
