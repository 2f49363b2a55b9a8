"""`check --watch`: judges again whenever a file of the workspace changes."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import click
from watchfiles import Change, watch

from counterfoil.commands.cli import print_error
from counterfoil.core.printing import printable
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Verdict
from counterfoil.project.builds import IGNORED_FOLDERS
from counterfoil.system.git import Git
from counterfoil.system.processes import Processes

POLL_MS = 500
SETTLED_MS = 100
"""An editor or git writes several files at once: they count as one change once nothing more came for so long."""
NAMED = 3


def judge_on_changes(workspace: Workspace, judge: Callable[[], None]) -> NoReturn:
    """Judge now and after each change, until the user interrupts."""
    changes = _changes(workspace)
    next(changes)  # watches from here on, also while it judges
    while True:
        click.clear()
        try:
            judge()
        except SystemExit as end:
            if end.code not in {verdict.exit_code for verdict in Verdict}:
                raise  # such as by Ctrl-C
        except UsageError as error:
            print_error(error)
        # What shows a result ends by SIGPIPE; what goes on has to outlive a child that does not read.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        click.echo("watching; Ctrl-C ends it", err=True)
        changed = next(one for one in changes if one)
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        click.echo(f"changed: {', '.join(map(printable, changed[:NAMED]))}{more}", err=True)


def _changes(workspace: Workspace) -> Iterator[list[str]]:
    """The files that changed since the last time, by their paths in the workspace; now and then there are none."""
    root = workspace.root.resolve()

    def may_matter(_: Change, path: str) -> bool:
        inside = Path(path).relative_to(root)
        return not IGNORED_FOLDERS.intersection(inside.parts) and inside.suffix != ".tmp"

    found = watch(
        root, watch_filter=may_matter, yield_on_timeout=True, rust_timeout=POLL_MS, debounce=POLL_MS, step=SETTLED_MS
    )
    with contextlib.closing(found):
        for entries in found:
            paths = {Path(path) for _, path in entries}
            seen = paths - _ignored(root, paths) if paths else paths
            yield sorted(str(path.relative_to(root)) for path in seen)


def _ignored(root: Path, paths: set[Path]) -> frozenset[Path]:
    processes = Processes()
    try:
        return Git(processes, root).ignored(paths)
    finally:
        processes.stop()
