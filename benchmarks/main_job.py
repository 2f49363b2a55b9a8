"""How long `nox -s contracts` takes on a fresh clone, and again with nothing changed; and how much of it is ours.

The clone has nothing built: no environments, no node_modules, no Rust target folder. What pip, npm and cargo keep for
the whole machine stays, so the first figure is that of a machine which has downloaded these packages before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from counterfoil.system.processes import Processes

ROOT = Path(__file__).resolve().parent.parent
COLD_GOAL_S = 600.0
UNCHANGED_GOAL_S = 15.0
OVERHEAD_GOAL_S = 2.0
DEADLINE_S = 1800.0


def run() -> Iterator[str]:
    """The figures, one a line, each with its goal."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        session = [sys.executable, "noxfile.py", "-s", "contracts"]
        processes = Processes()
        try:
            yield _figure("first run on a fresh clone", _timed(processes, session, clone), COLD_GOAL_S)
            yield _figure("second run, nothing changed", _timed(processes, session, clone), UNCHANGED_GOAL_S)
            yield _figure("... of that, Counterfoil's own time", _overhead(processes, clone), OVERHEAD_GOAL_S)
        finally:
            processes.stop()


def _figure(name: str, seconds: float, goal_s: float) -> str:
    return f"{name:38} {seconds:7.2f} s   goal {goal_s:g} s: {'met' if seconds < goal_s else 'MISSED'}"


def _timed(processes: Processes, command: Sequence[str], folder: Path) -> float:
    done = processes.run(command, cwd=folder, env={"CARGO_TARGET_DIR": str(folder / "target")}, deadline_s=DEADLINE_S)
    if done.exit_code != 0:
        raise RuntimeError("\n".join(done.tail))
    return done.duration_s


def _overhead(processes: Processes, clone: Path) -> float:
    """Wall time of `counterfoil check` in which neither a service, a verifier, a build nor buf was at work."""
    counterfoil = next(clone.glob(".nox/contracts*/bin/counterfoil"))
    env = {"CARGO_TARGET_DIR": str(clone / "target")}
    done = processes.run([str(counterfoil), "check", "--format", "json"], cwd=clone, env=env, deadline_s=DEADLINE_S)
    if done.exit_code != 0:
        raise RuntimeError("\n".join(done.tail))
    return done.duration_s - _covered_s(json.loads(done.stdout)["steps"])


def _covered_s(steps: Sequence[dict[str, float]]) -> float:
    """Seconds during which at least one step was under way."""
    covered_s, reached_s = 0.0, 0.0
    for step in sorted(steps, key=lambda step: step["started_s"]):
        ended_s = step["started_s"] + step["duration_s"]
        covered_s += max(0.0, ended_s - max(reached_s, step["started_s"]))
        reached_s = max(reached_s, ended_s)
    return covered_s
