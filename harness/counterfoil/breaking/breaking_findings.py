"""What differs between two images, by comparison, through runtimes and by buf, as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from counterfoil.breaking.breaking_lane import Request, buf_failed, config_for
from counterfoil.breaking.schema_consumers import Consumers
from counterfoil.compat.annotations import Annotation
from counterfoil.compat.carriers import Carriers
from counterfoil.compat.changes import Change
from counterfoil.compat.compare import compare
from counterfoil.compat.composing import Context, Shown, compose, not_asked, unexplained
from counterfoil.compat.growth import only_grew, reads_alike
from counterfoil.compat.merging import Merged, map_entries, merge
from counterfoil.compat.positions import Positions
from counterfoil.compat.table import RULES
from counterfoil.compat.trimming import Trimmed
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Level, Location, SchemaChange
from counterfoil.project.proto_trees import relevant_files
from counterfoil.schema.building import ImageError
from counterfoil.schema.descriptors import Schema, parse_image
from counterfoil.system.buf import Buf, BufError, as_finding

if TYPE_CHECKING:
    from counterfoil.breaking.schema_stubs import Runtimes

AskBuf = Callable[[], tuple[Annotation, ...] | BufError]


class Judgement:
    """Judges two images as one request asks. `runtimes` starts them. Raises UsageError for what is no image."""

    def __init__(
        self, workspace: Workspace, runtimes: Callable[[], Runtimes], request: Request, trimmed: Trimmed
    ) -> None:
        self._workspace = workspace
        self._runtimes = runtimes
        self._request = request
        self._trimmed = trimmed
        self.schemas = old, new = parsed("old", trimmed.old), parsed("new", trimmed.new)
        self._changes = compare(old, new)
        self._consumers = Consumers(workspace)
        self.needs_runtimes = not reads_alike(old, new, self._changes)
        self.note = ""
        """Who was not asked, once there are findings."""

    def with_buf(self, buf: Buf, scratch: Path) -> tuple[Finding, ...]:
        """Every finding about the change; buf judges beside us, and what it reports is merged with ours."""
        config = config_for(self._workspace, self._request)
        ask_buf = partial(_ask_buf, buf, self._trimmed, scratch, config)
        return self.findings(ask_buf, buf_is_asked=config is not None)

    def findings(self, ask_buf: AskBuf, *, buf_is_asked: bool) -> tuple[Finding, ...]:
        """Every finding about the change from one image to another.

        buf has no rule of its own against what only adds; a buf.yaml may name programs that have one, or be wrong.
        """
        old, new = schemas = self.schemas
        changes = self._changes
        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(ask_buf) if buf_is_asked or not only_grew(old, new, changes) else None
            shown = self._shown() if self.needs_runtimes else Shown()
            said = asked.result() if asked else ()
        self.note = not_asked(shown)
        failed = (buf_failed(said, self._request.new),) if isinstance(said, BufError) else ()
        annotations = () if isinstance(said, BufError) else said
        equivalents = {name: rule.buf for name, rule in RULES.items()}
        merged = merge(changes, annotations, Positions(new.proto.file), equivalents, map_entries(schemas))
        context = self._context(schemas, shown, buf_ran=not failed, buf_is_asked=buf_is_asked)
        unknown = (*failed, *self._unheard(shown))
        found = (*_ours(changes, merged, context, schemas), *self._bufs(merged, context), *unknown)
        return tuple(one for one in found if self._concerns(one))

    def _shown(self) -> Shown:
        """Try what is worth trying; nothing is started where nothing is."""
        from counterfoil.breaking.schema_witnesses import show  # noqa: PLC0415  (few changes need it)

        request = self._request
        folder = self._workspace.path(request.witnesses)
        return show(self._runtimes, self._trimmed, self._changes, request.directions, (folder, request.witnesses))

    def _unheard(self, shown: Shown) -> Iterator[Finding]:
        """Configured stubs that did not answer everything; where nobody answered, all that might have."""
        for name, why in sorted({**shown.silent, **shown.absent}.items()):
            is_configured = name in self._workspace.settings.stubs
            if is_configured or not shown.runtimes:
                start = f"start it by hand with the command of [stubs.{name}]; counterfoil build may be missing"
                yield finding(
                    "STUB_NOT_JUDGED",
                    name,
                    f"how '{name}' reads what changed is not known: {why}",
                    fix=start if is_configured else "correct the schema, so that a runtime can read it",
                )

    def _context(self, schemas: tuple[Schema, ...], shown: Shown, *, buf_ran: bool, buf_is_asked: bool) -> Context:
        request = self._request
        return Context(
            directions=request.directions,
            shown=shown,
            buf_ran=buf_ran,
            buf_is_asked=buf_is_asked,
            place=self._placed(request.new, ""),
            place_old=self._placed(request.against or "", f"{request.against}:" if request.against else ""),
            involved=partial(self._consumers.involved, Carriers(schemas)),
        )

    def _placed(self, name: str, elsewhere: str) -> Callable[[Location], Location]:
        """From the paths in an image, which begin below the folder of a module, to those of the workspace.

        A schema that is no folder has none of these: its paths follow `elsewhere`.
        """
        folder = self._workspace.path(name)
        if not name or not folder.is_dir():
            return lambda location: replace(location, path=f"{elsewhere}{location.path}")

        @cache
        def by_name() -> Mapping[str, list[str]]:
            found: dict[str, list[str]] = {}
            for one in sorted(relevant_files(folder)):
                found.setdefault(PurePosixPath(one).name, []).append(one)
            return found

        @cache
        def place(path: str) -> str:
            if (folder / path).is_file():
                return PurePosixPath(name, path).as_posix()
            inside = by_name().get(PurePosixPath(path).name, ())
            return next((PurePosixPath(name, one).as_posix() for one in inside if one.endswith(f"/{path}")), path)

        return lambda location: replace(location, path=place(location.path))

    def _bufs(self, merged: Merged, context: Context) -> Iterator[Finding]:
        """What only buf reports, under its own names; it fails where a buf.yaml asks for it."""
        request = self._request
        for annotation in merged.rest:
            place = context.place(Location(path=annotation.path or request.new, line=annotation.line))
            found = as_finding(annotation, request.new, breaking=True)
            level = Level.POLICY if context.buf_is_asked else Level.SOURCE
            yield replace(found, level=level, location=place)

    def _concerns(self, found: Finding) -> bool:
        """Whether it is to be shown: with --only-affecting, what is known to concern others only is not."""
        participant = self._request.only_affecting
        changes = [one for one in found.evidence if isinstance(one, SchemaChange)]
        if not participant or not changes:
            return True
        return any(self._consumers.concerns(participant, one.participants, one.pacts) for one in changes)


def _ours(
    changes: Sequence[Change], merged: Merged, context: Context, schemas: tuple[Schema, Schema]
) -> Iterator[Finding]:
    shown = context.shown
    keys = {(change.rule, change.symbol) for change in changes}
    for change in changes:
        key = (change.rule, change.symbol)
        found = compose(change, shown.by_change.get(key, {}), merged.also.get(key, ()), context)
        if found is not None:
            yield found
    for key, by_effect in shown.by_change.items():
        if key not in keys:
            yield unexplained(key, by_effect, context, (schemas[0].location(key[1]), schemas[1].location(key[1])))


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


def parsed(name: str, image: bytes) -> Schema:
    """The old or the new schema. Raises UsageError for an image that lacks what it imports, or is none."""
    try:
        return parse_image(image)
    except ImageError as error:
        fix = "build it again, with its imports: buf build -o schema.binpb"
        raise UsageError(f"the {name} schema cannot be used", why=error.message, fix=fix) from None
