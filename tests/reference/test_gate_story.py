"""docs/gate.md tells a story with commands. They are run on the reference system, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders import ROOT
from tests.reference.conftest import RUN_WITHIN_S, ReferenceCopy

STORY = ROOT / "docs" / "gate.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXIT_CODE = re.compile(r"\s+# exit code (\d)$")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what the story says of its end: the exit code, and the beginnings of lines that it prints."""

    command: str
    exit_code: int
    told: tuple[str, ...]


def steps() -> list[Step]:
    """The commands of all console blocks, in their order."""
    found: list[Step] = []
    for block in BLOCK.findall(STORY.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *told = part.rstrip("\n").split("\n")
            code = EXIT_CODE.search(command)
            found.append(Step(EXIT_CODE.sub("", command), int(code.group(1)) if code else 0, tuple(told)))
    return found


def run(copy: ReferenceCopy, command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [bash, "-ec", command],
        cwd=copy.root,
        env={**os.environ, **env, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=RUN_WITHIN_S,
        check=False,
        encoding="utf-8",
    )


def test_the_story_has_its_four_turns() -> None:
    asked = [step for step in steps() if "can-i-deploy" in step.command]
    assert [step.exit_code for step in asked] == [0, 0, 1, 3, 0]
    assert any("Deploy in this order" in line for line in asked[-1].told)


def test_the_story_goes_as_it_is_told(
    reference: ReferenceCopy, own_target: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COUNTERFOIL_LEDGER", raising=False)
    for step in steps():
        done = run(reference, step.command, own_target)
        assert done.returncode == step.exit_code, f"{step.command}\n{done.stdout}"
        printed = [line.rstrip() for line in done.stdout.splitlines()]
        for line in step.told:
            assert any(one.startswith(line) for one in printed), f"{step.command}\nmissing: {line}\n{done.stdout}"
