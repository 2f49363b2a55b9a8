"""Which cases of a plan may be affected by what differs from a git reference. What is not known is affected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from counterfoil.allowance.links import PlannedReading
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Build, Workspace, without_parents
from counterfoil.model import LINT, Case
from counterfoil.project.builds import folders_below, matching
from counterfoil.project.pact_places import pact_places
from counterfoil.runs.plan import Plan
from counterfoil.runs.waivers import FILE as WAIVERS
from counterfoil.system.buf import configuration_files
from counterfoil.system.git import Git
from counterfoil.system.processes import Processes

WILDCARDS = "*?["
ELSEWHERE = ("git:", "ledger:")


def affected(workspace: Workspace, plan: Plan, reference: str, processes: Processes) -> Plan:
    """The plan of what may be affected; the rest of its cases are left out. Raises UsageError for the reference."""
    changes = Changes(workspace, *Git(processes, workspace.root).differing(reference))
    cases = set(plan.cases) if changes.touch_everything else set(changes.affected(plan))
    narrowed = replace(
        plan.only(cases),
        findings=plan.findings,
        left_out=tuple(case for case in plan.cases if case not in cases),
    )
    if narrowed.cases or narrowed.findings:
        return narrowed
    nothing = finding(
        "FILTER_MATCHED_NOTHING",
        f"--changed-since {reference}",
        f"nothing that differs from '{reference}' can affect any of the {len(plan.cases)} cases, so nothing was judged",
        fix="leave out --changed-since to judge everything",
    )
    return replace(narrowed, findings=(nothing,))


class Changes:
    """The files of one workspace that differ; `visible` are those of which git can tell it."""

    def __init__(self, workspace: Workspace, differing: frozenset[Path], visible: frozenset[Path]) -> None:
        self._workspace = workspace
        self._differing = frozenset(one for path in differing for one in (path, path.resolve()))
        self._visible = frozenset(path.resolve() for path in visible)
        self._gone = tuple(path for path in self._differing if not path.exists())

    @property
    def touch_everything(self) -> bool:
        """Whether it is the configuration or the waivers that differ."""
        return any(self._is_below(path) for path in (self._workspace.file, self._workspace.path(WAIVERS)))

    def affected(self, plan: Plan) -> Iterator[Case]:
        """The cases that may be affected."""
        workspace = self._workspace
        touched = {
            path: self._is_below(workspace.path(path))
            for path in (
                *(pact.path for _, pact in plan.pact_cases),
                *(planned.pact.path for planned in plan.interactions),
                *(planned.pact.path for planned in plan.readings),
                *(planned.pact.path for planned in plan.trials),
            )
        }
        providers = {name: self._touch_provider(name) for name in plan.providers}
        stubs = {name: self._touch_stub(name) for name in dict.fromkeys(one.stub for one in plan.readings) if name}
        yield from (case for case, pact in plan.pact_cases if touched[pact.path])
        yield from (one.case for one in plan.interactions if touched[one.pact.path] or providers[one.pact.provider])
        yield from (one.case for one in plan.trials if touched[one.pact.path] or providers[one.pact.provider])
        yield from (one.case for one in plan.readings if touched[one.pact.path] or self._touch_reading(one, stubs))
        yield from (case for case in plan.schema_cases if self._touch_schema(is_lint=case.name == LINT))
        if plan.probe_cases and self._touch_probe():
            yield from plan.probe_cases

    def _touch_provider(self, name: str) -> bool:
        participant = self._workspace.settings.participants.get(name)
        if participant is None or participant.provider is None:
            return True
        folder = self._workspace.path(participant.dir)
        return self._touch_inputs(folder, participant.provider.inputs) or self._touch_builds(folder, participant.build)

    def _touch_stub(self, name: str) -> bool:
        stub = self._workspace.settings.stubs.get(name)
        if stub is None:  # built in
            return False
        folder = self._workspace.stub_dir(stub)
        builds = self._workspace.stub_builds(stub)
        return self._touch_inputs(folder, stub.inputs) or self._touch_builds(folder, builds)

    def _touch_reading(self, planned: PlannedReading, stubs: dict[str, bool]) -> bool:
        of_stub = stubs[planned.stub] if planned.stub else True
        documents = map(self._workspace.path, self._workspace.settings.documents)
        return of_stub or self._touch_protos() or any(map(self._is_below, documents))

    def _touch_protos(self) -> bool:
        """The protos, and what configures how buf reads them, in their folder and above it."""
        schema = self._workspace.settings.schema
        if schema is None:
            return False
        folder = self._workspace.path(schema.dir)
        return self._is_below(folder) or any(self._is_below(one) for one in configuration_files(folder))

    def _touch_schema(self, *, is_lint: bool) -> bool:
        schema = self._workspace.settings.schema
        if is_lint or schema is None or schema.against is None:
            return self._touch_protos()
        return (
            self._touch_protos()
            or schema.against.startswith(ELSEWHERE)
            or not self._workspace.path(schema.against).exists()
            or self._is_below(self._workspace.path(schema.against))
            or self._touch_pacts()
            or any(self._touch_stub(name) for name in self._workspace.settings.stubs)
        )

    def _touch_pacts(self) -> bool:
        pacts = self._workspace.settings.pacts
        if pacts is None:
            return False
        places = {self._workspace.path(pacts.dir), *pact_places(self._workspace)}
        return any(map(self._is_below, places)) or any(
            self._is_gone_from(_fixed_part(self._workspace.root, pattern)) for pattern in pacts.also
        )

    def _touch_probe(self) -> bool:
        probe, stubs = self._workspace.settings.probe, self._workspace.settings.stubs
        return (
            self._touch_protos()
            or self._touch_pacts()
            or self._is_below(self._workspace.path(probe.witnesses))
            or any(self._touch_stub(name) for name in probe.stubs or stubs)
        )

    def _touch_builds(self, folder: Path, builds: Iterable[Build]) -> bool:
        return any(self._touch_inputs(folder, build.inputs) for build in builds)

    def _touch_inputs(self, folder: Path, patterns: Sequence[str]) -> bool:
        """Whether one of the files differs, is gone, or cannot be told by git; no pattern, or no file, is not known."""
        if not patterns:
            return True
        for pattern in patterns:
            named = list(matching(folder, [pattern]))
            files = {file.resolve() for file in named}
            if not files or not files <= self._visible or any(map(self._differs, (*named, *files))):
                return True
            if self._is_gone_from(_fixed_part(folder, pattern)):
                return True
        return False

    def _differs(self, file: Path) -> bool:
        """Whether the file does, or a link on the way to it."""
        return not self._differing.isdisjoint((file, *file.parents))

    def _is_below(self, path: Path) -> bool:
        """Whether this file, or one in this folder, differs or cannot be told by git."""
        place = path.resolve()
        if any(one.is_relative_to(place) for one in self._differing):
            return True
        files = [place] if place.is_file() else list(matching(place, ["**/*"]))
        if any(self._differs(file.resolve()) or file.resolve() not in self._visible for file in files):
            return True
        return self._is_gone_from(place)

    def _is_gone_from(self, place: Path) -> bool:
        """Whether a file below a folder, or behind a link there, is no more."""
        reached = frozenset(_reached(place)) if self._gone else frozenset()
        return any(not reached.isdisjoint((path, *path.parents)) for path in self._gone)


def _fixed_part(folder: Path, pattern: str) -> Path:
    """The folder in which a pattern looks, before its first wildcard."""
    base = folder.joinpath(*[".."] * pattern.count("../")).resolve()
    for part in Path(without_parents(pattern)).parts:
        if any(one in part for one in WILDCARDS):
            break
        base /= part
    return base.resolve()


def _reached(place: Path) -> Iterator[Path]:
    """A folder, the folders below it, and where links in them lead."""
    yield place
    for folder in folders_below(place):
        yield folder.resolve()
        yield from (path.resolve() for path in folder.iterdir() if path.is_symlink())
