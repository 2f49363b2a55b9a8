"""TOML that users write: each mistake in a table is told with its line, the reason and the valid names. Pure."""

from __future__ import annotations

import json
import re
import tomllib
from typing import NamedTuple

import msgspec

from counterfoil.errors import UsageError, nearest


class Table(NamedTuple):
    """A table of a file; `number` counts those of one name, as in an array of tables. The top level has no name."""

    name: str
    number: int = 1


def parse(data: bytes, path: str) -> tuple[str, dict[str, object]]:
    """The text of a file and what it says. Raises UsageError with the line when it is not TOML."""
    try:
        text = data.decode("utf-8")
        return text, tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        match = re.search(r"line (\d+)", str(error))
        where = f"{path}:{match.group(1)}" if match else path
        raise UsageError(f"'{path}' is not TOML", where=where, why=str(error)) from None


def check(path: str, text: str, table: Table, content: object, struct: type[msgspec.Struct], *, fix: str) -> None:
    """Refuse unknown keys and wrong types of one table. Tables inside it are to be checked before it."""
    keys = tuple(field.encode_name for field in msgspec.structs.fields(struct))
    for key in content if isinstance(content, dict) else ():
        if key not in keys:
            place = f"[{table.name}]" if table.name else "the top level"
            raise UsageError(
                f"unknown key '{key}' in {place}",
                where=locate(path, text, table, key),
                why=nearest(key, keys),
                fix=f"correct or remove '{key}'",
            )
    try:
        msgspec.convert(content, struct, strict=True)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at ")
        named = re.findall(r"[\w-]+", at.rpartition("$")[2])
        name = ".".join(filter(None, [table.name, *named[:1]]))
        raise UsageError(
            f"'{name or path.rpartition('/')[2]}' is not valid: {message}",
            where=locate(path, text, table, named[0]) if named else locate(path, text, table),
            fix=fix,
        ) from None


def locate(path: str, text: str, table: Table, key: str | None = None) -> str:
    """`path:line` of a table or of a key in it; the path alone where it is written in another way."""
    line = line_of(text, table, key)
    return path if line is None else f"{path}:{line}"


def line_of(text: str, table: Table, key: str | None = None) -> int | None:
    """The line, from 1, of a table's header or of a key after it; None where it is written in another way."""
    names = r"\s*\.\s*".join(_quotable(part) for part in table.name.split("."))
    header = re.compile(rf"^\s*\[\[?\s*{names}\s*\]")
    assignment = re.compile(r"^\s*" + _quotable(key or "") + r"\s*[=.]")
    subtable = re.compile(r"^\s*\[.*\b" + re.escape(key or "") + r"\b")
    left = table.number if table.name else 0
    for number, line in enumerate(text.splitlines(), start=1):
        if left and header.match(line):
            left -= 1
            if not left and key is None:
                return number
        elif key is not None and not left and (assignment.match(line) or subtable.match(line)):
            return number
    return None


def quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's too, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """A part of a table's name, in quotes where TOML asks for them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def _quotable(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"
