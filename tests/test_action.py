"""action.yml: its last step runs the command that it is given, as words and not as shell code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.builders import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def ran(folder: Path, command: str) -> tuple[int, list[str], str]:
    """The exit code, the words that the program got, and the action's output."""
    program = folder / "counterfoil" / "bin" / "counterfoil"
    program.parent.mkdir(parents=True)
    program.write_text("#!/usr/bin/env python3\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\nsys.exit(3)\n")
    program.chmod(0o755)
    bash = shutil.which("bash")
    assert bash
    output = folder / "output"
    done = subprocess.run(
        [bash, "-e", "-c", ACTION["runs"]["steps"][-1]["run"]],
        env={**os.environ, "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(output), "COMMAND": command},
        capture_output=True,
        check=False,
        timeout=30,
    )
    words: list[str] = json.loads(done.stdout)
    return done.returncode, words, output.read_text()


def test_the_command_runs_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    code, words, output = ran(tmp_path, "can-i-deploy -a 'the web' -e 1.2 --to-environment production")
    assert words == ["can-i-deploy", "-a", "the web", "-e", "1.2", "--to-environment", "production"]
    assert (code, output) == (3, "exit-code=3\n")


def test_a_command_is_no_shell_code(tmp_path: Path) -> None:
    _, words, _ = ran(tmp_path, "check; touch $HOME/x `id`")
    assert words == ["check;", "touch", "$HOME/x", "`id`"]


def test_every_input_is_used_and_described() -> None:
    text = json.dumps(ACTION["runs"])
    for name, entry in ACTION["inputs"].items():
        assert f"inputs.{name} " in text
        assert entry["description"]
