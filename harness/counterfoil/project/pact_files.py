"""The pact files of a workspace."""

from __future__ import annotations

from pathlib import Path

from counterfoil.core.pacts import Pact, parse_pact
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.project.pact_places import pact_paths


def read_pacts(workspace: Workspace) -> tuple[Pact, ...]:
    """Every pact file of the workspace. Raises UsageError for one that cannot be read."""
    return tuple(read_pact(workspace, file) for file in pact_paths(workspace))


def read_pact(workspace: Workspace, file: Path) -> Pact:
    """One pact file. Raises UsageError."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read '{file}'", why=str(error.strerror), fix="correct its permissions") from None
    return parse_pact(workspace.relative(file), data)
