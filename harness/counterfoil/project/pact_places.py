"""Where the pact files of a workspace lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from counterfoil.core.workspace import Workspace


def pact_paths(workspace: Workspace) -> list[Path]:
    """Every pact file of the workspace, in the order of their paths."""
    return sorted({file for place in pact_places(workspace) for file in _files(place)})


def pact_places(workspace: Workspace) -> Iterator[Path]:
    """The folders of pact files, and the files that are named on their own, as far as they exist."""
    pacts = workspace.settings.pacts
    if pacts is None:
        return
    if workspace.path(pacts.dir).is_dir():
        yield workspace.path(pacts.dir)
    for pattern in pacts.also:
        yield from sorted(workspace.root.glob(pattern))


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    # Unlike a glob, a walk gets over a folder that vanishes or may not be read.
    for root, _folders, names in os.walk(place):
        yield from (Path(root) / name for name in names if Path(name).suffix.lower() == ".json")
