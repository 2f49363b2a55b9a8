"""By what the findings about a change of a schema are found again: both schemas, and everything that judges them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from counterfoil.breaking.schema_stubs import HARNESS, NODE, RUST, find_stubs
from counterfoil.compat.changes import PYTHON
from counterfoil.compat.trimming import Trimmed
from counterfoil.core.workspace import Workspace
from counterfoil.probing.stubs import StubCommand
from counterfoil.results.result_keys import content_of, key, pacts_digest, program, stub_identity
from counterfoil.system.buf import runs_programs

NODE_INPUTS = ("src/**/*.js", "gen/**/*.js", "package-lock.json")


def breaking_key(
    workspace: Workspace, trimmed: Trimmed, config: Path | None, request: tuple[object, ...]
) -> str | None:
    """Of one comparison, by what was compiled: a folder may hold other files by now, and takes some from elsewhere.

    None where something that it depends on is not known.
    """
    commands, absent = find_stubs(workspace)
    runtimes = [_runtime(workspace, command) for command in commands]
    buf = program("buf", workspace.root)
    if buf is None or None in runtimes or (config and runs_programs(config)):
        return None
    concerned = {name: msgspec.to_builtins(one) for name, one in workspace.settings.participants.items()}
    rules = hashlib.sha256(config.read_bytes()).hexdigest() if config else ""
    missing = sorted((one.name, one.why) for one in absent)
    sides = [hashlib.sha256(image).hexdigest() for image in (trimmed.old, trimmed.new)]
    return key("breaking", sides, runtimes, missing, buf, rules, concerned, pacts_digest(workspace), request)


def _runtime(workspace: Workspace, command: StubCommand) -> list[object] | None:
    """What a runtime stub is. Python's is Counterfoil itself, Node's and Rust's may lie beside it."""
    if command.name == PYTHON and command.name not in workspace.settings.stubs:
        return [PYTHON]
    started = program(command.command[0], command.cwd)
    if started and command.name == RUST and Path(command.command[0]).is_absolute():
        return [RUST, started]
    if started and command.name == NODE and command.cwd == HARNESS / "stub-node":
        content = content_of(command.cwd, NODE_INPUTS)
        return [NODE, started, content] if content else None
    return stub_identity(workspace, command.name)
