"""Reads the witness of a schema change again: with the schemas that are in its file, or with others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from counterfoil.breaking.schema_sides import Side, side
from counterfoil.breaking.schema_sources import EmptySchemaError, Sources, folder_in_git
from counterfoil.breaking.schema_stubs import Crossing, Runtimes, find_stubs
from counterfoil.compat.changes import Direction
from counterfoil.compat.discrepancies import Discrepancy, discrepancies
from counterfoil.compat.replayable import Replayable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Verdict
from counterfoil.probe.outcomes import Rejected
from counterfoil.probe.payloads import Payload, Phase
from counterfoil.stub.schemas import SchemaError
from counterfoil.system.processes import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How each runtime differs now; an empty tuple where it reads the same, None where it says nothing."""

    by_runtime: Mapping[str, tuple[Discrepancy, ...] | None]
    is_written: bool
    """Whether there is a runtime that does not refuse the payload with the writer's schema."""

    @property
    def verdict(self) -> Verdict:
        """Broken while any runtime differs, compatible when none writes it any more, unproven where none says."""
        judged = [one for one in self.by_runtime.values() if one is not None]
        if not judged:
            return Verdict.UNPROVEN if self.is_written else Verdict.COMPATIBLE
        return Verdict.BROKEN if any(judged) else Verdict.COMPATIBLE


def replay(
    processes: Processes, workspace: Workspace, witness: Replayable, sources: tuple[str, str] | None
) -> Replayed:
    """Put the payload before every runtime that there is. `sources`: the old and the new schema, by their names."""
    old, new = _sides(processes, workspace, witness, sources)
    writer, reader = (old, new) if witness.direction is Direction.BACKWARD else (new, old)
    for one in (old, new):
        if witness.message not in one.messages:
            raise UsageError(
                f"the schema has no message '{witness.message}'",
                why="the witness is about it, and both schemas need it",
                fix="name the schemas that the witness was found with: --against OLD, and NEW",
            )
    payload = Payload(
        encoding=witness.encoding, data=witness.data, path="", kind="document", state="value", phase=Phase.WITNESS
    )
    commands, _absent = find_stubs(workspace)
    messages = writer.message(witness.message), reader.message(witness.message)
    with Runtimes(processes, commands) as runtimes:
        for one in (old, new):
            runtimes.load(one.id, one.image)
        crossing = Crossing(writer=writer.id, reader=reader.id, message=witness.message, payload=payload)
        [(wrote, read)] = runtimes.read([crossing])
    return Replayed(
        by_runtime={stub: discrepancies(wrote[stub], read[stub], *messages) for stub in sorted(wrote)},
        is_written=not wrote or not all(isinstance(one, Rejected) for one in wrote.values()),
    )


def _sides(
    processes: Processes, workspace: Workspace, witness: Replayable, sources: tuple[str, str] | None
) -> tuple[Side, Side]:
    if sources is None:
        if witness.old is None or witness.new is None:
            raise UsageError(
                "the witness does not have its schemas in it",
                why="they are too large for it",
                fix="name them: --against OLD, and NEW",
            )
        return _side("the old schema in the witness", witness.old), _side("the new schema in the witness", witness.new)
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as scratch:
        finding = Sources(processes, workspace, Path(scratch))
        old, new = sources
        folder = folder_in_git(workspace, new, old)
        try:
            images = [finding.whole(finding.find(name, folder), label) for name, label in ((old, "old"), (new, "new"))]
        except EmptySchemaError as error:
            raise UsageError(str(error), fix="name a schema that has the witness's message") from None
    return _side(old, images[0]), _side(new, images[1])


def _side(name: str, image: bytes) -> Side:
    try:
        return side(image)
    except SchemaError as error:
        raise UsageError(f"'{name}' is not a whole schema", why=str(error), fix="build it with its imports") from None
