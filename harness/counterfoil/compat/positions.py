"""Which element of a schema stands at a position of its text, from the source info of an image. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto

_INSIDE = {
    "FileDescriptorProto": {4: "message_type", 5: "enum_type", 6: "service", 7: "extension"},
    "DescriptorProto": {2: "field", 3: "nested_type", 4: "enum_type", 6: "extension", 8: "oneof_decl"},
    "EnumDescriptorProto": {2: "value"},
    "ServiceDescriptorProto": {2: "method"},
}
"""The elements that have names, by the numbers of their fields in descriptor.proto."""


class Positions:
    """The elements of files by where they, or parts of them, begin."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._files = {file.name: file for file in files}
        self._elements: dict[str, dict[tuple[int, int], str]] = {}

    def symbol(self, path: str, line: int | None, column: int | None) -> str:
        """The full name of what begins at a line and column, both from 1; the package where nothing does."""
        file = self._files.get(path)
        if file is None:
            return ""
        if path not in self._elements:
            self._elements[path] = dict(_elements(file))
        return self._elements[path].get((line or 0, column or 0), file.package)

    def package(self, path: str) -> str:
        """The package of a file."""
        file = self._files.get(path)
        return file.package if file else ""


def _elements(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, int], str]]:
    """The innermost element of those that begin at one place comes last."""
    for location in sorted(file.source_code_info.location, key=lambda one: len(one.path)):
        symbol = _named(file, location.path)
        if symbol is not None:
            yield (location.span[0] + 1, location.span[1] + 1), symbol


def _named(file: FileDescriptorProto, path: Sequence[int]) -> str | None:
    """The full name of the innermost element on a path; None where the path leads to none, such as the syntax."""
    names, element, found = [file.package] if file.package else [], file, False
    steps = list(path)
    while len(steps) > 1:
        members: Any = getattr(element, _INSIDE.get(type(element).__name__, {}).get(steps[0], ""), None)
        if members is None or steps[1] >= len(members):
            break
        element, steps, found = members[steps[1]], steps[2:], True
        names.append(element.name)
    return ".".join(names) if found else None
