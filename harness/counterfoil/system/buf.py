"""The `buf` binary: building images, linting, and its judgement of breaking changes, image against image."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict

import msgspec

from counterfoil.compat.annotations import QUOTED, Annotation
from counterfoil.model import Finding, Level, Location
from counterfoil.system import toolchain
from counterfoil.system.processes import Completed, Processes

DEADLINE_S = 300.0
VIOLATIONS = 100
COMPILE = "COMPILE"
PROTO = ".proto"
WORK = "buf.work.yaml"
CONFIGURATION = ("buf.yaml", "buf.lock", WORK)
PROGRAMS = ("plugins", "policies")
"""The sections of buf.yaml that name programs, or rules of theirs, which judge too."""
IGNORING = ("ignore", "ignore_only")
"""The keys of a section of buf.yaml that let files off."""


Section = TypedDict(
    "Section",
    {
        "use": list[str] | None,
        "except": list[str] | None,
        "ignore": list[str] | None,
        "ignore_only": dict[str, list[str]] | None,
    },
    total=False,
)


class _Module(TypedDict, total=False):
    path: str
    breaking: Section | None


class _Config(TypedDict, total=False):
    modules: list[_Module] | None
    directories: list[str] | None
    breaking: Section | None


class BufError(Exception):
    """buf, or git for it, could not do what it was asked; `tail` is what it said."""

    def __init__(self, message: str, tail: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.tail = tuple(tail)


class CompileError(BufError):
    """A schema does not compile."""

    def __init__(self, source: str, annotations: Sequence[Annotation]) -> None:
        super().__init__(f"the schema '{source}' does not compile")
        self.annotations = tuple(annotations)


class Buf:
    """buf for one workspace; `scratch` is a folder for images and buf's own cache."""

    def __init__(self, processes: Processes, root: Path, scratch: Path) -> None:
        self._processes = processes
        self._root = root
        self._scratch = scratch

    def lint(self, folder: str) -> tuple[Annotation, ...]:
        """What buf's linter says of a folder of protos. Raises CompileError, BufError."""
        return self._judge(["lint", folder, "--error-format", "json"], folder)

    def build(self, folder: Path, image: Path, *, positions: bool = True) -> None:
        """Compile a folder of protos into an image, with or without positions. Raises CompileError, BufError."""
        image.parent.mkdir(parents=True, exist_ok=True)
        # Of a folder's name alone buf would guess what it is: an option, a repository, an archive, an image.
        source = f"./{os.path.relpath(folder, self._root)}#format=dir"
        command = ["build", source, "-o", f"{image}#format=binpb", "--error-format", "json"]
        self._judge(command if positions else [*command, "--exclude-source-info"], str(folder))

    def image_of_json(self, source: Path, image: Path) -> None:
        """Write an image that is JSON as a binary one. Raises BufError."""
        image.parent.mkdir(parents=True, exist_ok=True)
        self._judge(["build", f"{source}#format=json", "-o", f"{image}#format=binpb"], str(source))

    def breaking(self, old: Path, new: Path, config: Path | None) -> tuple[Annotation, ...]:
        """The findings between two images, under the breaking rules of a buf.yaml, or buf's own. Raises BufError."""
        old_input, new_input = (f"{image}#format=binpb" for image in (old, new))
        found: list[Annotation] = []
        for asked in asked_of(config):
            # Not an argument: it may name every file of a module, and those have a bound.
            rules = new.with_name("asked.yaml")
            rules.write_text(json.dumps({"version": "v2", **asked.rules}), encoding="utf-8")
            command = ["breaking", new_input, "--against", old_input, "--config", str(rules), "--error-format", "json"]
            # buf.yaml names programs from where it lies.
            judged = self._judge(command, str(new), config.parent if config else None)
            found += (one for one in judged if asked.concerns(one.path))
        return tuple(dict.fromkeys(found))

    def _judge(self, arguments: Sequence[str], source: str, folder: Path | None = None) -> tuple[Annotation, ...]:
        annotations = []
        done = self._run(arguments, folder or self._root)
        if done.exit_code == VIOLATIONS:
            annotations = list(dict.fromkeys(_annotations(done)))
            errors = [annotation for annotation in annotations if annotation.rule == COMPILE]
            if errors:
                raise CompileError(source, errors)
        if done.exit_code not in {0, VIOLATIONS} or (done.exit_code == VIOLATIONS and not annotations):
            raise BufError(f"buf {arguments[0]} ended with exit code {done.exit_code}", done.tail)
        return tuple(annotations)

    def _run(self, arguments: Sequence[str], folder: Path) -> Completed:
        binary = toolchain.find("buf")
        if binary is None:
            raise BufError("'buf' is not installed", [toolchain.INSTALL["buf"][1]])
        return self._processes.run(
            [binary, *arguments],
            cwd=folder,
            env={"BUF_CACHE_DIR": str(self._scratch / "buf-cache")},
            deadline_s=DEADLINE_S,
        )


