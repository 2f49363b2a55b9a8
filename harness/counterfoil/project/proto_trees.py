"""Folders of protos, on disk or in git, as files with ids; and which of them have to be compiled to compare two."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from counterfoil.compat.trimming import RawFile, select
from counterfoil.errors import UsageError
from counterfoil.system.buf import CONFIGURATION, PROTO, parse_config
from counterfoil.system.git import Git

NOT_WALKED = frozenset({".git", ".counterfoil"})
IMPORT = re.compile(rb"""\bimport\s*(public\s*|weak\s*|option\s*)?["']([^"'\n]+)["']""")
PACKAGE = re.compile(rb"(?:^|[;/])\s*package\s+([\w.]+)\s*;", re.MULTILINE)
SORTS = {"message": b"message", "enum": b"enum", "service": b"service", "extension": b"extend"}


class Tree(Protocol):
    """Protos, and what configures their compilation, by their paths with slashes in one folder.

    A schema that is one of several modules, which import from each other, is a folder `inside` their tree.
    """

    @property
    def inside(self) -> str:
        """The folder that is the schema; "." for all of it."""

    @property
    def objects(self) -> Mapping[str, str]:
        """An id for each file: the same content has the same, in git and on disk."""

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """What these files hold."""

    def whole(self, scratch: Path) -> Path:
        """The folder to compile, with all of them in place; it may be in `scratch`."""


def is_relevant(path: str) -> bool:
    """Whether a file has a say in what a folder compiles to."""
    return path.endswith(PROTO) or PurePosixPath(path).name in CONFIGURATION


def require_utf8(source: str, paths: Iterable[str]) -> None:
    """Raise UsageError for a proto whose name no descriptor can hold; paths are as Python decodes those of files."""
    for path in paths:
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if shown != path and path.endswith(PROTO):
            raise UsageError(
                f"the file '{shown}' in '{source}' has a name that is not UTF-8",
                why="a descriptor holds the names of its files as UTF-8, so no runtime could load it",
                fix="rename the file, and what imports it",
            )


def relevant_files(folder: Path) -> Iterator[str]:
    """The paths in a folder of those on disk. As buf does, links are followed; into no folder twice."""
    seen = set()
    for place, inner, names in os.walk(folder, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            inner.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        inner[:] = sorted(name for name in inner if name not in NOT_WALKED)
        for name in filter(is_relevant, names):
            yield Path(place, name).relative_to(folder).as_posix()


class FolderTree:
    """A folder on disk, with the modules beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.top = _top(folder)
        self.inside = folder.relative_to(self.top).as_posix()

    @cached_property
    def objects(self) -> Mapping[str, str]:
        """The ids that git would give them."""
        return {path: _blob_id(data) for path, data in self._contents.items()}

    @cached_property
    def _contents(self) -> dict[str, bytes]:
        return {path: _content(self.top / path) for path in sorted(self._paths())}

    def _paths(self) -> Iterable[str]:
        if self.top == self.folder:
            return relevant_files(self.folder)
        at_top = _configuration(self.top)
        roots = _module_roots(at_top) or ()
        return {*at_top, *(f"{root}{path}" for root in roots for path in relevant_files(self.top / root))}

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """From what was read already."""
        return {path: self._contents[path] for path in paths}

    def whole(self, scratch: Path) -> Path:
        """Itself; buf compiles it where it lies."""
        del scratch
        return self.folder


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        why = "reading a pipe or a device might never end"
        raise UsageError(f"'{path}' is not a file with a schema in it", why=why, fix="remove it")
    return path.read_bytes()


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class GitTree:
    """A folder as it was at a commit, with the modules that were beside it if it is `inside` a tree of several."""

    def __init__(self, git: Git, reference: str, top: str, inside: str) -> None:
        self._git = git
        self.inside = inside
        found = git.files(reference, top)
        self.objects: Mapping[str, str] = {path: one for path, one in found.items() if is_relevant(path)}
        if inside != ".":
            at_top = [name for name in CONFIGURATION if name in self.objects]
            roots = _module_roots(self.read(at_top)) if at_top else None
            counting = (f"{inside}/", *(roots or ()), *at_top)
            self.objects = {path: one for path, one in self.objects.items() if path.startswith(counting)}

    def read(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """From git's own store."""
        wanted = list(paths)
        contents = self._git.contents(self.objects[path] for path in wanted)
        return {path: contents[self.objects[path]] for path in wanted}

    def whole(self, scratch: Path) -> Path:
        """Everything, written to `scratch`."""
        return extract(self, scratch, self.objects)


def _configuration(folder: Path) -> dict[str, bytes]:
    """The files right in a folder that configure what buf makes of it, by their names."""
    return {name: (folder / name).read_bytes() for name in CONFIGURATION if (folder / name).is_file()}


def _top(folder: Path) -> Path:
    """The folder of the nearest buf.yaml or buf.work.yaml above by which a folder is one of several; else itself."""
    for top in folder.parents:
        if files := _configuration(top):
            roots = _module_roots(files) or ()
            return top if len(roots) > 1 and f"{folder.relative_to(top).as_posix()}/" in roots else folder
    return folder


def extract(tree: Tree, folder: Path, paths: Iterable[str]) -> Path:
    """Write files of a tree, and what configures their compilation, to a folder; the one in it to compile."""
    configuration = {path for path in tree.objects if not path.endswith(PROTO)}
    for path, data in tree.read(sorted({*paths, *configuration})).items():
        target = folder / path
        if not target.resolve().is_relative_to(folder.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder / tree.inside


# --- what has to be compiled -----------------------------------------------------------------------------------------


def partial(
    old: Tree, new: Tree, *, carriers: bool = False
) -> tuple[frozenset[str], frozenset[str]] | tuple[None, None]:
    """The files of each side to compile so that everything that differs can be seen; None where that is not sure.

    With `carriers`, also all that can carry what differs.
    """
    names = {path for tree in (old, new) for path in tree.objects if not path.endswith(PROTO)}
    if any(old.objects.get(name) != new.objects.get(name) for name in names):
        return None, None
    roots = _module_roots(new.read(name for name in CONFIGURATION if name in new.objects))
    if roots is None:
        return None, None
    changed = frozenset(
        path for path in old.objects.keys() | new.objects.keys() if old.objects.get(path) != new.objects.get(path)
    )
    if len(changed) * 2 > len(new.objects):
        return None, None
    before, after = _graphs(old, new, changed, roots)
    kept = select(before, after, changed, outlines=False, carriers=carriers).whole
    needed = kept | _module_witnesses(after, changed, roots)
    return needed & old.objects.keys(), needed & new.objects.keys()


def _graphs(
    old: Tree, new: Tree, changed: frozenset[str], roots: tuple[str, ...]
) -> tuple[dict[str, RawFile], dict[str, RawFile]]:
    """The first level of every file, as far as its text tells; what did not change is read once."""
    sides = []
    near, far = (old, new) if isinstance(old, FolderTree) else (new, old)
    texts = near.read(path for path in near.objects if path.endswith(PROTO))
    others = far.read(path for path in changed if path in far.objects)
    for tree in (old, new):
        own = texts if tree is near else {**texts, **others}
        protos = [path for path in tree.objects if path.endswith(PROTO)]
        sides.append({path: _glance(own[path], roots, tree.objects) for path in protos})
    return sides[0], sides[1]


def _glance(text: bytes, roots: tuple[str, ...], paths: Mapping[str, str]) -> RawFile:
    """What a file imports, and which words are in it. What a comment says counts too, which does no harm."""
    imports, public = [], []
    for kind, raw in IMPORT.findall(text):
        name = raw.decode("utf-8", "replace")
        path = next((one for root in roots if (one := f"{root}{name}") in paths), None)
        if path is not None:
            imports.append(path)
            if kind.strip() == b"public":
                public.append(path)
    package = PACKAGE.search(text)
    sorts = frozenset(sort for sort, word in SORTS.items() if word in text)
    name = package.group(1).decode() if package else ""
    return RawFile(b"", len(text), name, tuple(imports), tuple(public), sorts)


def _module_roots(configuration: Mapping[str, bytes]) -> tuple[str, ...] | None:
    """The folders below which imports are looked up, each ending with a slash; None where buf's files are unusual."""
    try:
        documents = {name: parse_config(data) for name, data in configuration.items() if name != "buf.lock"}
    except ValueError:
        return None
    modules = documents.get("buf.yaml", {}).get("modules") or []
    listed = documents.get("buf.work.yaml", {}).get("directories") or [one.get("path", ".") for one in modules]
    roots = tuple("" if PurePosixPath(one) == PurePosixPath() else f"{PurePosixPath(one)}/" for one in listed)
    return roots or ("",)


def _module_witnesses(image: Mapping[str, RawFile], changed: frozenset[str], roots: tuple[str, ...]) -> frozenset[str]:
    """An unchanged file of each module: buf refuses one without any."""
    found = set()
    for root in roots if len(roots) > 1 else ():
        inside = [name for name in image if name.startswith(root) and name not in changed]
        found |= set(sorted(inside, key=lambda one: (len(image[one].imports), one))[:1])
    return frozenset(found)
