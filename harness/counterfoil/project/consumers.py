"""Running consumer tests, and putting the pact files that they write where the workspace keeps them."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from counterfoil.core.pacts import Pact, parse_pact
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Consumer, Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Location, Output
from counterfoil.project.builds import Stamps, digest_of
from counterfoil.project.pact_files import read_pact
from counterfoil.project.pact_places import pact_paths
from counterfoil.system.files import replace_file
from counterfoil.system.processes import Processes

TAIL_SHOWN = 30


def consume(processes: Processes, stamps: Stamps, workspace: Workspace, name: str) -> tuple[Finding, ...]:
    """Run the consumer tests of one participant, unless neither they nor what they wrote changed since they passed."""
    participant = workspace.settings.participants[name]
    consumer, folder = participant.consumer, workspace.path(participant.dir)
    if consumer is None or workspace.pact_dir is None:
        raise ValueError(name)
    with stamps.held(f"consume-{name}", processes.stopped):
        inputs = digest_of(folder, consumer.inputs, consumer.run)
        if consumer.inputs and stamps.matches(f"consume-{name}", inputs + _digest_of_pacts(workspace, name)):
            return ()
        workspace.state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=workspace.state_dir, prefix=f"pacts-{name}-") as scratch:
            findings = _run(processes, workspace, name, consumer, Path(scratch))
        if not findings:
            stamps.write(f"consume-{name}", inputs + _digest_of_pacts(workspace, name))
        return findings


def _digest_of_pacts(workspace: Workspace, consumer: str) -> str:
    """Over the pact files of one consumer as they lie there now; one that cannot be read counts as a change."""
    digest = hashlib.sha256()
    for file in pact_paths(workspace):
        name = workspace.relative(file).encode("utf-8", "surrogateescape")
        try:
            if read_pact(workspace, file).consumer == consumer:
                digest.update(name + file.read_bytes())
        except UsageError:
            digest.update(b"unreadable " + name)
    return digest.hexdigest()


def _run(
    processes: Processes, workspace: Workspace, name: str, consumer: Consumer, scratch: Path
) -> tuple[Finding, ...]:
    folder = workspace.path(workspace.settings.participants[name].dir)
    where = Location(path=workspace.relative(folder))
    env = {**consumer.env, "PACT_DIR": str(scratch)}
    done = processes.run(consumer.run, cwd=folder, env=env, deadline_s=consumer.deadline_s)
    if done.exit_code != 0:
        how = f"did not end within {consumer.deadline_s:g} s" if done.exit_code is None else "failed"
        return (
            finding(
                "CONSUMER_TEST_FAILED",
                name,
                f"the consumer tests of {name} {how}; its pact files are left as they were",
                fix=f"run them by hand in {where}: {' '.join(consumer.run)}",
                location=where,
                evidence=(Output(label="they printed", lines=done.tail[-TAIL_SHOWN:]),),
            ),
        )
    written = sorted(scratch.glob("*.json"))
    if not written:
        return (
            finding(
                "PACT_NOT_WRITTEN",
                name,
                f"the consumer tests of {name} passed but wrote no pact file",
                fix="let them write their pacts to the folder that the environment variable PACT_DIR names",
                location=where,
            ),
        )
    _install(workspace, {file.name: _checked(name, file) for file in written})
    return ()


def _install(workspace: Workspace, fresh: Mapping[str, tuple[Pact, bytes]]) -> None:
    """Put pact files in place, each as a whole; one that did not change is not touched."""
    targets = {_place(workspace, file_name, pact): data for file_name, (pact, data) in fresh.items()}
    for target, data in targets.items():
        if not target.is_file() or target.read_bytes() != data:
            replace_file(target, data)


def _place(workspace: Workspace, file_name: str, pact: Pact) -> Path:
    """Where the workspace keeps this pact: in a file of that name and pair, or else in the folder of pacts.

    Raises UsageError where there are several.
    """
    home = (workspace.pact_dir or workspace.root) / file_name
    places = [
        file
        for file in pact_paths(workspace)
        if file.name == file_name and (file == home or _is_of(workspace, file, pact))
    ]
    if len(places) > 1:
        kept, *others = map(workspace.relative, places)
        raise UsageError(
            f"the pact of {pact.pair} is kept in several places: {', '.join((kept, *others))}",
            why=f"the consumer tests of '{pact.consumer}' write one file of that name, {file_name}",
            fix=f"keep one of them: {shlex.join(('rm', *others))}",
        )
    return places[0] if places else home


def _is_of(workspace: Workspace, file: Path, pact: Pact) -> bool:
    """Whether a file has a pact of the same pair."""
    try:
        return read_pact(workspace, file).pair == pact.pair
    except UsageError:
        return False


def _checked(name: str, file: Path) -> tuple[Pact, bytes]:
    """What a consumer test wrote, once it is sure that it is a pact, and of this consumer."""
    data = file.read_bytes()
    fresh = parse_pact(file.name, data)
    if fresh.consumer != name:
        raise UsageError(
            f"the consumer tests of '{name}' wrote a pact of consumer '{fresh.consumer}' ({file.name})",
            why="a participant writes the pacts in which it is the consumer",
            fix=f"name the consumer '{name}' in its tests, or the participant '{fresh.consumer}' in counterfoil.toml",
        )
    return fresh, data
