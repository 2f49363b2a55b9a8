"""The stubs that take part in a probe: how each is started, what is known of it, and which of them run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence

from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.probing.probed_schema import ProbedSchema
from counterfoil.probing.stubs import Stub, StubCommand, StubStartError
from counterfoil.system.processes import Processes

SCHEMA_ID = "probed"
PYTHON = "python"
BACKEND = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
BUILT_IN: dict[str, dict[str, str]] = {PYTHON: {}, "python-pure": {BACKEND: "python"}}
"""The stubs that need no configuration, with their environment: Python's protobuf, and the same in pure Python."""
BUFFERED = {"PYTHONUNBUFFERED": ""}
"""A Python stub that holds nothing back makes a system call for each answer, whatever the user's shell asks for."""


def stub_names(workspace: Workspace, named: Sequence[str] = (), *, named_in: str = "--stub") -> tuple[str, ...]:
    """Those that the user named, those that the configuration does, or all. Raises UsageError for an unknown one."""
    settings = workspace.settings
    known = tuple(dict.fromkeys((*BUILT_IN, *settings.stubs)))
    for where, names in ((named_in, named), ("probe.stubs", settings.probe.stubs)):
        for name in names:
            if name not in known:
                raise UsageError(f"unknown stub '{name}'", where=where, why=nearest(name, known), fix="correct it")
    chosen = tuple(dict.fromkeys(named or settings.probe.stubs or (PYTHON, *settings.stubs)))
    if len(chosen) == 1:
        raise UsageError(
            f"'{chosen[0]}' alone has nobody to disagree with",
            why="the probe compares what several stubs make of the same payload",
            fix="name two with --stub, or add [stubs.NAME] to counterfoil.toml; see docs/stubs.md",
        )
    return chosen


def stub_command(workspace: Workspace, name: str) -> StubCommand:
    """How to start one stub. A configured one goes before a built-in one of its name."""
    stub = workspace.settings.stubs.get(name)
    if stub is None:
        runtime = (sys.executable, "-P", "-m", "counterfoil.stub.runtime")
        return StubCommand(name=name, command=runtime, cwd=workspace.root, env={**BUFFERED, **BUILT_IN[name]})
    return StubCommand(
        name=name,
        command=stub.start,
        cwd=workspace.stub_dir(stub),
        env={**BUFFERED, **stub.env},
        lane=stub.lane,
        start_within_s=stub.start_within_s,
        answer_within_s=stub.answer_within_s,
    )


def is_service(workspace: Workspace, stub: Stub) -> bool:
    """Whether a stub, which runs, reads with the code of one service."""
    configured = workspace.settings.stubs.get(stub.name)
    if configured and configured.kind:
        return configured.kind == "service"
    return bool(stub.description.message_types) and not stub.description.loads_schemas


@contextlib.contextmanager
def started(processes: Processes, commands: Sequence[StubCommand], schema: ProbedSchema) -> Iterator[list[Stub]]:
    """The stubs, with the schema loaded. Raises UsageError for one that cannot be used."""
    with contextlib.ExitStack() as stack:
        try:
            stubs = [stack.enter_context(Stub(processes, command)) for command in commands]
            for stub in stubs:
                if stub.description.loads_schemas:
                    stub.load(SCHEMA_ID, schema.image)
        except StubStartError as error:
            raise UsageError(
                f"the stub '{error.name}' cannot be used: {error.message}",
                why=" | ".join(error.tail),
                fix=f"start it by hand with the command of [stubs.{error.name}]; counterfoil build may be missing; "
                "if it only needs longer, raise start-within-s there",
            ) from None
        yield stubs
