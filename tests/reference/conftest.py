"""The reference system as it stands, built once, and copies of it to plant mistakes in."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.builders import CLI, ROOT, Judged, Ran, judged

BUILD_WITHIN_S = 900.0
RUN_WITHIN_S = 600.0
BUILT = ("providers/storefront/node_modules", "providers/ranker/.venv", "harness/stub-node/node_modules")
"""What builds leave in the tree; a copy borrows it, since no mistake is planted there."""


@dataclass(frozen=True, slots=True)
class ReferenceCopy:
    """A copy of the reference system in a folder of its own."""

    root: Path

    def plant(self, path: str, old: str, new: str) -> None:
        """Replace a piece of a file, which must be there exactly once."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {text.count(old)} times: {old}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def line_of(self, path: str, needle: str) -> int:
        """The number of the first line that contains the needle."""
        lines = (self.root / path).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, start=1) if needle in line)

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Ran:
        """Run the real program in the copy."""
        done = _run([*CLI, *arguments], self.root, RUN_WITHIN_S, env)
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.stderr + ran.stdout, ran.stderr
        return ran

    def judge(self, *arguments: str, env: dict[str, str] | None = None) -> Judged:
        """Run a judging command with `--format json`."""
        return judged(self.run(*arguments, "--format", "json", env=env))


def _run(
    command: Sequence[str], cwd: Path, within_s: float, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=within_s,
        check=False,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout with everything built, once for all workers."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "build.lock"):
        done = _run([*CLI, "build"], ROOT, BUILD_WITHIN_S)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return ROOT


@pytest.fixture
def reference(built: Path, tmp_path: Path) -> ReferenceCopy:
    """A copy without anything that is ignored by git, but with what the builds made."""
    listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], built, RUN_WITHIN_S)
    copy = tmp_path / "copy"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (built / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(built / name, copy / name)
    for name in BUILT:
        (copy / name).symlink_to(built / name)
    shutil.copytree(built / ".counterfoil" / "stamps", copy / ".counterfoil" / "stamps")
    return ReferenceCopy(copy)


@pytest.fixture
def own_target(built: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which cargo has the dependencies built, and a target folder that nobody else uses."""
    described = _run(["cargo", "metadata", "--no-deps", "--format-version", "1"], built, RUN_WITHIN_S)
    shared = Path(json.loads(described.stdout)["target_directory"])
    target = tmp_path / "target"
    with (shared / "debug" / ".cargo-lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # cargo's own: another worker's build renames files below us otherwise
        shutil.copytree(shared / "debug", target / "debug", ignore=shutil.ignore_patterns("incremental", "examples"))
    return {"CARGO_TARGET_DIR": str(target)}
