"""Which version of the code is here: git's commit and branch, and whether files have changed since."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from counterfoil import toolchain
from counterfoil.processes import Processes

DEADLINE_S = 60.0
DETACHED = "HEAD"
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
        said = [
            processes.run([git, *arguments], cwd=folder, deadline_s=DEADLINE_S)
            for arguments in (
                ("rev-parse", "HEAD"),
                ("rev-parse", "--abbrev-ref", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        ]
    finally:
        processes.stop()
    commit, branch, changes = (
        one.stdout.decode("utf-8", "replace").strip() if one.exit_code == 0 else "" for one in said
    )
    if not COMMIT.fullmatch(commit):
        return Revision()
    named = next((environment[name] for name in BRANCH_VARIABLES if environment.get(name)), None)
    return Revision(commit=commit, branch=named if branch in {"", DETACHED} else branch, dirty=bool(changes))
