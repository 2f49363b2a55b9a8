"""The stubs that a workspace knows, and how each is started."""

from __future__ import annotations

import sys

from counterfoil.stubs import StubCommand
from counterfoil.workspace import Workspace

BUILT_IN = "python"


def stub_command(workspace: Workspace, name: str) -> StubCommand:
    """How to start one stub. Python's runtime stub is always there, unless the configuration has one of its name."""
    stub = workspace.settings.stubs.get(name)
    if stub is None:
        runtime = (sys.executable, "-P", "-m", "counterfoil.stub.runtime")
        return StubCommand(name=name, command=runtime, cwd=workspace.root)
    return StubCommand(
        name=name,
        command=stub.start,
        cwd=workspace.path(stub.dir),
        env=stub.env,
        lane=stub.lane,
        start_within_s=stub.start_within_s,
        answer_within_s=stub.answer_within_s,
    )
