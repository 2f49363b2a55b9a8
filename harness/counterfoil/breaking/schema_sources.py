"""Where schemas come from: a folder of protos, an image, or a git reference, as images of what differs."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from counterfoil.compat.annotations import Annotation
from counterfoil.compat.trimming import Trimmed, join, raw_files, trim
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.project.proto_trees import FolderTree, GitTree, Tree, extract, partial, require_utf8
from counterfoil.schema.building import ImageError
from counterfoil.system.buf import PROTO, Buf, BufError, CompileError
from counterfoil.system.files import replace_file
from counterfoil.system.git import Git
from counterfoil.system.processes import Processes

GIT = "git:"
LEDGER = "ledger:"
MAX_IMAGE_BYTES = 2 * 1024**3
GZIP = b"\x1f\x8b"
WHOLE_UP_TO = 100
"""Folders of so many protos or fewer are compiled as a whole: that takes no longer than choosing."""


class EmptySchemaError(Exception):
    """A source has no schema in it; `source` as the user named it."""

    def __init__(self, source: str) -> None:
        super().__init__(f"'{source}' has no schema in it")
        self.source = source


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One side of a comparison: either the bytes of an image, or a tree of protos to compile."""

    name: str
    image: bytes | None = None
    tree: Tree | None = None


def folder_in_git(workspace: Workspace, *names: str | None) -> str:
    """Where in a commit the schema lies: in the first of these that is a folder here, else where it is configured."""
    folders = (name for name in names if name and workspace.path(name).is_dir())
    schema = workspace.settings.schema
    return next(folders, schema.dir if schema else ".")


class DoesNotCompileError(UsageError):
    """A schema does not compile; `annotations` are what the compiler says, with the paths of the user's files."""

    def __init__(self, source: str, annotations: Sequence[Annotation]) -> None:
        first = annotations[0]
        super().__init__(
            f"the schema '{source}' does not compile",
            where=f"{first.path}:{first.line}:{first.column}" if first.path else source,
            why=first.message + (f" (and {len(annotations) - 1} more)" if len(annotations) > 1 else ""),
            fix=f"correct {first.path or source}; 'buf build' shows every error",
        )
        self.source = source
        self.annotations = tuple(annotations)


