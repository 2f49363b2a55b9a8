"""Reading counterfoil.toml. Every mistake in it is told with its line, the reason and the valid names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from counterfoil.errors import UsageError, nearest
from counterfoil.workspace import (
    FORMAT_VERSION,
    Build,
    Consumer,
    Pacts,
    Participant,
    Provider,
    Schema,
    Settings,
    Workspace,
)

FILE_NAME = "counterfoil.toml"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PLACEHOLDERS = ("port", "free-port")


def find_workspace(start: Path) -> Workspace:
    """The workspace of the nearest counterfoil.toml, from `start` upwards."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return read_workspace(folder / FILE_NAME)
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
    _refuse_unknown_keys(file, text, document)
    try:
        settings = msgspec.convert(document, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise _invalid(file, text, error) from None
    _check(file, text, settings)
    return Workspace(root=file.parent.resolve(), file=file.resolve(), settings=settings)


def _line_of_toml_error(file: Path, error: Exception) -> str:
    match = re.search(r"line (\d+)", str(error))
    return f"{file}:{match.group(1)}" if match else str(file)


def _keys(table: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(table))


def _tables(document: dict[str, object]) -> Iterator[tuple[str, object, type[msgspec.Struct]]]:
    """Every table of the file with the struct that says which keys it may have."""
    yield "", document, Settings
    yield "pacts", document.get("pacts"), Pacts
    yield "schema", document.get("schema"), Schema
    participants = document.get("participants")
    for name, participant in participants.items() if isinstance(participants, dict) else ():
        yield f"participants.{name}", participant, Participant
        if isinstance(participant, dict):
            yield f"participants.{name}.provider", participant.get("provider"), Provider
            yield f"participants.{name}.consumer", participant.get("consumer"), Consumer
            builds = participant.get("build")
            for build in builds if isinstance(builds, list) else ():
                yield f"participants.{name}.build", build, Build


def _refuse_unknown_keys(file: Path, text: str, document: dict[str, object]) -> None:
    for table, content, struct in _tables(document):
        if not isinstance(content, dict):
            continue
        for key in content:
            if key not in _keys(struct):
                place = f"[{table}]" if table else "the top level"
                raise UsageError(
                    f"unknown key '{key}' in {place}",
                    where=_locate(file, text, table, key),
                    why=nearest(key, _keys(struct)),
                    fix=f"correct or remove '{key}'",
                )


def _locate(file: Path, text: str, table: str, key: str) -> str:
    """`file:line` of a key, looked for after its table's header; the file alone where it is written otherwise."""
    header = re.compile(r"^\s*\[\[?\s*" + r"\s*\.\s*".join(_quotable(part) for part in table.split(".")) + r"\s*\]")
    assignment = re.compile(r"^\s*" + _quotable(key) + r"\s*[=.]")
    subtable = re.compile(r"^\s*\[.*\b" + re.escape(key) + r"\b")
    inside = not table
    for number, line in enumerate(text.splitlines(), start=1):
        if table and header.match(line):
            inside = True
        elif inside and (assignment.match(line) or subtable.match(line)):
            return f"{file}:{number}"
    return str(file)


def _quotable(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"


def _invalid(file: Path, text: str, error: msgspec.ValidationError) -> UsageError:
    message, _, path = str(error).partition(" - at ")
    keys = re.findall(r"[\w-]+", path.strip("`").replace("[...]", ""))
    where = _locate(file, text, ".".join(keys[:-1]), keys[-1]) if keys else str(file)
    return UsageError(
        f"'{'.'.join(keys) or file.name}' is not valid: {message}",
        where=where,
        fix="see docs/configuration.md for what each key takes",
    )


def _check(file: Path, text: str, settings: Settings) -> None:
    """What types cannot say."""
    if settings.format != FORMAT_VERSION:
        raise UsageError(
            f"format = {settings.format} is not known to this version of Counterfoil",
            where=_locate(file, text, "", "format"),
            why=f"it reads format {FORMAT_VERSION}",
            fix="upgrade Counterfoil, or set format = 1",
        )
    for name, participant in settings.participants.items():
        table = f"participants.{name}"
        if not NAME.fullmatch(name):
            raise UsageError(
                f"'{name}' cannot be a participant's name", where=str(file), why="letters, digits, . _ - only"
            )
        folder = file.parent / participant.dir
        if not folder.is_dir():
            raise UsageError(
                f"dir = '{participant.dir}' of participant '{name}' is not a folder",
                where=_locate(file, text, table, "dir"),
                why=f"paths are relative to {file.parent}",
                fix="correct dir",
            )
        if participant.provider:
            _check_provider(file, text, f"{table}.provider", participant.provider)


def _check_provider(file: Path, text: str, table: str, provider: Provider) -> None:
    if not provider.start:
        raise UsageError(
            "start is empty", where=_locate(file, text, table, "start"), fix='for example ["node", "main.js"]'
        )
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
