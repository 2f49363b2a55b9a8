"""A digest of the files that a check judges, the same on every machine that has the same files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from counterfoil.buf import configuration_files
from counterfoil.builds import digest_of
from counterfoil.git import Git
from counterfoil.processes import Processes
from counterfoil.result_keys import digest, pacts_digest
from counterfoil.revision import revision_of
from counterfoil.waivers import FILE as WAIVERS
from counterfoil.workspace import Build, Workspace


def judged_content(workspace: Workspace) -> str:
    """Of the configuration, the waivers, the pacts, the schema and its baseline, and what participants are made from.

    What has no inputs is known by git's commit, and by its tracked files that differ from it. Left out is what a check
    itself may write: witnesses.
    """
    return digest(list(_parts(workspace)))


def _parts(workspace: Workspace) -> Iterator[object]:
    settings = workspace.settings
    yield revision_of(workspace.root).commit
    yield from map(_file, (workspace.file, workspace.path(WAIVERS)))
    yield pacts_digest(workspace)
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


def _units(folder: Path, inputs: Iterable[tuple[str, ...]], builds: Iterable[Build]) -> Iterator[str]:
    for patterns in (*inputs, *(build.inputs for build in builds)):
        yield digest_of(folder, patterns, ())


def _schema(workspace: Workspace) -> Iterator[str]:
    schema = workspace.settings.schema
    if schema is None:
        return
    folder = workspace.path(schema.dir)
    for place in (folder, *([workspace.path(schema.against)] if schema.against else ())):
        yield _file(place) or digest_of(place, ("**/*.proto",), ())
    yield from (_file(one) for one in configuration_files(folder) if one.is_relative_to(workspace.root))
