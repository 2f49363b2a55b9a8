"""The digests of witnesses are the same whichever runtimes are present, so that a waiver holds on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from counterfoil.breaking.breaking_findings import Judgement
from counterfoil.breaking.breaking_lane import BreakingLane, Request
from counterfoil.breaking.schema_stubs import Runtimes, find_stubs
from counterfoil.compat.trimming import raw_files, trim
from counterfoil.core.workspace import Settings, Workspace
from counterfoil.model import Finding, PayloadWitness
from counterfoil.system.processes import Processes

from tests import schema_corpus

PAIRS = [name for name in schema_corpus.names() if schema_corpus.expected(name)["observed"]]


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, BreakingLane]]:
    """One with every runtime there is, one with Python's alone."""
    root = tmp_path_factory.mktemp("panel")
    workspace = Workspace(root=root, file=root / "counterfoil.toml", settings=Settings(format=1))
    processes = Processes()
    commands, _ = find_stubs(workspace)
    python = [one for one in commands if one.name == "python"]
    assert len(commands) > len(python)
    with BreakingLane(processes, workspace) as every, Runtimes(processes, python) as alone:
        every.runtimes()
        only = BreakingLane(processes, workspace)
        only.runtimes = lambda: alone  # type: ignore[method-assign]
        yield {"every": every, "python": only}
    processes.stop()


def judged(lane: BreakingLane, name: str, folder: Path) -> dict[tuple[str, str], Finding]:
    trimmed = trim(*(raw_files(schema_corpus.image(name, one)) for one in ("old", "new")))
    request = Request(new="new", against="old", witnesses=str(folder))
    found = Judgement(lane.workspace, lane.runtimes, request, trimmed).findings(tuple, buf_is_asked=False)
    return {(one.rule, one.subject): one for one in found}


def shown_by_python(found: Finding) -> bool:
    witnesses = [one for one in found.evidence if isinstance(one, PayloadWitness)]
    return any(one.breaks and one.stub == "python" for witness in witnesses for one in witness.runtimes)


@pytest.mark.parametrize("name", PAIRS)
def test_the_digest_of_what_python_shows_does_not_depend_on_who_else_is_asked(
    lanes: Mapping[str, BreakingLane], name: str, tmp_path: Path
) -> None:
    every, alone = (judged(lanes[one], name, tmp_path) for one in ("every", "python"))
    ours = {key: found.witness for key, found in every.items() if shown_by_python(found)}
    assert ours == {key: found.witness for key, found in alone.items() if found.witness}
    assert all(found.witness for found in every.values() if found.level == "behaviour")