def _annotations(done: Completed) -> Iterator[Annotation]:
    """One JSON object a line: `build` prints them on stderr, the others on stdout."""
    for line in (*done.stdout.decode("utf-8", "replace").splitlines(), *done.tail):
        if not line.startswith("{"):
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        yield Annotation(
            rule=str(entry.get("type", "")),
            path=str(entry.get("path", "")),
            line=entry.get("start_line"),
            column=entry.get("start_column"),
            message=str(entry.get("message", "")),
        )


def parse_config(data: bytes) -> dict[str, Any]:
    """A buf.yaml or buf.work.yaml of which all that is looked at here has the form that buf asks for, or ValueError."""
    import yaml  # noqa: PLC0415  (few schemas need it, and it takes its time)

    try:
        document: dict[str, Any] = yaml.safe_load(data) or {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    msgspec.convert(document, _Config)
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What buf is to judge by, and for which modules; the folders of other modules are `others`."""

    rules: Mapping[str, Any]
    modules: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()

    def concerns(self, path: str) -> bool:
        """Whether it holds for a file, named as in an image; of a removed one it is not known whose it was."""
        is_here, is_there = (
            any((folder / path).is_file() for folder in folders) for folders in (self.modules, self.others)
        )
        return is_here or not is_there


def asked_of(config: Path | None) -> tuple[Asked, ...]:
    """What a buf.yaml asks of a change: the sections `breaking` that hold for its modules, and programs that judge too.

    A section is the module's own, else the file's, else buf's default, FILE. buf ignores the sections of modules when
    it compares images, so they are looked up here.
    """
    if config is None:
        return (Asked(rules={"breaking": {"use": ["FILE"]}}),)
    document = _document(config)
    if config.name == WORK:
        modules = [_module_of_work(config.parent, folder) for folder in document.get("directories") or ["."]]
    else:
        modules = document.get("modules") or [{}]
    folders = [config.parent / one.get("path", ".") for one in modules]
    roots = [(config.parent, one.get("path", "."), len(modules) == 1) for one in modules]
    found = [one.get("breaking", document.get("breaking")) or {} for one in modules]
    sections = [_section(section, partial(_inside, *root)) for section, root in zip(found, roots, strict=True)]
    ignored = _all_ignored([ignored for _, ignored in sections])
    programs = {name: document[name] for name in PROGRAMS if name in document}
    asked: list[Asked] = []
    for rules, _ in sections:
        mine = tuple(folder for folder, (one, _) in zip(folders, sections, strict=True) if one == rules)
        if mine in [one.modules for one in asked]:
            continue
        breaking = {**({} if rules.get("use") else {"use": ["FILE"]}), **rules, **ignored}
        others = tuple(folder for folder in folders if folder not in mine)
        asked.append(Asked(rules={"breaking": breaking, **programs}, modules=mine, others=others))
    return tuple(asked)


def _document(config: Path) -> dict[str, Any]:
    try:
        return parse_config(config.read_bytes())
    except (OSError, ValueError) as error:
        raise BufError(f"cannot read '{config}': {error}") from None


def _module_of_work(root: Path, folder: str) -> dict[str, Any]:
    """A folder of buf.work.yaml as a module of buf.yaml; its own buf.yaml names files from where that lies."""
    own = root / folder / "buf.yaml"
    breaking = dict((_document(own) if own.is_file() else {}).get("breaking") or {})
    if "ignore" in breaking:
        breaking["ignore"] = [f"{folder}/{path}" for path in breaking["ignore"]]
    if "ignore_only" in breaking:
        by_rule = breaking["ignore_only"].items()
        breaking["ignore_only"] = {rule: [f"{folder}/{path}" for path in paths] for rule, paths in by_rule}
    return {"path": folder, "breaking": breaking}


def _all_ignored(lists: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The files that the sections of all modules let off; an image names each but once."""
    ignored: dict[str, Any] = {}
    for one in lists:
        if "ignore" in one:
            ignored["ignore"] = list(dict.fromkeys([*ignored.get("ignore", ()), *one["ignore"]]))
        for name, paths in one.get("ignore_only", {}).items():
            by_rule = ignored.setdefault("ignore_only", {})
            by_rule[name] = [*by_rule.get(name, ()), *paths]
    return ignored


def runs_programs(config: Path) -> bool:
    """Whether a buf.yaml names programs that judge too, so that what they say may depend on anything."""
    data = config.read_bytes()
    return any(name.encode() in data for name in PROGRAMS)


def _section(
    section: Mapping[str, Any], inside: Callable[[Iterable[str]], Iterator[str]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Which rules a section of one module asks for, and the files that it lets off, as images name them."""
    rules = {key: value for key, value in section.items() if key not in IGNORING}
    ignored: dict[str, Any] = {}
    if section.get("ignore"):
        ignored["ignore"] = list(inside(section["ignore"]))
    if section.get("ignore_only"):
        ignored["ignore_only"] = {name: list(inside(paths)) for name, paths in section["ignore_only"].items()}
    return rules, ignored


def _inside(root: Path, module: str, is_only_module: bool, paths: Iterable[str]) -> Iterator[str]:  # noqa: FBT001
    """buf.yaml names files from where it lies, an image from the folder of their module.

    A folder may be in several modules, which an image does not tell apart: then each of its files is named, and of a
    module that is let off as a whole too.
    """
    for path in map(PurePosixPath, paths):
        is_part = path.is_relative_to(module) and path != PurePosixPath(module)
        if is_part and (is_only_module or path.suffix == PROTO):
            yield path.relative_to(module).as_posix()
        elif is_part or PurePosixPath(module).is_relative_to(path):
            files = sorted((root / (path if is_part else module)).rglob(f"*{PROTO}"))
            yield from (file.relative_to(root / module).as_posix() for file in files)


def as_finding(annotation: Annotation, folder: str, *, breaking: bool) -> Finding:
    """A finding under buf's own rule name. buf names no symbol, so the quoted names of its message stand in."""
    names = QUOTED.findall(annotation.message)
    inside = annotation.path.removeprefix(f"{folder}/")
    where = Location(path=f"{folder}/{inside}" if inside else folder, line=annotation.line)
    subject = f"{inside or folder}::{' '.join(names)}" if breaking else f"{inside}:{annotation.line}::{' '.join(names)}"
    fix = (
        "keep the old element, or reserve it, and add a new one beside it; see https://buf.build/docs/breaking/rules"
        if breaking
        else f"correct {where}, or name the rule under lint.except in buf.yaml; see https://buf.build/docs/lint/rules"
    )
    return Finding(
        rule=annotation.rule, subject=subject, level=Level.POLICY, message=annotation.message, fix=fix, location=where
    )


def configuration_files(folder: Path) -> Iterator[Path]:
    """Where what configures how buf reads a folder may lie: in it, and in every folder above it."""
    return (place / name for place in (folder, *folder.parents) for name in CONFIGURATION)


def config_of(root: Path, schema: Path) -> Path | None:
    """The buf.yaml or buf.work.yaml for a schema: in its folder, beside its image, or nearest above, up to the top."""
    start = schema if schema.is_dir() else schema.parent
    folders = [one for one in (start, *start.parents) if one.is_relative_to(root)] or [start, root]
    files = (folder / name for folder in folders for name in ("buf.yaml", WORK))
    return next((file for file in files if file.is_file()), None)
