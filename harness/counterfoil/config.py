"""Reading counterfoil.toml. Every mistake in it is told with its line, the reason and the valid names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from counterfoil.builds import without_parents
from counterfoil.errors import UsageError, nearest
from counterfoil.workspace import (
    FORMAT_VERSION,
    Build,
    Consumer,
    Pacts,
    Participant,
    Probe,
    Provider,
    Schema,
    Settings,
    Stub,
    Workspace,
)

FILE_NAME = "counterfoil.toml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS = ("port", "free-port")
NOWHERE = Path("/nonexistent")


def locate(start: Path) -> Path | None:
    """The nearest counterfoil.toml, from `start` upwards."""
    return next((folder / FILE_NAME for folder in (start, *start.parents) if (folder / FILE_NAME).is_file()), None)


def find_workspace(start: Path) -> Workspace:
    """The workspace of the nearest counterfoil.toml. Raises UsageError where there is none."""
    file = locate(start)
    if file:
        return read_workspace(file)
    raise UsageError(
        f"no {FILE_NAME} in '{start}' or any folder above it",
        fix="go to the folder that has one, name it with --config PATH, or write one: see docs/configuration.md",
    )


def read_workspace(file: Path) -> Workspace:
    """Read and check one configuration file."""
    try:
        text = file.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(
            f"cannot read '{file}'", why=error.strerror or str(error), fix="name a file that exists"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"'{file}' is not TOML", where=_line_of_toml_error(file, error), why=str(error)) from None
    for table, content, struct in reversed(tuple(_tables(document))):
        _check_table(file, text, table, content, struct)
    settings = msgspec.convert(document, Settings, strict=True)
    _check(file, text, settings)
    return Workspace(root=file.parent.resolve(), file=file.resolve(), settings=settings)


class Table(NamedTuple):
    """A table of the file; `number` counts those of one name, as in an array of tables."""

    name: str
    number: int = 1


def _line_of_toml_error(file: Path, error: Exception) -> str:
    match = re.search(r"line (\d+)", str(error))
    return f"{file}:{match.group(1)}" if match else str(file)


def _keys(table: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(table))


def _tables(document: dict[str, object]) -> Iterator[tuple[Table, object, type[msgspec.Struct]]]:
    """Every table of the file with the struct that says what it may hold; outer tables before those in them."""
    yield Table(""), document, Settings
    if "pacts" in document:
        yield Table("pacts"), document["pacts"], Pacts
    if "schema" in document:
        yield Table("schema"), document["schema"], Schema
    if "probe" in document:
        yield Table("probe"), document["probe"], Probe
    stubs = document.get("stubs")
    for name, stub in stubs.items() if isinstance(stubs, dict) else ():
        yield Table(f"stubs.{name}"), stub, Stub
        yield from _builds(f"stubs.{name}", stub)
    participants = document.get("participants")
    for name, participant in participants.items() if isinstance(participants, dict) else ():
        yield Table(f"participants.{name}"), participant, Participant
        if isinstance(participant, dict):
            if "provider" in participant:
                yield Table(f"participants.{name}.provider"), participant["provider"], Provider
            if "consumer" in participant:
                yield Table(f"participants.{name}.consumer"), participant["consumer"], Consumer
            yield from _builds(f"participants.{name}", participant)


def _builds(owner: str, content: object) -> Iterator[tuple[Table, object, type[msgspec.Struct]]]:
    builds = content.get("build") if isinstance(content, dict) else None
    for number, build in enumerate(builds if isinstance(builds, list) else (), start=1):
        yield Table(f"{owner}.build", number), build, Build


def _check_table(file: Path, text: str, table: Table, content: object, struct: type[msgspec.Struct]) -> None:
    """Refuse unknown keys and wrong types. Tables inside this one have been checked before it."""
    for key in content if isinstance(content, dict) else ():
        if key not in _keys(struct):
            place = f"[{table.name}]" if table.name else "the top level"
            raise UsageError(
                f"unknown key '{key}' in {place}",
                where=_locate(file, text, table, key),
                why=nearest(key, _keys(struct)),
                fix=f"correct or remove '{key}'",
            )
    try:
        msgspec.convert(content, struct, strict=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        keys = re.findall(r"[\w-]+", path.rpartition("$")[2])
        name = ".".join(filter(None, [table.name, *keys[:1]]))
        raise UsageError(
            f"'{name or file.name}' is not valid: {message}",
            where=_locate(file, text, table, keys[0]) if keys else str(file),
            fix="see docs/configuration.md for what each key takes",
        ) from None


def _locate(file: Path, text: str, table: Table, key: str) -> str:
    """`file:line` of a key, looked for after its table's header; the file alone where it is written otherwise."""
    names = r"\s*\.\s*".join(_quotable(part) for part in table.name.split("."))
    header = re.compile(rf"^\s*\[\[?\s*{names}\s*\]")
    assignment = re.compile(r"^\s*" + _quotable(key) + r"\s*[=.]")
    subtable = re.compile(r"^\s*\[.*\b" + re.escape(key) + r"\b")
    left = table.number if table.name else 0
    for number, line in enumerate(text.splitlines(), start=1):
        if left and header.match(line):
            left -= 1
        elif not left and (assignment.match(line) or subtable.match(line)):
            return f"{file}:{number}"
    return str(file)


