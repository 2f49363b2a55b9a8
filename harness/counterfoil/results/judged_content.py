"""A digest of the files that a check judges, the same on every machine that has the same files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from counterfoil import __version__
from counterfoil.core.workspace import Build, Workspace
from counterfoil.probing.probe_stubs import BUILT_IN
from counterfoil.project.builds import digest_of
from counterfoil.results.result_keys import content_of, digest, documents_digest, pacts_digest
from counterfoil.runs.waivers import FILE as WAIVERS
from counterfoil.system.buf import configuration_files
from counterfoil.system.git import Git
from counterfoil.system.processes import Processes
from counterfoil.system.revision import revision_of


def judged_content(workspace: Workspace) -> str:
    """Of the configuration, the waivers, the pacts, the schema and its baseline, and what participants are made from.

    What has no inputs is known by git's commit, and by its tracked files that differ from it. Left out is what a check
    itself may write: witnesses.
    """
    return digest(list(_parts(workspace)))


def stub_contents(workspace: Workspace) -> dict[str, str | None]:
    """Participant -> a digest of what its stub reads payloads by; None where its table does not tell all of that."""
    stubs = {name: one.stub for name, one in workspace.settings.participants.items() if one.stub}
    return {name: _stub_content(workspace, stub) for name, stub in stubs.items()}


def _stub_content(workspace: Workspace, name: str) -> str | None:
    """Of how the stub is started, the files that it is made from, and the schema; a built-in one is Counterfoil's."""
    stub, schema = workspace.settings.stubs.get(name), workspace.settings.schema
    made: list[object] = [name, _protos(workspace.path(schema.dir)) if schema else ""]
    if stub is None and name not in BUILT_IN:
        return None
    if stub is None:
        made.append(__version__)
    else:
        builds = workspace.stub_builds(stub)
        folder = workspace.stub_dir(stub)
        contents = [content_of(folder, patterns) for patterns in (stub.inputs, *(build.inputs for build in builds))]
        if None in contents:
            return None
        made += [msgspec.to_builtins(stub), msgspec.to_builtins(builds), contents]
    return f"sha256:{digest(made)}"


def _parts(workspace: Workspace) -> Iterator[object]:
    settings = workspace.settings
    yield revision_of(workspace.root).commit
    yield from map(_file, (workspace.file, workspace.path(WAIVERS)))
    yield pacts_digest(workspace)
    yield documents_digest(workspace)
    yield from _schema(workspace)
    for name, one in sorted(settings.participants.items()):
        yield [name, *_units(workspace.path(one.dir), [one.provider.inputs if one.provider else ()], one.build)]
    for name, stub in settings.stubs.items():
        yield [name, *_units(workspace.stub_dir(stub), [stub.inputs], stub.build)]
    yield list(_uncommitted(workspace))


def _uncommitted(workspace: Workspace) -> Iterator[list[str]]:
    """The tracked files that differ from the commit, of whatever does not say what it is made from."""
    settings = workspace.settings
    of_units = [
        *(
            (workspace.path(one.dir), (one.provider.inputs, *(build.inputs for build in one.build)))
            for one in settings.participants.values()
            if one.provider
        ),
        *(
            (workspace.stub_dir(one), (one.inputs, *(build.inputs for build in one.build)))
            for one in settings.stubs.values()
        ),
    ]
    folders = [folder.resolve() for folder, inputs in of_units if not all(inputs)]
    if not folders:
        return
    written = workspace.path(settings.probe.witnesses).resolve()
    processes = Processes()
    try:
        modified = Git(processes, workspace.root).modified()
    finally:
        processes.stop()
    for path in sorted(modified):
        if any(path.is_relative_to(folder) for folder in folders) and not path.is_relative_to(written):
            yield [workspace.relative(path), _file(path)]


def _file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _protos(place: Path) -> str:
    return _file(place) or digest_of(place, ("**/*.proto",), ())


def _units(folder: Path, inputs: Iterable[tuple[str, ...]], builds: Iterable[Build]) -> Iterator[str]:
    for patterns in (*inputs, *(build.inputs for build in builds)):
        yield digest_of(folder, patterns, ())


def _schema(workspace: Workspace) -> Iterator[str]:
    schema = workspace.settings.schema
    if schema is None:
        return
    folder = workspace.path(schema.dir)
    for place in (folder, *([workspace.path(schema.against)] if schema.against else ())):
        yield _protos(place)
    yield from (_file(one) for one in configuration_files(folder) if one.is_relative_to(workspace.root))
