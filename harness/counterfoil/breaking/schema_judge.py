"""Compares the schemas of two recorded versions, in the direction in which the data flows, for the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from counterfoil.breaking.breaking_findings import Judgement
from counterfoil.breaking.breaking_lane import BreakingLane, Request
from counterfoil.compat.changes import Direction
from counterfoil.compat.trimming import ImageError, raw_files, trim
from counterfoil.core.workspace import Workspace
from counterfoil.gate.facts import SchemaBreak
from counterfoil.model import Finding, Level, PayloadWitness, Verdict
from counterfoil.system.processes import Processes


def compare_schemas(
    processes: Processes, workspace: Workspace, writer: bytes, reader: bytes
) -> tuple[SchemaBreak, ...] | None:
    """What the reader's schema makes differently of what was written with the writer's; both are images.

    buf is not asked: which promises a schema keeps is a matter of its own checks. None: an imported ledger has bytes
    that are no image.
    """
    request = Request(new="the reader's schema", against=None, directions=frozenset({Direction.BACKWARD}))
    try:
        trimmed = trim(raw_files(writer), raw_files(reader))
    except ImageError:
        return None
    if not trimmed.changed:
        return ()
    with BreakingLane(processes, workspace) as lane:
        findings = Judgement(workspace, lane.runtimes, request, trimmed).findings(lambda: (), buf_is_asked=False)
    containing = containers(FileDescriptorSet.FromString(writer))
    return tuple(_break(found, containing) for found in findings if found.level.verdict is not Verdict.COMPATIBLE)


def _break(found: Finding, containing: Mapping[str, frozenset[str]]) -> SchemaBreak:
    witnesses = [one for one in found.evidence if isinstance(one, PayloadWitness)]
    shown = {one.message for one in witnesses}
    return SchemaBreak(
        rule=found.rule,
        symbol=found.subject,
        message=found.message,
        fix=found.fix,
        messages=frozenset(shown).union(*(containing.get(name, frozenset()) for name in shown)),
        witness=next((one.path or one.readable for one in witnesses), None),
        unproven=found.level is Level.UNPROVEN,
    )


def containers(image: FileDescriptorSet) -> dict[str, frozenset[str]]:
    """For each message, the messages that can carry it, at any depth."""
    held = {}
    for file in image.file:
        held.update(_held(file.message_type, file.package))
    found: dict[str, set[str]] = {}
    for start in held:
        waiting, seen = [start], {start}
        while waiting:
            for name in held.get(waiting.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        for name in seen - {start}:
            found.setdefault(name, set()).add(start)
    return {name: frozenset(carriers) for name, carriers in found.items()}


def _held(messages: Iterable[DescriptorProto], scope: str) -> dict[str, set[str]]:
    """The types of each message's fields, by its full name."""
    found = {}
    for message in messages:
        name = f"{scope}.{message.name}" if scope else message.name
        found[name] = {field.type_name.removeprefix(".") for field in message.field if field.type_name}
        found.update(_held(message.nested_type, name))
    return found
