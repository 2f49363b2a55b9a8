"""Reading counterfoil.toml. Every mistake in it is told with its line, the reason and the valid names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from counterfoil.core import toml_tables
from counterfoil.core.toml_tables import Table
from counterfoil.core.workspace import (
    FORMAT_VERSION,
    Build,
    Consumer,
    Decoder,
    Pacts,
    Participant,
    Probe,
    Provider,
    Schema,
    SentSchema,
    Settings,
    Stub,
    Workspace,
    without_parents,
)
from counterfoil.errors import UsageError, nearest

FILE_NAME = "counterfoil.toml"
FIX = "see docs/configuration.md for what each key takes"
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
        fix="go to the folder that has one, name it with --config PATH, or write one: counterfoil init",
    )


def read_workspace(file: Path) -> Workspace:
    """Read and check one configuration file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read '{file}'", why=error.strerror or str(error), fix="name a file that exists"
        ) from None
    text, document = toml_tables.parse(data, str(file))
    for table, content, struct in reversed(tuple(_tables(document))):
        toml_tables.check(str(file), text, table, content, struct, fix=FIX)
    settings = msgspec.convert(document, Settings, strict=True)
    _check(file, text, settings)
    return Workspace(root=file.parent.resolve(), file=file.resolve(), settings=settings)


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
            yield from _entries(f"participants.{name}", participant, "decoders", Decoder)
            yield from _entries(f"participants.{name}", participant, "schemas", SentSchema)
            yield from _builds(f"participants.{name}", participant)


def _builds(owner: str, content: object) -> Iterator[tuple[Table, object, type[msgspec.Struct]]]:
    yield from _entries(owner, content, "build", Build)


def _entries(
    owner: str, content: object, key: str, struct: type[msgspec.Struct]
) -> Iterator[tuple[Table, object, type[msgspec.Struct]]]:
    """The tables of an array of tables."""
    entries = content.get(key) if isinstance(content, dict) else None
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        yield Table(f"{owner}.{key}", number), entry, struct


def _check(file: Path, text: str, settings: Settings) -> None:
    """What types cannot say."""
    if settings.format != FORMAT_VERSION:
        raise UsageError(
            f"format = {settings.format} is not known to this version of Counterfoil",
            where=toml_tables.locate(str(file), text, Table(""), "format"),
            why=f"it reads format {FORMAT_VERSION}",
            fix="upgrade Counterfoil, or set format = 1",
        )
    units: list[tuple[str, str, Participant | Stub]] = [
        *(("participants", name, participant) for name, participant in settings.participants.items()),
        *(("stubs", name, stub) for name, stub in settings.stubs.items()),
    ]
    for name in sorted(settings.participants.keys() & settings.stubs.keys()):
        where = toml_tables.locate(str(file), text, Table("stubs"), name)
        raise UsageError(f"'{name}' names a participant and a stub", where=where, fix=f"call the stub '{name}-stub'")
    if settings.pacts:
        _check_pacts(file, text, settings.pacts)
    for name, stub in settings.stubs.items():
        if stub.participant is not None and stub.participant not in settings.participants:
            raise UsageError(
                f"stub '{name}' is that of an unknown participant '{stub.participant}'",
                where=toml_tables.locate(str(file), text, Table(f"stubs.{name}"), "participant"),
                why=nearest(stub.participant, settings.participants),
                fix="correct participant",
            )
        _check_globs(file, text, Table(f"stubs.{name}"), stub.inputs)
    for kind, name, unit in units:
        _check_unit(file, text, f"{kind}.{name}", name, unit)
    for name, participant in settings.participants.items():
        table = f"participants.{name}"
        _check_decoders(file, text, table, participant, settings)
        if participant.consumer:
            _check_globs(file, text, Table(f"{table}.consumer"), participant.consumer.inputs)
        if participant.provider:
            _check_provider(file, text, Table(f"{table}.provider"), participant.provider)


def _check_pacts(file: Path, text: str, pacts: Pacts) -> None:
    _check_globs(file, text, Table("pacts"), pacts.also, "also")
    for pattern in pacts.also:
        if not any(file.parent.glob(pattern)):
            raise UsageError(
                f"also has '{pattern}', which matches no file and no folder",
                where=toml_tables.locate(str(file), text, Table("pacts"), "also"),
                why=f"patterns are relative to {file.parent}",
                fix="correct the pattern, or remove it",
            )


def _check_decoders(file: Path, text: str, table: str, participant: Participant, settings: Settings) -> None:
    for number, decoder in enumerate(participant.decoders, start=1):
        if (decoder.stub is None) != (decoder.message is None):
            raise UsageError(
                f"decoder for '{decoder.sender}' needs both message and stub; neither, where nobody reads the body",
                where=toml_tables.locate(str(file), text, Table(f"{table}.decoders", number), "sender"),
                fix='for example message = "shop.v1.UserProfile" and stub = "ranker-stub"',
            )
        if decoder.stub is not None and decoder.stub not in settings.stubs:
            raise UsageError(
                f"unknown stub '{decoder.stub}'",
                where=toml_tables.locate(str(file), text, Table(f"{table}.decoders", number), "stub"),
                why=nearest(decoder.stub, settings.stubs),
                fix="name a stub of [stubs.NAME], or add one; see docs/stubs.md",
            )


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
            where=toml_tables.locate(str(file), text, Table(table), "dir"),
            why=f"paths are relative to {file.parent}",
            fix="correct dir",
        )
    for number, build in enumerate(unit.build, start=1):
        _check_globs(file, text, Table(f"{table}.build", number), build.inputs)
        if not (file.parent / unit.dir / build.dir).is_dir():
            raise UsageError(
                f"dir = '{build.dir}' of a build of {kind} '{name}' is not a folder",
                where=toml_tables.locate(str(file), text, Table(f"{table}.build", number), "dir"),
                why=f"it is relative to the folder of '{name}', {unit.dir}",
                fix="correct dir",
            )


def _check_globs(file: Path, text: str, table: Table, patterns: tuple[str, ...], key: str = "inputs") -> None:
    for pattern in patterns:
        try:
            any(NOWHERE.glob(without_parents(pattern)))
        except (ValueError, NotImplementedError) as error:
            raise UsageError(
                f"'{pattern}' is not a pattern for {key}",
                where=toml_tables.locate(str(file), text, table, key),
                why=str(error),
                fix='relative to the participant\'s folder, for example "src/**/*.js"'
                if key == "inputs"
                else 'relative to counterfoil.toml, for example "services/*/pacts"',
            ) from None


def _check_provider(file: Path, text: str, table: Table, provider: Provider) -> None:
    _check_globs(file, text, table, provider.inputs)
    for key, value in (("ready", provider.ready), ("states", provider.states), ("messages", provider.messages)):
        if value is not None and not value.startswith("/"):
            raise UsageError(
                f"{key} = '{value}' is not a path",
                where=toml_tables.locate(str(file), text, table, key),
                fix=f'for example "/{value}"',
            )
    for key, value in provider.env.items():
        for name in PLACEHOLDER.findall(value):
            if name not in PLACEHOLDERS:
                raise UsageError(
                    f"unknown placeholder '{{{name}}}' in env.{key}",
                    where=toml_tables.locate(str(file), text, table, "env"),
                    why=nearest(name, PLACEHOLDERS),
                    fix="correct the placeholder",
                )
