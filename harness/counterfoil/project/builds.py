"""Runs a participant's build commands, and only those whose inputs changed since they last succeeded."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from filelock import FileLock, Timeout

from counterfoil.core.workspace import Build, without_parents
from counterfoil.errors import UsageError
from counterfoil.system.files import replace_file
from counterfoil.system.processes import Completed, Processes

STAMP_VERSION = 2
EXECUTABLE = 0o111
MAX_FOLDERS = 50_000
"""That one pattern looks in: a link may lead to the whole disk."""
LOCK_POLL_S = 0.2
ANY_DEPTH = "**"
IGNORED_FOLDERS = frozenset({"node_modules", ".venv", "target", "__pycache__", ".git", ".counterfoil", ".nox"})


def digest_of(folder: Path, patterns: Iterable[str], command: Sequence[str], *, named_from: Path | None = None) -> str:
    """SHA-256 over the command and of every file that a pattern matches its name, content and whether it can be run."""
    digest = hashlib.sha256(json.dumps([STAMP_VERSION, *command]).encode())
    for file in sorted(set(matching(folder, patterns))):
        digest.update(f"\0{os.path.relpath(file, named_from or folder)}\0".encode("utf-8", "surrogateescape"))
        digest.update(hashlib.sha256(file.read_bytes()).digest())
        digest.update(b"x" if file.stat().st_mode & EXECUTABLE else b"-")
    return digest.hexdigest()


def matching(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    """The files that any of the patterns means, relative to a folder; links are followed. Raises UsageError."""
    for pattern in patterns:
        base = folder.joinpath(*[".."] * pattern.count("../")).resolve()
        for file in _found(base, Path(without_parents(pattern)).parts):
            if file.is_file() and not IGNORED_FOLDERS.intersection(file.relative_to(base).parts):
                yield file


def _found(place: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """What the parts of a pattern match. `**` of pathlib does not go into a folder that is a link; this does."""
    if ANY_DEPTH not in parts:
        yield from place.glob(str(Path(*parts)))
        return
    first = parts.index(ANY_DEPTH)
    before, after = parts[:first], parts[first + 1 :] or ("*",)
    for start in place.glob(str(Path(*before))) if before else [place]:
        for folder in folders_below(start):
            yield from _found(folder, after)


def folders_below(start: Path) -> Iterator[Path]:
    """A folder and all below it, each once however many links lead to it. Raises UsageError for too many."""
    seen = set()
    for root, folders, _files in os.walk(start, followlinks=True):
        try:
            status = Path(root).stat()
        except OSError:  # it is gone meanwhile
            folders.clear()
            continue
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if len(seen) > MAX_FOLDERS:
            raise UsageError(
                f"inputs look in more than {MAX_FOLDERS} folders below '{start}'",
                why="a link in it may lead far away",
                fix="name the folders that count in counterfoil.toml, or remove the link",
            )
        folders[:] = sorted(set(folders) - IGNORED_FOLDERS)
        yield Path(root)


class Stamps:
    """Remembers, by name, the digest of the inputs with which a command last succeeded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, name: str, stopped: Event) -> Iterator[None]:
        """Hold a lock while a command runs, so that two runs do not disturb each other's files.

        Whoever waits for it gives up with InterruptedError once this run is stopped.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{name}.lock")
        while not lock.is_locked:
            if stopped.is_set():
                raise InterruptedError
            with suppress(Timeout):
                lock.acquire(timeout=LOCK_POLL_S)
        try:
            yield
        finally:
            lock.release()

    def matches(self, name: str, digest: str) -> bool:
        """Whether the command succeeded with these inputs. A stamp that cannot be read does not count."""
        try:
            return (self._folder / f"{name}.stamp").read_text() == digest
        except (OSError, UnicodeDecodeError):
            return False

    def write(self, name: str, digest: str) -> None:
        """Remember a success."""
        replace_file(self._folder / f"{name}.stamp", digest.encode())

    def forget(self, name: str) -> None:
        """The command is about to change its outputs, so an earlier success no longer holds."""
        (self._folder / f"{name}.stamp").unlink(missing_ok=True)


def run_build(processes: Processes, stamps: Stamps, name: str, folder: Path, build: Build) -> Completed | None:
    """Run a build of a participant in that folder; None when nothing changed since it last succeeded.

    What several participants run in one other folder, such as the root of a workspace, is one build with one stamp.
    """
    place = (folder / build.dir).resolve()
    if place != folder.resolve():
        name = f"build-{hashlib.sha256(json.dumps([str(place), *build.run]).encode()).hexdigest()[:16]}"
    with stamps.held(name, processes.stopped):
        digest = digest_of(folder, build.inputs, build.run, named_from=place)
        if (
            build.inputs
            and stamps.matches(name, digest)
            and all((folder / output).exists() for output in build.outputs)
        ):
            return None
        stamps.forget(name)
        completed = processes.run(build.run, cwd=place, deadline_s=build.deadline_s)
        if completed.exit_code == 0:
            stamps.write(name, digest)
        return completed
