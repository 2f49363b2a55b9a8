"""Looks through a repository for what Counterfoil could judge: pact files, schemas, services. Runs nothing of it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from counterfoil.core.pacts import parse_pact
from counterfoil.errors import UsageError

NOT_OURS = {"node_modules", "target", "venv", "dist", "build", "vendor", "__pycache__", "site-packages"}
MAX_FILES = 200_000
MAX_MANIFEST_BYTES = 1024 * 1024
MAX_PACT_BYTES = 16 * 1024 * 1024
NODE_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")
NODE_INSTALLS = {
    "package-lock.json": ("npm", "ci"),
    "pnpm-lock.yaml": ("pnpm", "install", "--frozen-lockfile"),
    "yarn.lock": ("yarn", "install", "--frozen-lockfile"),
}
"""By the lock file that says which of them it is."""
CONSUMER_SCRIPTS = ("test:contracts", "test:contract", "test:pact", "pact:consumer", "pact")
MAX_TAGS = 10_000
VERSION = re.compile(r"v?\d{1,9}(\.\d{1,9}){0,3}")
PACKED_TAG = re.compile(r"^[0-9a-f]+ refs/tags/(\S+)$", re.MULTILINE)
PLAIN_NODE = re.compile(r"node( [\w./=-]+)+")
"""A start script that is nothing but Node, which is started without npm: that does not hand on every signal."""
VENV = ".venv"
REQUIREMENT = re.compile(rb"^\s*[^\s#]", re.MULTILINE)
ENTRY_FILES = ("main.py", "app.py", "server.py")


@dataclass(frozen=True, slots=True)
class SeenPact:
    """A pact file; `folder` is relative to the repository."""

    folder: str
    name: str
    consumer: str
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBuild:
    """A command that has to run before a service can start, what it depends on, and what it leaves behind."""

    run: tuple[str, ...]
    folder: str = "."
    """Where it runs, relative to the service's folder."""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenService:
    """A service by its manifest. An empty command is one that could not be told."""

    name: str
    folder: str
    manifest: str
    tools: tuple[str, ...]
    builds: tuple[SeenBuild, ...] = ()
    start: tuple[str, ...] = ()
    consumer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is in a repository, in the order of its folders."""

    pacts: tuple[SeenPact, ...]
    services: tuple[SeenService, ...]
    mixed: frozenset[str]
    """Folders that hold JSON other than pacts, or folders that were not looked into."""
    schemas: tuple[str, ...]
    """Folders of protos: those with a buf.yaml, or else the topmost with protos."""
    has_commit: bool
    release: str | None
    """The newest tag that is a version."""
    complete: bool
    """Whether every file was looked at."""


def survey(root: Path) -> Survey:
    """Look through a folder. Hidden folders and what tools make are left out; links are not followed."""
    pacts: list[SeenPact] = []
    services: list[SeenService] = []
    configured: list[str] = []
    protos: list[str] = []
    seen = 0
    mixed: set[str] = set()
    for path, folders, names in os.walk(root):
        inside = sorted(name for name in folders if name not in NOT_OURS and name[0] != "." and _is_text(name))
        here = Path(path)
        folder = here.relative_to(root).as_posix()
        seen += len(names)
        found = list(_pacts(here, folder, filter(_is_text, names)))
        pacts += found
        if len(inside) < len(folders) or len(found) < sum(map(_is_json, names)):
            mixed.add(folder)
        folders[:] = inside
        services += _services(here, folder, names)
        configured += [folder] if {"buf.yaml", "buf.work.yaml"} & set(names) else []
        protos += [folder] if any(name.endswith(".proto") for name in names) else []
        if seen > MAX_FILES:
            break
    return Survey(
        pacts=tuple(pacts),
        mixed=frozenset(mixed),
        services=tuple(services),
        schemas=tuple(configured) or _topmost(protos),
        has_commit=_has_commit(root / ".git"),
        release=_release(root / ".git"),
        complete=seen <= MAX_FILES,
    )


def _has_commit(git: Path) -> bool:
    """Whether there is anything to compare with; of a worktree, whose `.git` is a file, it is taken for granted."""
    return git.is_file() or (git / "packed-refs").is_file() or any((git / "refs" / "heads").rglob("*"))


def _release(git: Path) -> str | None:
    """The tag with the highest version, as git's own files name it."""
    loose = [file.name for file in islice((git / "refs" / "tags").glob("*"), MAX_TAGS)]
    packed = PACKED_TAG.findall(_read(git / "packed-refs", MAX_MANIFEST_BYTES).decode(errors="replace"))
    versions = [name for name in (*loose, *packed) if VERSION.fullmatch(name)]
    return max(versions, key=lambda name: tuple(map(int, name.lstrip("v").split("."))), default=None)


