"""Compares the schemas of two recorded versions, in the direction in which the data flows, for the gate."""

from __future__ import annotations

from counterfoil.breaking.breaking_findings import Judgement
from counterfoil.breaking.breaking_lane import BreakingLane, Request
from counterfoil.compat.carriers import Carriers
from counterfoil.compat.changes import Direction
from counterfoil.compat.trimming import raw_files, trim
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.gate.facts import SchemaBreak
from counterfoil.model import Finding, Level, PayloadWitness, Verdict
from counterfoil.schema.building import ImageError
from counterfoil.system.processes import Processes


def compare_schemas(
    processes: Processes, workspace: Workspace, writer: bytes, reader: bytes
) -> tuple[SchemaBreak, ...] | None:
    """What the reader's schema makes differently of what was written with the writer's; both are images.

    buf is not asked: which promises a schema keeps is a matter of its own checks. None: an imported ledger has bytes
    that are no image, or one that contradicts itself.
    """
    request = Request(new="the reader's schema", against=None, directions=frozenset({Direction.BACKWARD}))
    try:
        trimmed = trim(raw_files(writer), raw_files(reader), carriers=True)
        if not trimmed.changed:
            return ()
        with BreakingLane(processes, workspace) as lane:
            judgement = Judgement(workspace, lane.runtimes, request, trimmed)
            findings = judgement.findings(lambda: (), buf_is_asked=False)
    except (ImageError, UsageError):
        return None
    carriers = Carriers(judgement.schemas[:1])
    return tuple(_break(found, carriers) for found in findings if found.level.verdict is not Verdict.COMPATIBLE)


def _break(found: Finding, carriers: Carriers) -> SchemaBreak:
    witnesses = [one for one in found.evidence if isinstance(one, PayloadWitness)]
    shown = {one.message for one in witnesses}
    return SchemaBreak(
        rule=found.rule,
        symbol=found.subject,
        message=found.message,
        fix=found.fix,
        messages=frozenset(shown).union(*map(carriers.of, shown)),
        witness=next((one.path or one.readable for one in witnesses), None),
        unproven=found.level is Level.UNPROVEN,
    )
