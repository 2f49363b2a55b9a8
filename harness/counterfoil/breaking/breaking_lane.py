"""Judges the change from one schema to another: finds both, and what differs between them, as findings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from counterfoil.breaking.schema_sources import EmptySchemaError, Source, Sources, folder_in_git
from counterfoil.compat.changes import Direction
from counterfoil.compat.trimming import Trimmed
from counterfoil.core.rules import finding
from counterfoil.core.workspace import BREAKING_WITNESSES, Workspace
from counterfoil.model import Finding, Level, Location, Output
from counterfoil.results.result_cache import Judged, ResultCache, Reuse
from counterfoil.system.buf import BufError, CompileError, config_of
from counterfoil.system.processes import Processes

if TYPE_CHECKING:
    from counterfoil.breaking.schema_stubs import Runtimes

SHELF = "breaking"
FAILING = frozenset({Level.BEHAVIOUR, Level.POLICY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is compared, and how strictly. `witnesses`: where they are written, relative to the workspace."""

    new: str
    against: str | None
    directions: frozenset[Direction] = frozenset(Direction)
    fail_on: frozenset[Level] = FAILING
    first_release: bool = False
    only_affecting: str = ""
    witnesses: str = BREAKING_WITNESSES


class BreakingLane:
    """Judges schemas of one workspace. Raises UsageError for sources that cannot be used, BufError where buf fails.

    Runtimes are started when the first payload is to be read, and stay until the context ends.
    """

    def __init__(self, processes: Processes, workspace: Workspace, cache: ResultCache | None = None) -> None:
        self._processes = processes
        self.workspace = workspace
        self._cache = cache or ResultCache(workspace, processes, Reuse(enabled=False))
        self._stack = ExitStack()
        self._started: Runtimes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def runtimes(self) -> Runtimes:
        """The runtimes, started by the first who asks."""
        if self._started is None:
            from counterfoil.breaking.schema_stubs import Runtimes, find_stubs  # noqa: PLC0415  (few changes need them)

            commands, missing = find_stubs(self.workspace)
            self._started = self._stack.enter_context(Runtimes(self._processes, commands, missing))
        return self._started

    def judge(self, request: Request) -> tuple[Finding, ...]:
        """Every finding about the change from the baseline to the new schema."""
        return self.judged(request).findings

    def judged(self, request: Request) -> Judged:
        """The same, with a note where it is not of this run."""
        workspace = self.workspace
        # Not in the workspace: where that is itself a folder of protos, buf would compile what is extracted there too.
        with tempfile.TemporaryDirectory(prefix="counterfoil-") as scratch:
            sources = Sources(self._processes, workspace, Path(scratch))
            folder = folder_in_git(workspace, request.new, request.against)
            try:
                new = sources.find(request.new, folder)
            except EmptySchemaError:
                return Judged(findings=(no_schema(request.new, workspace),))
            try:
                old = sources.find(request.against, folder) if request.against is not None else None
            except EmptySchemaError:
                old = None
            if old is None:
                return _first(request, sources, new, workspace)
            judged = self._compared(request, sources, (old, new))
        return replace(
            judged, findings=tuple(replace(one, fails=one.level in request.fail_on) for one in judged.findings)
        )

    def _key(self, request: Request, trimmed: Trimmed, sides: tuple[Source, Source]) -> str | None:
        from counterfoil.breaking.breaking_key import breaking_key  # noqa: PLC0415  (loads what few changes need)

        config = config_for(self.workspace, request)
        asked = (request.new, request.against, sorted(request.directions), request.witnesses, request.only_affecting)
        places = [sorted(side.tree.objects) for side in sides if side.tree is not None]
        return breaking_key(self.workspace, trimmed, config, (*asked, places))

    def _compared(self, request: Request, sources: Sources, sides: tuple[Source, Source]) -> Judged:
        """Only what needs runtimes is kept, and a kept one looked for: to find again what needs none takes longer."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            comparing = pool.submit(sources.compare, *sides)
            # What judges loads while buf compiles.
            from counterfoil.breaking.breaking_findings import Judgement  # noqa: PLC0415

            trimmed = comparing.result()
        if not trimmed.changed:
            return Judged()
        judgement = Judgement(self.workspace, self.runtimes, request, trimmed)

        def judge() -> Judged:
            findings = judgement.with_buf(sources.buf, sources.scratch)
            return Judged(findings=findings, note=judgement.note)

        if not judgement.needs_runtimes:
            return judge()
        subject = f"{request.new} since {request.against}"
        return self._cache.reused_or_judged(SHELF, subject, lambda: self._key(request, trimmed, sides), judge)


def config_for(workspace: Workspace, request: Request) -> Path | None:
    """The buf.yaml by which a change is judged."""
    is_here = workspace.path(request.new).exists()
    place = request.new if is_here else folder_in_git(workspace, request.new, request.against)
    return config_of(workspace.root, workspace.path(place))


def _first(request: Request, sources: Sources, new: Source, workspace: Workspace) -> Judged:
    """Without a baseline nothing breaks, if that is meant, and if there is a schema that can be used."""
    if not request.first_release:
        missing = _no_baseline(request.new, workspace) if request.against is None else _empty_baseline(request)
        return Judged(findings=(missing,))
    from counterfoil.breaking.breaking_findings import parsed  # noqa: PLC0415  (few changes need it)

    parsed("new", sources.whole(new, "new"))
    return Judged()


def guarded(judge: Callable[[], Judged], subject: str) -> Judged:
    """What was found, or that buf failed."""
    try:
        return judge()
    except CompileError:
        raise
    except BufError as error:
        return Judged(findings=(buf_failed(error, subject),))


def buf_failed(error: BufError, subject: str) -> Finding:
    """What buf would have said is not known."""
    return finding(
        "BUF_FAILED",
        subject,
        error.message,
        fix="see what it said, then run 'counterfoil doctor'",
        evidence=(Output(label="it said", lines=error.tail),) if error.tail else (),
    )


def no_schema(name: str, workspace: Workspace) -> Finding:
    """There is nothing to judge."""
    schema, file = workspace.settings.schema, workspace.file.name
    is_configured = schema is not None and schema.dir == name
    return finding(
        "SCHEMA_MISSING",
        name,
        f"'{name}' has no .proto files, so there is no schema to judge",
        fix=f"correct schema.dir in {file}" if is_configured else "name a folder or an image that has some",
        location=Location(path=file if is_configured else name),
    )


def _no_baseline(name: str, workspace: Workspace) -> Finding:
    return finding(
        "SCHEMA_BASELINE_MISSING",
        name,
        f"'{name}' has no baseline to be compared with",
        fix="set schema.against, or pass --against: a folder, an image (.binpb) or git:REF; "
        "for the first release, --first-release",
        location=Location(path=workspace.file.name),
    )


def _empty_baseline(request: Request) -> Finding:
    return finding(
        "SCHEMA_BASELINE_EMPTY",
        request.new,
        f"the baseline '{request.against}' has no schema in it, so nothing could break",
        fix="name the baseline of the last release, a folder, an image (.binpb) or git:REF; "
        "if there is none yet, pass --first-release",
        location=Location(path=request.against or request.new),
    )
