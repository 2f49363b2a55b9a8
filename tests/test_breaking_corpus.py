"""Every pair of the corpus through the runtimes of three languages: what is observed, is found, and replays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from counterfoil.breaking.breaking_findings import Judgement
from counterfoil.breaking.breaking_lane import BreakingLane, Request
from counterfoil.breaking.schema_sides import side
from counterfoil.breaking.schema_stubs import Crossing, Runtimes
from counterfoil.compat import replayable
from counterfoil.compat.changes import Direction
from counterfoil.compat.discrepancies import discrepancies
from counterfoil.compat.trimming import raw_files, trim
from counterfoil.core.workspace import Settings, Workspace
from counterfoil.model import Finding, Level, PayloadWitness, SchemaChange
from counterfoil.probe.payloads import Payload, Phase
from counterfoil.system.processes import Processes

from tests import schema_corpus

FAILING = {Level.BEHAVIOUR, Level.POLICY}
ADDED = MappingProxyType({"field_added": "an old reader does not know what is new; that is what an addition is"})


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BreakingLane]:
    """The runtimes are started once for all pairs."""
    root = tmp_path_factory.mktemp("corpus")
    processes = Processes()
    workspace = Workspace(root=root, file=root / "counterfoil.toml", settings=Settings(format=1))
    with BreakingLane(processes, workspace) as lane:
        lane.runtimes()
        yield lane
    processes.stop()


def judged(lane: BreakingLane, name: str) -> tuple[Finding, ...]:
    """Without buf, which other tests ask."""
    old, new = (raw_files(schema_corpus.image(name, one)) for one in ("old", "new"))
    trimmed = trim(old, new)
    request = Request(new="new", against="old", witnesses="witnesses")
    if not trimmed.changed:
        return ()
    return Judgement(lane.workspace, lane.runtimes, request, trimmed).findings(tuple, buf_is_asked=False)


def observed(findings: tuple[Finding, ...]) -> set[str]:
    changes = [
        one
        for found in findings
        if found.level is Level.BEHAVIOUR
        for one in found.evidence
        if isinstance(one, SchemaChange)
    ]
    return {f"{direction} {encoding}" for change in changes for direction, encoding in change.effects}


@pytest.mark.parametrize("name", schema_corpus.names())
def test_what_a_runtime_reads_differently_is_found_with_witnesses(lane: BreakingLane, name: str) -> None:
    expected = schema_corpus.expected(name)
    findings = judged(lane, name)
    if name not in ADDED:
        assert set(expected["observed"]) <= observed(findings)
    if expected["benign"]:
        assert not [found for found in findings if found.level in FAILING]
    for found in findings:
        witnesses = [one for one in found.evidence if isinstance(one, PayloadWitness)]
        [change] = [one for one in found.evidence if isinstance(one, SchemaChange)]
        assert {(one.direction, one.encoding) for one in witnesses} == set(change.effects)
        assert (found.level is Level.BEHAVIOUR) == bool(witnesses), found.message
        assert found.witness is None or found.witness.startswith("sha256:")
        assert witnesses or "No witness" in found.message or found.level is not Level.POLICY or not change.not_shown
        for witness in witnesses:
            assert {one.stub for one in witness.runtimes if one.breaks}
            assert replays(lane, lane.workspace.path(witness.path))


def replays(lane: BreakingLane, file: Path) -> bool:
    """Whether the file alone, read again, shows what it says in the same runtimes."""
    witness = replayable.read(file.read_bytes(), str(file))
    assert witness.old is not None
    assert witness.new is not None
    sides = (side(witness.old), side(witness.new))
    writer, reader = sides if witness.direction is Direction.BACKWARD else sides[::-1]
    payload = Payload(encoding=witness.encoding, data=witness.data, path="", kind="", state="", phase=Phase.WITNESS)
    runtimes: Runtimes = lane.runtimes()
    for one in sides:
        runtimes.load(one.id, one.image)
    messages = writer.message(witness.message), reader.message(witness.message)
    crossing = Crossing(writer=writer.id, reader=reader.id, message=witness.message, payload=payload)
    [(wrote, read)] = runtimes.read([crossing])
    differing = {stub for stub in wrote if discrepancies(wrote[stub], read[stub], *messages)}
    return {one.stub for one in witness.runtimes if one.breaks} <= differing