def _topmost(folders: list[str]) -> tuple[str, ...]:
    """Those that lie in no other; protos import one another by paths from their root."""
    roots = dict.fromkeys(folder.split("/", maxsplit=1)[0] for folder in folders)
    return tuple(roots)


def _is_json(name: str) -> bool:
    return name.lower().endswith(".json")


def _is_text(name: str) -> bool:
    """Whether the name of a file is UTF-8, as all that a configuration can name is."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _pacts(here: Path, folder: str, names: Iterable[str]) -> Iterator[SeenPact]:
    for name in sorted(names):
        file = here / name
        if not _is_json(name) or not (data := _read(file, MAX_PACT_BYTES)):
            continue
        if b'"consumer"' in data and b'"provider"' in data:
            try:
                pact = parse_pact(name, data)
            except UsageError:
                continue
            if pact.interactions:
                yield SeenPact(folder, name, pact.consumer, pact.provider)


def _services(here: Path, folder: str, names: list[str]) -> Iterator[SeenService]:
    readers = {"package.json": _node, "Cargo.toml": _rust, "pyproject.toml": _python, "requirements.txt": _bare_python}
    for manifest, reader in readers.items():
        if manifest in names:
            service = reader(here, folder)
            if service:
                yield service
                return


def _node(here: Path, folder: str) -> SeenService | None:
    manifest = _json(here / "package.json")
    scripts = _table(manifest.get("scripts"))
    name = str(manifest.get("name") or here.name).rsplit("/", maxsplit=1)[-1]
    main = manifest.get("main")
    start: tuple[str, ...] = ()
    script = scripts.get("start")
    if isinstance(script, str) and PLAIN_NODE.fullmatch(script):
        start = tuple(script.split())
    elif script:
        start = ("npm", "run", "--silent", "start")
    elif isinstance(main, str) and (here / main).is_file():
        start = ("node", main)
    script = next((one for one in CONSUMER_SCRIPTS if one in scripts), None)
    return SeenService(
        name=name,
        folder=folder,
        manifest="package.json",
        tools=("node", "npm"),
        builds=_node_builds(here, folder) if any(map(manifest.get, NODE_DEPENDENCIES)) else (),
        start=start,
        consumer=("npm", "run", script) if script else (),
    )


def _node_builds(here: Path, folder: str) -> tuple[SeenBuild, ...]:
    """What installs the packages, without writing a lock file that is not there.

    A service without a lock file of its own may be part of a workspace, which is installed as a whole.
    """
    lock, up = _lock(here), "."
    if not lock:
        roots = (("../" * (depth + 1), place) for depth, place in enumerate(here.parents[: len(Path(folder).parts)]))
        up = next((up for up, place in roots if _lock(place) and _is_node_workspace(place)), ".")
    place, prefix = here / up, "" if up == "." else up
    lock = _lock(place)
    inputs = [f"{prefix}{name}" for name in ("package.json", lock, ".npmrc") if name and (place / name).is_file()]
    run = NODE_INSTALLS.get(lock, ("npm", "install", "--no-package-lock"))
    outputs = (f"{prefix}node_modules",)
    return (SeenBuild(run=run, folder=up.rstrip("/"), inputs=tuple(inputs), outputs=outputs),)


def _lock(place: Path) -> str:
    return next((lock for lock in NODE_INSTALLS if (place / lock).is_file()), "")


def _is_node_workspace(place: Path) -> bool:
    return bool(_json(place / "package.json").get("workspaces")) or (place / "pnpm-workspace.yaml").is_file()


def _rust(here: Path, folder: str) -> SeenService | None:
    manifest = _toml(here / "Cargo.toml")
    name = _table(manifest.get("package")).get("name")
    if not isinstance(name, str) or not ((here / "src" / "main.rs").is_file() or manifest.get("bin")):
        return None
    return SeenService(
        name=name,
        folder=folder,
        manifest="Cargo.toml",
        tools=("cargo",),
        builds=(SeenBuild(run=("cargo", "build", "--quiet", "-p", name)),),
        start=("cargo", "run", "--quiet", "-p", name),
    )


def _python(here: Path, folder: str) -> SeenService | None:
    manifest = _toml(here / "pyproject.toml")
    name = _table(manifest.get("project")).get("name")
    return _python_service(
        here, folder, str(name or here.name), "pyproject.toml", is_package="build-system" in manifest
    )


def _bare_python(here: Path, folder: str) -> SeenService | None:
    return _python_service(here, folder, here.name, "requirements.txt", is_package=False)


def _python_service(here: Path, folder: str, name: str, manifest: str, *, is_package: bool) -> SeenService | None:
    package = name.replace("-", "_")
    builds = _python_builds(here, is_package=is_package)
    python = f"{VENV}/bin/python" if builds else "python3"
    module = next((root for root in (".", "src") if (here / root / package / "__main__.py").is_file()), None)
    entry = next((file for file in ENTRY_FILES if (here / file).is_file()), None)
    start: tuple[str, ...] = (python, entry) if entry else ()
    if module == "." or (module and builds and is_package):
        start = (python, "-m", package)
    return SeenService(
        name=name,
        folder=folder,
        manifest=manifest,
        tools=(builds[0].run[0],) if builds else ("python3",),
        builds=builds,
        start=start,
    )


def _python_builds(here: Path, *, is_package: bool) -> tuple[SeenBuild, ...]:
    """What makes an environment with the packages that a service names; nothing where it names none."""
    if (here / "uv.lock").is_file():
        run = ("uv", "sync", "--frozen")
        return (SeenBuild(run=run, inputs=("pyproject.toml", "uv.lock"), outputs=(f"{VENV}/bin/python",)),)
    if REQUIREMENT.search(_read(here / "requirements.txt", MAX_MANIFEST_BYTES)):
        file, installed = "requirements.txt", ("-r", "requirements.txt")
    elif is_package:
        file, installed = "pyproject.toml", ("-e", ".")
    else:
        return ()
    make = SeenBuild(run=("python3", "-m", "venv", VENV), inputs=(file,), outputs=(f"{VENV}/bin/python",))
    install = (f"{VENV}/bin/python", "-m", "pip", "install", "--quiet", *installed)
    return make, SeenBuild(run=install, inputs=(file,), outputs=(f"{VENV}/bin/python",))


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(file: Path) -> dict[str, Any]:
    try:
        return _table(json.loads(_read(file, MAX_MANIFEST_BYTES)))
    except (ValueError, RecursionError):
        return {}


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(file, MAX_MANIFEST_BYTES).decode())
    except (ValueError, RecursionError):
        return {}


def _read(file: Path, limit: int) -> bytes:
    """The file's bytes; none when it is no plain file, is larger than that, or cannot be read."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > limit:
            return b""
        return file.read_bytes()
    except OSError:
        return b""
