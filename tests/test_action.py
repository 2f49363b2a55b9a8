"""action.yml: its last step runs the command that it is given, as words and not as shell code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
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
    words: list[str] = json.loads(done.stdout or "[]")
    return done.returncode, words, output.read_text()


def test_the_command_runs_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    code, words, output = ran(tmp_path, "can-i-deploy -a 'the web' -e 1.2 --to-environment production")
    assert words == ["can-i-deploy", "-a", "the web", "-e", "1.2", "--to-environment", "production"]
    assert (code, output) == (3, "exit-code=3\n")


def test_a_command_is_no_shell_code(tmp_path: Path) -> None:
    _, words, _ = ran(tmp_path, "check; touch $HOME/x `id`")
    assert words == ["check;", "touch", "$HOME/x", "`id`"]


def test_a_command_with_an_open_quote_is_a_usage_error_and_no_verdict(tmp_path: Path) -> None:
    assert ran(tmp_path, "can-i-deploy -a 'the web") == (2, [], "exit-code=2\n")


@pytest.mark.parametrize(
    ("version", "expected"), [("", "/the/action[postgresql]"), ("1.2.3", "counterfoil[postgresql]==1.2.3")]
)
def test_what_is_installed_is_the_checkout_unless_a_version_is_named(
    tmp_path: Path, version: str, expected: str
) -> None:
    step = next(one for one in ACTION["runs"]["steps"] if one.get("name") == "Install")
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "python"
    fake.write_text(
        '#!/bin/sh\nmkdir -p "$3/bin"\nprintf \'#!/bin/sh\\necho "$@" > "$RUNNER_TEMP/asked"\\n\' > "$3/bin/pip"\n'
        'chmod +x "$3/bin/pip"\n'
    )
    fake.chmod(0o755)
    bash = shutil.which("bash")
    assert bash
    own = {"RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": "/the/action", "VERSION": version}
    path = f"{programs}:{os.environ['PATH']}"
    done = subprocess.run([bash, "-e", "-c", step["run"]], env={**own, "PATH": path}, check=False, timeout=30)
    assert done.returncode == 0
    assert (tmp_path / "asked").read_text().split()[-1] == expected


def test_it_has_the_shape_of_a_composite_action() -> None:
    assert {"name", "description", "inputs", "outputs", "runs"} == set(ACTION)
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "uses" in step or step["shell"] == "bash"
        assert "${{" not in step.get("run", ""), "what GitHub puts into a script is run as part of it"
    for entry in ACTION["outputs"].values():
        assert entry["description"]
        assert entry["value"].startswith("${{ steps.run.outputs.")


def test_the_documented_step_names_this_action_and_its_inputs() -> None:
    text = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml\n")[1:]]
    (steps,) = [one for one in blocks if isinstance(one, list)]
    used = steps[-1]
    assert used["uses"].startswith("./"), "no repository is named that nobody has"
    assert set(used["with"]) <= set(ACTION["inputs"])
    (job,) = [one for one in blocks if isinstance(one, dict)]
    assert (job["kind"], job["spec"]["template"]["spec"]["restartPolicy"]) == ("Job", "Never")


def test_every_input_is_used_and_described() -> None:
    text = json.dumps(ACTION["runs"])
    for name, entry in ACTION["inputs"].items():
        assert f"inputs.{name} " in text
        assert entry["description"]
