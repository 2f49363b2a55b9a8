"""Which version of the code is here: git's commit and branch, and whether files have changed since."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from counterfoil.system import toolchain
from counterfoil.system.processes import Processes

DEADLINE_S = 60.0
STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")
DETACHED = "(detached)"
BRANCH_VARIABLES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_COMMIT_REF_NAME",
    "BUILDKITE_BRANCH",
    "CIRCLE_BRANCH",
    "BITBUCKET_BRANCH",
    "TRAVIS_BRANCH",
    "BRANCH_NAME",
)
"""Where CI systems say which branch they have checked out; the checkout itself is often on none."""
COMMIT = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What git says of a folder; without git, or outside a repository, nothing."""

    commit: str | None = None
    branch: str | None = None
    dirty: bool = False
    """Whether tracked files have changes that the commit does not have."""


def revision_of(folder: Path, environment: Mapping[str, str] = os.environ) -> Revision:
    """Ask git."""
    git = toolchain.find("git")
    if git is None:
        return Revision()
    processes = Processes()
    try:
        said = processes.run([git, *STATUS], cwd=folder, deadline_s=DEADLINE_S)
    finally:
        processes.stop()
    lines = said.stdout.decode("utf-8", "replace").splitlines() if said.exit_code == 0 else []
    told = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch.") and " " in line[2:])
    commit, branch = told.get("branch.oid", ""), told.get("branch.head", "")
    if not COMMIT.fullmatch(commit):
        return Revision()
    named = next((environment[name] for name in BRANCH_VARIABLES if environment.get(name)), None)
    is_dirty = any(not line.startswith("# ") for line in lines)
    return Revision(commit=commit, branch=named if branch in {"", DETACHED} else branch, dirty=is_dirty)