class Sources:
    """Finds schemas for one workspace. Raises UsageError for what cannot be used, BufError where buf fails."""

    def __init__(self, processes: Processes, workspace: Workspace, scratch: Path) -> None:
        self.buf = Buf(processes, workspace.root, workspace.state_dir)
        self._git = Git(processes, workspace.root)
        self._workspace = workspace
        self.scratch = scratch
        participants = workspace.settings.participants.values()
        self._for_whom = any(one.reads or one.writes for one in participants)
        """Whether it matters what carries a change."""

    def find(self, name: str, folder: str) -> Source:
        """A path, `git:REF`, a git reference or `ledger:PARTICIPANT@VERSION`. Raises EmptySchemaError too.

        `folder` is the one to look at in git.
        """
        path = self._workspace.path(name)
        if name.startswith(LEDGER):
            return Source(name=name, image=self._recorded(name.removeprefix(LEDGER)))
        if name.startswith(GIT):
            return self._in_git(name, name.removeprefix(GIT), folder)
        if path.is_dir():
            return self._tree(name, FolderTree(path))
        if path.is_file():
            return Source(name=name, image=self._image(name, path))
        if self._git.has_commit(name):
            return self._in_git(name, name, folder)
        raise UsageError(
            f"there is no schema '{name}'",
            why="it is neither a folder, nor an image, nor a commit that git knows here",
            fix="name a folder of protos, an image (.binpb), git:REF or ledger:PARTICIPANT@VERSION; "
            "a shallow clone may lack the commit: git fetch --unshallow",
        )

    def _recorded(self, version: str) -> bytes:
        """The image of a version in the ledger."""
        participant, _, number = version.partition("@")
        if not (participant and number):
            raise UsageError(
                f"'{LEDGER}{version}' names no version in the ledger",
                why="a version is named by its participant and its number",
                fix=f"write {LEDGER}PARTICIPANT@VERSION, such as {LEDGER}catalog@1.4.0",
            )
        # These take longer to load than most commands to run.
        from counterfoil.gate.facts import VersionRef  # noqa: PLC0415
        from counterfoil.ledger.store import open_ledger  # noqa: PLC0415

        return open_ledger(self._workspace.root, os.environ).schema_of(VersionRef(participant, number))

    def _in_git(self, name: str, reference: str, folder: str) -> Source:
        beside = FolderTree(self._workspace.path(folder))
        return self._tree(name, GitTree(self._git, reference, self._workspace.relative(beside.top), beside.inside))

    def _tree(self, name: str, tree: Tree) -> Source:
        inside = "" if tree.inside == "." else f"{tree.inside}/"
        if not any(path.endswith(PROTO) and path.startswith(inside) for path in tree.objects):
            raise EmptySchemaError(name)
        require_utf8(name, tree.objects)
        return Source(name=name, tree=tree)

    def _image(self, name: str, path: Path) -> bytes:
        data = path.read_bytes()
        if data.startswith(GZIP):
            data = _unzipped(name, data)
        if not data:
            raise EmptySchemaError(name)
        if data.lstrip()[:1] != b"{":
            return data
        text, image = (self.scratch / f"{path.stem}-{ending}" for ending in ("image.json", "image.binpb"))
        replace_file(text, data)
        try:
            self.buf.image_of_json(text, image)
        except BufError as error:
            raise _not_an_image(name, " ".join(error.tail[-1:])) from None
        return image.read_bytes()

    def compare(self, old: Source, new: Source) -> Trimmed:
        """What differs between two sources, as images that can be judged in place of the whole ones."""
        needed: tuple[frozenset[str] | None, ...] = (None, None)
        if old.tree is not None and new.tree is not None:
            if old.tree.objects == new.tree.objects:
                if len(new.tree.objects) <= WHOLE_UP_TO:
                    self._files(new, "new", None)
                return Trimmed(old=b"", new=b"", changed=frozenset())
            if len(new.tree.objects) > WHOLE_UP_TO:
                needed = partial(old.tree, new.tree, carriers=self._for_whom)
        with ThreadPoolExecutor(max_workers=2) as pool:
            one, other = pool.map(self._files, (old, new), ("old", "new"), needed)
        try:
            return trim(one, other, carriers=self._for_whom)
        except ImageError as error:
            raise _not_an_image(f"{old.name}' or '{new.name}", str(error)) from None

    def whole(self, source: Source, side: str) -> bytes:
        """The whole schema as one image."""
        return join(self._files(source, side, None))

    def _files(self, source: Source, side: str, needed: frozenset[str] | None) -> tuple[bytes, ...]:
        image = source.image or b""
        if source.tree is not None:
            image = self._compiled(source.name, source.tree, side, needed)
        try:
            return raw_files(image)
        except ImageError as error:
            raise _not_an_image(source.name, str(error)) from None

    def _compiled(self, name: str, tree: Tree, side: str, needed: frozenset[str] | None) -> bytes:
        """A tree as an image, or as much of it as is needed; the whole of it where the part does not compile."""
        image = self.scratch / f"{side}-compiled.binpb"
        if needed is not None:
            try:
                self.buf.build(extract(tree, self.scratch / side, needed), image)
            except BufError:
                image.unlink(missing_ok=True)
            else:
                return image.read_bytes()
        folder = tree.whole(self.scratch / f"{side}-whole")
        try:
            self.buf.build(folder, image)
        except CompileError as error:
            inside = f"{self._workspace.relative(folder)}/"
            shown = f"{name}/" if folder.is_relative_to(self.scratch) else inside
            placed = [replace(one, path=one.path.replace(inside, shown, 1)) for one in error.annotations]
            raise DoesNotCompileError(name, placed) from None
        return image.read_bytes()


def _not_an_image(name: str, why: str) -> UsageError:
    return UsageError(
        f"'{name}' is not an image",
        why=why,
        fix="write it with 'buf build -o schema.binpb'; one that ends early has to be fetched again",
    )


def _unzipped(name: str, data: bytes) -> bytes:
    unzipping = zlib.decompressobj(wbits=31)
    try:
        image = unzipping.decompress(data, MAX_IMAGE_BYTES)
    except zlib.error as error:
        raise _not_an_image(name, str(error)) from None
    if not unzipping.eof:
        raise _not_an_image(name, f"what is zipped in it ends early, or is more than {MAX_IMAGE_BYTES} bytes")
    return image
