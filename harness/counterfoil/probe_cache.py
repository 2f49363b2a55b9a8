"""What a probe found, kept under everything that it depends on: while none of that changes, it need not run again.

A key exists only where all of it is known. A stub whose inputs counterfoil.toml does not name has none.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

import counterfoil
from counterfoil import toolchain
from counterfoil.builds import digest_of, matching
from counterfoil.files import replace_file
from counterfoil.model import Finding, Level, Location, Output
from counterfoil.workspace import Stub, Workspace

FORMAT = 1
ENTRIES_KEPT = 8
AMBIENT = ("PATH", "PYTHONPATH", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "NODE_OPTIONS", "RUSTFLAGS")
"""Variables of the user's shell that change what a stub does."""
SOURCES = ("**/*.py",)


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding; its evidence as pairs of a label and lines."""

    rule: str
    subject: str
    level: Level
    message: str
    fix: str
    path: str
    evidence: tuple[tuple[str, tuple[str, ...]], ...]
    witness: str | None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    note: str
    findings: tuple[_Kept, ...]


def key_of(workspace: Workspace, stubs: Sequence[str], schema_digest: str, request: Sequence[object]) -> str | None:
    """By which a result is found again; None when something that it depends on is not known."""
    identities = [_identity(workspace, name) for name in stubs]
    if None in identities:
        return None
    harness = Path(counterfoil.__file__).parent
    parts = [
        *("format", FORMAT, "python", platform.python_version(), "stubs", identities, "schema", schema_digest),
        *("harness", digest_of(harness, SOURCES, ()), *(version(name) for name in ("hypothesis", "protobuf"))),
        *("ambient", [os.environ.get(name) for name in AMBIENT], "request", request),
        *("witnesses", digest_of(workspace.path(workspace.settings.probe.witnesses), ("**/*.json",), ())),
        *("pacts", digest_of(workspace.pact_dir, ("**/*.json",), ()) if workspace.pact_dir else ""),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _identity(workspace: Workspace, name: str) -> list[object] | None:
    """What a stub is: its command, the program that it starts, and the content of what it is made from."""
    stub = workspace.settings.stubs.get(name)
    if stub is None:
        return [name, "built in"]
    folder = workspace.stub_dir(stub)
    if not stub.inputs or not all(any(matching(folder, [pattern])) for pattern in stub.inputs):
        return None
    program = _program(stub, folder)
    if program is None:
        return None
    participant = workspace.settings.participants.get(stub.participant or "")
    builds = (*(participant.build if participant else ()), *stub.build)
    built = [digest_of(folder, build.inputs, build.run) for build in builds]
    return [name, msgspec.to_builtins(stub), program, digest_of(folder, stub.inputs, stub.start), *built]


def _program(stub: Stub, folder: Path) -> list[object] | None:
    """The program's file as the system tells one from another; None where there is none."""
    path = str(folder / stub.start[0]) if "/" in stub.start[0] else toolchain.find(stub.start[0])
    try:
        status = Path(path or "").stat() if path else None
    except OSError:
        return None
    return [path, status.st_size, status.st_mtime_ns] if status else None


class ProbeCache:
    """The results of the last few probes."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.state_dir / "probe"

    def get(self, key: str) -> tuple[str, tuple[Finding, ...]] | None:
        """The note and the findings of a probe. What cannot be read does not count."""
        path = self._folder / f"{key}.json"
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=_Entry)
        except (OSError, msgspec.DecodeError):
            return None
        if entry.format != FORMAT:
            return None
        path.touch()
        return entry.note, tuple(map(_finding, entry.findings))

    def put(self, key: str, note: str, findings: Iterable[Finding]) -> None:
        """Keep a result, and of the older ones only the latest."""
        entry = _Entry(FORMAT, note, tuple(map(_kept, findings)))
        replace_file(self._folder / f"{key}.json", msgspec.json.encode(entry))
        files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for file in files[ENTRIES_KEPT:]:
            file.unlink(missing_ok=True)


def _kept(found: Finding) -> _Kept:
    return _Kept(
        rule=found.rule,
        subject=found.subject,
        level=found.level,
        message=_clean(found.message),
        fix=found.fix,
        path=found.location.path if found.location else "",
        evidence=tuple((one.label, tuple(map(_clean, one.lines))) for one in found.evidence if isinstance(one, Output)),
        witness=found.witness,
    )


def _clean(text: str) -> str:
    """JSON files are UTF-8, which has no lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def _finding(kept: _Kept) -> Finding:
    return Finding(
        rule=kept.rule,
        subject=kept.subject,
        level=kept.level,
        message=kept.message,
        fix=kept.fix,
        location=Location(path=kept.path) if kept.path else None,
        evidence=tuple(Output(label=label, lines=lines) for label, lines in kept.evidence),
        witness=kept.witness,
    )
