"""Gets a participant ready to be judged: its tools are there, its builds are done."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from counterfoil.core.rules import finding
from counterfoil.core.workspace import Participant, Stub, Workspace
from counterfoil.model import Finding, Location, Output
from counterfoil.project.builds import Stamps, run_build
from counterfoil.system import toolchain
from counterfoil.system.processes import Processes

BUILD_TAIL_SHOWN = 30

Step = Callable[[str], AbstractContextManager[None]]
"""Tells those who watch when a longer piece of work starts and ends."""


class Preparation:
    """Prepares the participants of one workspace."""

    def __init__(self, processes: Processes, stamps: Stamps, workspace: Workspace) -> None:
        self._processes = processes
        self._stamps = stamps
        self._workspace = workspace

    def prepare(self, name: str, command: Sequence[str], at_stake: str, step: Step) -> Finding | None:
        """Get one participant, or one stub, ready for a command; what prevents the work at stake, if anything does."""
        settings = self._workspace.settings
        unit = settings.participants.get(name) or settings.stubs[name]
        return self._missing_tools(name, unit, command, at_stake) or self._build(name, unit, step)

    def _missing_tools(
        self, name: str, unit: Participant | Stub, command: Sequence[str], at_stake: str
    ) -> Finding | None:
        programs = [run[0] for run in (command, *(build.run for build in unit.build)) if run]
        needed = dict.fromkeys([*unit.tools, *(program for program in programs if "/" not in program)])
        missing = [tool for tool in needed if toolchain.find(tool) is None]
        if not missing:
            return None
        return finding(
            "TOOL_MISSING",
            name,
            f"{name} needs {' and '.join(map(repr, missing))}, not found on PATH; this could not be done: {at_stake}",
            fix="; ".join(dict.fromkeys(toolchain.how_to_install(tool) for tool in missing)),
            location=Location(path=self._workspace.file.name),
        )

    def _build(self, name: str, unit: Participant | Stub, step: Step) -> Finding | None:
        workspace = self._workspace
        folder = workspace.stub_dir(unit) if isinstance(unit, Stub) else workspace.path(unit.dir)
        for number, build in enumerate(unit.build, start=1):
            with step(f"build {name} ({' '.join(build.run)[:60]})"):
                done = run_build(self._processes, self._stamps, f"build-{name}-{number}", folder, build)
            if done is None or done.exit_code == 0:
                continue
            place = workspace.relative((folder / build.dir).resolve())
            how = f"did not end within {build.deadline_s:g} s" if done.exit_code is None else "failed"
            return finding(
                "BUILD_FAILED",
                f"{name}:{number}",
                f"building {name} {how}: {shlex.join(build.run)}",
                fix=f"run it by hand: cd {shlex.quote(place)} && {shlex.join(build.run)}",
                location=Location(path=place),
                evidence=(Output(label="it printed", lines=done.tail[-BUILD_TAIL_SHOWN:]),),
            )
        return None
