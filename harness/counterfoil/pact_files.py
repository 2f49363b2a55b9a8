"""The pact files of a workspace."""

from __future__ import annotations

import os
from pathlib import Path

from counterfoil.errors import UsageError
from counterfoil.pacts import Pact, parse_pact
from counterfoil.workspace import Workspace


def read_pacts(workspace: Workspace) -> tuple[Pact, ...]:
    """Every pact file of the workspace. Raises UsageError for one that cannot be read."""
    folder = workspace.pact_dir
    if folder is None or not folder.is_dir():
        return ()
    # Unlike a glob, a walk gets over a folder that vanishes or may not be read.
    files = (Path(root) / name for root, _folders, names in os.walk(folder) for name in names)
    return tuple(read_pact(workspace, file) for file in sorted(files) if file.suffix.lower() == ".json")


def read_pact(workspace: Workspace, file: Path) -> Pact:
    """One pact file. Raises UsageError."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read '{file}'", why=str(error.strerror), fix="correct its permissions") from None
    return parse_pact(workspace.relative(file), data)