def _quotable(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"


def _check(file: Path, text: str, settings: Settings) -> None:
    """What types cannot say."""
    if settings.format != FORMAT_VERSION:
        raise UsageError(
            f"format = {settings.format} is not known to this version of Counterfoil",
            where=_locate(file, text, Table(""), "format"),
            why=f"it reads format {FORMAT_VERSION}",
            fix="upgrade Counterfoil, or set format = 1",
        )
    units: list[tuple[str, str, Participant | Stub]] = [
        *(("participants", name, participant) for name, participant in settings.participants.items()),
        *(("stubs", name, stub) for name, stub in settings.stubs.items()),
    ]
    for name in sorted(settings.participants.keys() & settings.stubs.keys()):
        where = _locate(file, text, Table("stubs"), name)
        raise UsageError(f"'{name}' names a participant and a stub", where=where, fix=f"call the stub '{name}-stub'")
    for kind, name, unit in units:
        _check_unit(file, text, f"{kind}.{name}", name, unit)
    for name, participant in settings.participants.items():
        table = f"participants.{name}"
        if participant.consumer:
            _check_globs(file, text, Table(f"{table}.consumer"), participant.consumer.inputs)
        if participant.provider:
            _check_provider(file, text, Table(f"{table}.provider"), participant.provider)


def _check_unit(file: Path, text: str, table: str, name: str, unit: Participant | Stub) -> None:
    """What participants and stubs have in common: a name, a folder, builds."""
    kind = "stub" if isinstance(unit, Stub) else "participant"
    if not NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be a {kind}'s name",
            where=str(file),
            why="letters, digits, . _ - and spaces only, at most 100",
            fix="rename it",
        )
    if not (file.parent / unit.dir).is_dir():
        raise UsageError(
            f"dir = '{unit.dir}' of {kind} '{name}' is not a folder",
            where=_locate(file, text, Table(table), "dir"),
            why=f"paths are relative to {file.parent}",
            fix="correct dir",
        )
    for number, build in enumerate(unit.build, start=1):
        _check_globs(file, text, Table(f"{table}.build", number), build.inputs)


def _check_globs(file: Path, text: str, table: Table, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        try:
            any(NOWHERE.glob(without_parents(pattern)))
        except (ValueError, NotImplementedError) as error:
            raise UsageError(
                f"'{pattern}' is not a pattern for inputs",
                where=_locate(file, text, table, "inputs"),
                why=str(error),
                fix='relative to the participant\'s folder, for example "src/**/*.js"',
            ) from None


def _check_provider(file: Path, text: str, table: Table, provider: Provider) -> None:
    for key, value in (("ready", provider.ready), ("states", provider.states), ("messages", provider.messages)):
        if value is not None and not value.startswith("/"):
            raise UsageError(
                f"{key} = '{value}' is not a path", where=_locate(file, text, table, key), fix=f'for example "/{value}"'
            )
    for key, value in provider.env.items():
        for name in PLACEHOLDER.findall(value):
            if name not in PLACEHOLDERS:
                raise UsageError(
                    f"unknown placeholder '{{{name}}}' in env.{key}",
                    where=_locate(file, text, table, "env"),
                    why=nearest(name, PLACEHOLDERS),
                    fix="correct the placeholder",
                )
