"""Judges the change from one schema to another, by comparison, through runtimes and by buf, as findings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Self

from counterfoil.buf import Buf, BufError, as_finding, buf_yaml
from counterfoil.compat.carriers import Carriers
from counterfoil.compat.changes import Change, Direction, Effect
from counterfoil.compat.compare import compare
from counterfoil.compat.composing import Context, compose, unexplained, without_failing
from counterfoil.compat.merging import Annotation, Merged, merge
from counterfoil.compat.positions import Positions
from counterfoil.compat.sightings import Key, chosen
from counterfoil.compat.table import RULES
from counterfoil.compat.trimming import Trimmed
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Level, Location, Output, PayloadWitness, SchemaChange
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.schema.descriptors import ImageError, Schema, parse_image
from counterfoil.schema_consumers import Consumers
from counterfoil.schema_sources import EmptySchemaError, Sources
from counterfoil.schema_stubs import Runtimes, find_stubs
from counterfoil.schema_witnesses import SHRUNK_AT_MOST, Side, Trials, Trying, Witnesses, side, trials
from counterfoil.workspace import Workspace

AskBuf = Callable[[], tuple[Annotation, ...] | BufError]
WRITERS = 8
"""Witnesses written side by side: the disk is what takes its time."""
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
    witnesses: str = "contracts/witnesses/breaking"


class BreakingLane:
    """Judges schemas of one workspace. Raises UsageError for sources that cannot be used, BufError where buf fails.

    Runtimes are started when the first payload is to be read, and stay until the context ends.
    """

    def __init__(self, processes: Processes, workspace: Workspace) -> None:
        self._processes = processes
        self.workspace = workspace
        self._consumers = Consumers(workspace)
        self._stack = ExitStack()
        self._started: Runtimes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def runtimes(self) -> Runtimes:
        """The runtimes, started by the first who asks."""
        if self._started is None:
            commands, missing = find_stubs(self.workspace)
            self._started = self._stack.enter_context(Runtimes(self._processes, commands, missing))
        return self._started

    def judge(self, request: Request) -> tuple[Finding, ...]:
        """Every finding about the change from the baseline to the new schema."""
        workspace = self.workspace
        workspace.state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=workspace.state_dir, prefix="schema-") as scratch:
            sources = Sources(self._processes, workspace, Path(scratch))
            try:
                new = sources.find(request.new, request.new)
            except EmptySchemaError:
                return (no_schema(request.new, workspace),)
            if request.against is None:
                return () if request.first_release else (_no_baseline(request.new, workspace),)
            try:
                old = sources.find(request.against, request.new)
            except EmptySchemaError:
                return () if request.first_release else (_empty_baseline(request),)
            trimmed = sources.compare(old, new)
            found = self._compared(request, trimmed, sources.buf, Path(scratch)) if trimmed.changed else ()
        affecting = [one for one in found if self._concerns(one, request.only_affecting)]
        return tuple(without_failing(one, request.fail_on) for one in affecting)

    def _compared(self, request: Request, trimmed: Trimmed, buf: Buf, scratch: Path) -> tuple[Finding, ...]:
        config = self._config(request.new)
        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(_ask_buf, buf, trimmed, scratch, config)
            return self.judge_images(request, trimmed, asked.result, buf_is_asked=config is not None)

    def judge_images(
        self, request: Request, trimmed: Trimmed, ask_buf: AskBuf, *, buf_is_asked: bool
    ) -> tuple[Finding, ...]:
        """Every finding about the change from one image to another; buf's are merged with ours."""
        old, new = (_parsed(name, image) for name, image in (("old", trimmed.old), ("new", trimmed.new)))
        changes = compare(old, new)
        sides = side("the old schema", trimmed.old), side("the new schema", trimmed.new)
        todo = trials(*sides, changes, request.directions)
        shown = self._shown(request, changes, todo, sides) if todo else Shown()
        said = ask_buf()
        failed = (buf_failed(said, request.new),) if isinstance(said, BufError) else ()
        equivalents = {name: rule.buf for name, rule in RULES.items()}
        merged = merge(changes, () if isinstance(said, BufError) else said, Positions(new.proto.file), equivalents)
        context = Context(
            directions=request.directions,
            runtimes=shown.runtimes,
            absent=shown.absent,
            tried=shown.tried,
            untried=shown.untried,
            buf_ran=not failed,
            buf_is_asked=buf_is_asked,
            place=self._placed(request.new, ""),
            place_old=self._placed(request.against or "", f"{request.against}:" if request.against else ""),
            involved=partial(self._consumers.involved, Carriers((old, new))),
        )
        return (*_ours(changes, shown, merged, context), *self._bufs(request, merged, context), *failed)

    def _shown(self, request: Request, changes: Sequence[Change], todo: Trials, sides: tuple[Side, Side]) -> Shown:
        """Try what is worth trying, and keep the smallest payloads."""
        runtimes = self.runtimes()
        trying = Trying(runtimes, *sides, changes)
        sightings = trying.run(todo)
        witnesses = Witnesses(self.workspace.path(request.witnesses), request.witnesses, runtimes, sides)
        least = [
            (key, effect, one)
            for number, (key, by_effect) in enumerate(sorted(sightings.by_change.items()))
            for effect, several in by_effect.items()
            for one in (trying.smallest(key, several) if number < SHRUNK_AT_MOST else chosen(several))
        ]
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            kept = list(pool.map(lambda one: witnesses.keep(one[0], one[2]), least))
        found: dict[Key, dict[Effect, tuple[PayloadWitness, ...]]] = {}
        for (key, effect, _), witness in zip(least, kept, strict=True):
            by_effect = found.setdefault(key, {})
            by_effect[effect] = (*by_effect.get(effect, ()), witness)
        absent = {one.name: one.why for one in runtimes.absent}
        absent |= runtimes.refused(*(one.id for one in sides))
        taking_part = tuple(sorted(sightings.runtimes))
        tried, untried = frozenset(sightings.tried), frozenset(sightings.untried)
        return Shown(by_change=found, runtimes=taking_part, absent=absent, tried=tried, untried=untried)

    def _config(self, new: str) -> Path | None:
        return buf_yaml(self.workspace.root, self.workspace.path(new))

    def _placed(self, name: str, elsewhere: str) -> Callable[[Location], Location]:
        """From the paths in an image, which begin below the folder of a module, to those of the workspace.

        A schema that is no folder has none of these: its paths follow `elsewhere`.
        """
        folder = self.workspace.path(name)

        @cache
        def place(path: str) -> str:
            if not name or not folder.is_dir():
                return f"{elsewhere}{path}"
            if (folder / path).is_file():
                return f"{name}/{path}"
            inside = sorted(one.relative_to(folder).as_posix() for one in folder.rglob(Path(path).name))
            return next((f"{name}/{one}" for one in inside if one.endswith(f"/{path}")), path)

        return lambda location: Location(path=place(location.path), line=location.line)

    def _bufs(self, request: Request, merged: Merged, context: Context) -> Iterator[Finding]:
        """What only buf reports, under its own names; it fails where a buf.yaml asks for it."""
        for annotation in merged.rest:
            place = context.place(Location(path=annotation.path or request.new, line=annotation.line))
            found = as_finding(annotation, request.new, breaking=True)
            level = Level.POLICY if context.buf_is_asked else Level.SOURCE
            yield replace(found, level=level, location=place)

    def _concerns(self, found: Finding, participant: str) -> bool:
        if not participant or found.level is Level.UNPROVEN:
            return True
        changes = [one for one in found.evidence if isinstance(one, SchemaChange)]
        return any(self._consumers.concerns(participant, one.participants, one.pacts) for one in changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What runtimes showed, by change and where; nothing where none was started."""

    by_change: Mapping[Key, Mapping[Effect, tuple[PayloadWitness, ...]]] = field(default_factory=dict)
    runtimes: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    tried: frozenset[str] = frozenset()
    untried: frozenset[str] = frozenset()


def _ours(changes: Sequence[Change], shown: Shown, merged: Merged, context: Context) -> Iterator[Finding]:
    keys = {(change.rule, change.symbol) for change in changes}
    for change in changes:
        key = (change.rule, change.symbol)
        found = compose(change, shown.by_change.get(key, {}), merged.also.get(key, ()), context)
        if found is not None:
            yield found
    for key, by_effect in shown.by_change.items():
        if key not in keys:
            yield unexplained(key, by_effect, context, None)


def _ask_buf(buf: Buf, trimmed: Trimmed, scratch: Path, config: Path | None) -> tuple[Annotation, ...] | BufError:
    """What buf finds, or why it cannot say; nothing for an image without files, which it does not take."""
    if not (trimmed.old and trimmed.new):
        return ()
    old, new = scratch / "old.binpb", scratch / "new.binpb"
    old.write_bytes(trimmed.old)
    new.write_bytes(trimmed.new)
    try:
        return buf.breaking(old, new, config)
    except BufError as error:
        return error


def buf_failed(error: BufError, subject: str) -> Finding:
    """What buf would have said is not known."""
    return finding(
        "BUF_FAILED",
        subject,
        error.message,
        fix="see what it said, then run 'counterfoil doctor'",
        evidence=(Output(label="it said", lines=error.tail),) if error.tail else (),
    )


def _parsed(name: str, image: bytes) -> Schema:
    try:
        return parse_image(image)
    except ImageError as error:
        fix = "build it again, with its imports: buf build -o schema.binpb"
        raise UsageError(f"the {name} schema cannot be used", why=error.message, fix=fix) from None


def no_schema(name: str, workspace: Workspace) -> Finding:
    """There is nothing to judge."""
    return finding(
        "SCHEMA_MISSING",
        name,
        f"'{name}' has no .proto files, so there is no schema to judge",
        fix=f"correct schema.dir in {workspace.file.name}",
        location=Location(path=workspace.file.name),
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
