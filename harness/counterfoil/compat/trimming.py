"""Of two schemas, the files that differ, what depends on them, and what these need: all that a rule can see. Pure.

A rule looks at an element, at the types that it names, and at the options that it carries, so beside the files that
differ those that import them are enough, also by way of a public import, and only where they see a difference: a name,
an enum. The rest is there to link: imports, and for each package of a changed file unchanged ones that show that the
package still has messages, enums and services. Whom a change concerns is another question: it is about everything that
carries it, at any distance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from counterfoil.compat.outlines import WELL_KNOWN, outline
from counterfoil.probe.wire_format import delimited
from counterfoil.schema.building import BUF_EXTENSION, IS_IMPORT, ImageError

SOURCE_CODE_INFO = 9
_IGNORED = frozenset({SOURCE_CODE_INFO, BUF_EXTENSION})


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file of an image as bytes, and what its first level says."""

    data: bytes
    size_bytes: int
    package: str
    imports: tuple[str, ...]
    """The last of them those that are for options alone."""
    public_imports: tuple[str, ...]
    sorts: frozenset[str]
    """Of elements on its first level: "message", "enum", "service", "extension"."""
    has_option_imports: bool = False


RawImage = Mapping[str, RawFile]
"""By name, imports before those who import them."""


def _classes() -> tuple[Any, Any]:
    """A descriptor set whose files stay bytes, and a file of which only the first level is read."""
    file = descriptor_pb2.FileDescriptorProto(name="counterfoil/raw_image.proto", package="counterfoil.raw")
    for message, fields in {
        "Set": (("file", 1, "BYTES", True),),
        "Header": (
            ("name", 1, "BYTES", False),
            ("package", 2, "BYTES", False),
            ("imports", 3, "BYTES", True),
            ("message", 4, "BYTES", True),
            ("enum", 5, "BYTES", True),
            ("service", 6, "BYTES", True),
            ("extension", 7, "BYTES", True),
            ("public", 10, "INT32", True),
            ("option_imports", 15, "BYTES", True),
        ),
    }.items():
        made = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = "LABEL_REPEATED" if repeated else "LABEL_OPTIONAL"
            made.field.add(name=name, number=number, type=f"TYPE_{kind}", label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = (pool.FindMessageTypeByName(f"counterfoil.raw.{name}") for name in ("Set", "Header"))
    one, other = map(message_factory.GetMessageClass, found)
    return one, other


_Set, _Header = _classes()


def raw_files(image: bytes) -> tuple[bytes, ...]:
    """The files of an image, each as bytes. Raises ImageError."""
    try:
        files: tuple[bytes, ...] = tuple(_Set.FromString(image).file)
    except DecodeError:
        raise ImageError("it ends in the middle of a file, or is no descriptor set") from None
    if image and not files:
        raise ImageError("it has no file in it, so it is no descriptor set")
    return files


def read_headers(files: Iterable[bytes]) -> RawImage:
    """The files by name. Raises ImageError."""
    found: dict[str, RawFile] = {}
    for data in files:
        name, file = _read_header(data)
        if found.setdefault(name, file) is not file:
            raise ImageError(f"it has two files of the name '{name}'")
    return found


def _read_header(data: bytes) -> tuple[str, RawFile]:
    try:
        header = _Header.FromString(data)
        imports = tuple(one.decode() for one in (*header.imports, *header.option_imports))
        name, package = header.name.decode(), header.package.decode()
    except UnicodeDecodeError:
        raise ImageError("one of its files has a name, a package or an import that is not UTF-8") from None
    except DecodeError:
        raise ImageError("one of its files is cut off, or is no file descriptor") from None
    if not name:
        raise ImageError("one of its files has no name, so it is no descriptor set")
    sorts = frozenset(sort for sort in ("message", "enum", "service", "extension") if getattr(header, sort))
    public = tuple(imports[index] for index in header.public if 0 <= index < len(imports))
    return name, RawFile(data, len(data), package, imports, public, sorts, bool(header.option_imports))


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two files differ in positions, comments and buf's notes at most."""
    return one == other or _content(one) == _content(other)


def _content(data: bytes) -> bytes:
    """The records of the first level without what says nothing of the schema."""
    return b"".join(data[start:end] for number, start, end in _records(data) if number not in _IGNORED)


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(field number, start, end) of each record of the first level; a group, which no descriptor has, ends it."""
    position = 0
    while position < len(data):
        start = position
        tag, position = _read_varint(data, position)
        match tag & 7:
            case 0:
                _, position = _read_varint(data, position)
            case 1:
                position += 8
            case 2:
                size, position = _read_varint(data, position)
                position += size
            case 5:
                position += 4
            case _:
                position = len(data)
        yield tag >> 3, start, position


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
            break
        shift += 7
    return number, position


# --- which files -----------------------------------------------------------------------------------------------------


def changed_files(old: RawImage, new: RawImage) -> frozenset[str]:
    """The names of the files that are there on one side only, or have another content."""
    names = old.keys() | new.keys()
    both = old.keys() & new.keys()
    return frozenset(name for name in names if name not in both or not same_content(old[name].data, new[name].data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The files to keep, on whichever side they are: as they are, or as an outline to link against."""

    whole: frozenset[str]
    outlined: Mapping[str, bytes]


def select(
    old: RawImage, new: RawImage, changed: frozenset[str], *, outlines: bool = True, carriers: bool = False
) -> Selection:
    """The changed files, those that see them, the witnesses of packages, and what is needed to link all of them.

    What does not change is kept on both sides or on neither, so that it differs on neither. With `outlines`, what is
    there only to be linked against has no content, unless a field's type became another: then what it imports matters.
    With `carriers`, all that can carry what changed is kept too.
    """
    seen = changed if carriers or not outlines else _seen_from_outside(old, new, changed)
    whole = {*changed, *package_witnesses(old, new, changed)}
    whole |= {name for image in (old, new) for name in _dependents(image, seen, at_any_distance=carriers)}
    whole |= {name for one in changed for name in _imports(old, new, one)}
    whole |= _that_spell_options(old, new, changed)
    deep = not outlines or any(_refers_elsewhere(old.get(name), new.get(name)) for name in changed)
    outlined: dict[str, bytes] = {}
    waiting = list(whole)
    while waiting:
        name = waiting.pop()
        public = (new.get(name) or old[name]).public_imports
        for imported in public if name in outlined else _imports(old, new, name):
            if imported in whole or imported in outlined:
                continue
            short = None if deep else outline((new.get(imported) or old[imported]).data)
            if short is None:
                whole.add(imported)
            else:
                outlined[imported] = short
            waiting.append(imported)
    return Selection(whole=frozenset(whole), outlined=outlined)


def _imports(old: RawImage, new: RawImage, name: str) -> tuple[str, ...]:
    """On either side, as far as the image has them."""
    files = [image[name] for image in (old, new) if name in image]
    return tuple(dict.fromkeys(one for file in files for one in file.imports if one in old or one in new))


_OPTIONS = re.compile(rb"\.google\.protobuf\.\w+Options\b")
"""In the bytes of each file that extends an option message; a few others that name one match too, and do no harm."""


def _that_spell_options(old: RawImage, new: RawImage, changed: frozenset[str]) -> set[str]:
    """What the value of an option in a changed file needs to be read: its definition, and all that this imports.

    An option's message may lie files away from its definition: googleapis has `http` in annotations.proto and
    `HttpRule` in http.proto. Without the fields of that message, two values of the option look alike.
    """
    public = _closure(
        {name for one in changed for name in _imports(old, new, one)},
        lambda name: (new.get(name) or old[name]).public_imports,
        old.keys() | new.keys(),
    )
    seen = changed | public
    definitions = {name for image in (old, new) for name in seen & image.keys() if _has_extensions(image[name])}
    return _closure(definitions, lambda name: _imports(old, new, name), old.keys() | new.keys())


def _has_extensions(file: RawFile) -> bool:
    return "extension" in file.sorts or _OPTIONS.search(file.data) is not None


def _closure(names: Iterable[str], follow: Callable[[str], Iterable[str]], known: AbstractSet[str]) -> set[str]:
    """The names, and those among the known to which they lead."""
    found = set(names)
    waiting = list(found)
    while waiting:
        more = {name for name in follow(waiting.pop()) if name in known} - found
        found |= more
        waiting += more
    return found


def _refers_elsewhere(old: RawFile | None, new: RawFile | None) -> bool:
    """Whether the two sides of a file do not name the same types."""
    if old is None or new is None:
        return False
    return _referred(old.data) != _referred(new.data)


def _referred(data: bytes) -> set[str]:
    file = descriptor_pb2.FileDescriptorProto.FromString(data)
    fields, waiting = [*file.extension], [*file.message_type]
    while waiting:
        message = waiting.pop()
        fields += [*message.field, *message.extension]
        waiting += message.nested_type
    return {field.type_name for field in fields if field.type_name}


def _seen_from_outside(old: RawImage, new: RawImage, changed: frozenset[str]) -> frozenset[str]:
    """The changed files of which those that import them see another outline, or may: not every file has one."""

    def seen(image: RawImage, name: str) -> bytes | None:
        return outline(image[name].data) if name in image else None

    return frozenset(name for name in changed if (one := seen(old, name)) is None or one != seen(new, name))


def _dependents(image: RawImage, changed: frozenset[str], *, at_any_distance: bool) -> set[str]:
    importers: dict[str, list[str]] = {}
    for name, file in image.items():
        for imported in file.imports:
            importers.setdefault(imported, []).append(name)
    found: set[str] = set()
    visible, passed = list(changed), set(changed)
    while visible:
        name = visible.pop()
        for importer in importers.get(name, ()):
            found.add(importer)
            if (at_any_distance or name in image[importer].public_imports) and importer not in passed:
                passed.add(importer)
                visible.append(importer)
    return found


def package_witnesses(old: RawImage, new: RawImage, changed: frozenset[str]) -> frozenset[str]:
    """Unchanged files that show what the packages of changed files still have; the smallest for each sort."""
    packages = {image[name].package for image in (old, new) for name in changed if name in image}
    chosen = _any_unchanged(old, new, changed)
    left = {package: {"message", "enum", "service", "extension", ""} for package in packages}
    unchanged = [name for name, file in new.items() if name not in changed and file.package in packages]
    for name in sorted(unchanged, key=lambda one: (len(new[one].imports), new[one].size_bytes, one)):
        file = new[name]
        shows = {"", *_sorts(file)} & left[file.package]
        if shows:
            left[file.package] -= shows
            chosen.add(name)
    return frozenset(chosen)


def _any_unchanged(old: RawImage, new: RawImage, changed: frozenset[str]) -> set[str]:
    """A file for a side that would have none otherwise, since buf takes no image without files."""
    if all(changed & image.keys() for image in (old, new)):
        return set()
    unchanged = new.keys() - changed
    return set(sorted(unchanged, key=lambda name: (len(new[name].imports), new[name].size_bytes, name))[:1])


def _sorts(file: RawFile) -> frozenset[str]:
    """Of elements on any level."""
    if "enum" in file.sorts or "message" not in file.sorts:
        return file.sorts
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.data)
    return file.sorts | {"enum"} if any(map(_has_enum, proto.message_type)) else file.sorts


def _has_enum(message: descriptor_pb2.DescriptorProto) -> bool:
    return bool(message.enum_type) or any(map(_has_enum, message.nested_type))


# --- two images ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """Two images with all that a comparison can see; both empty where nothing differs."""

    old: bytes
    new: bytes
    changed: frozenset[str]


def trim(old_files: tuple[bytes, ...], new_files: tuple[bytes, ...], *, carriers: bool = False) -> Trimmed:
    """Compare two images, as `raw_files` gives them, file by file, and keep what matters. Raises ImageError.

    With `carriers`, what says whom it concerns is kept too.
    """
    nothing = Trimmed(old=b"", new=b"", changed=frozenset())
    if set(old_files) == set(new_files):
        return nothing
    after = read_headers(new_files)
    before = _of_one_compiler(read_headers(old_files), after)
    changed = changed_files(before, after)
    if not changed:
        return nothing
    kept = select(before, after, changed, carriers=carriers)
    old, new = (join(_kept(image, kept)) for image in (before, after))
    return Trimmed(old=old, new=new, changed=changed)


def _of_one_compiler(old: RawImage, new: RawImage) -> RawImage:
    """The old image with the well-known files that the new one has.

    They come with the compiler, and differ from one of its releases to another though the schema is the same.
    """
    return {
        name: new[name] if name.startswith(WELL_KNOWN) and name in new and {*new[name].imports} <= old.keys() else file
        for name, file in old.items()
    }


def _kept(image: RawImage, kept: Selection) -> Iterator[bytes]:
    """In the order of the image."""
    for name, file in image.items():
        if name in kept.whole:
            yield _without_unused(file.data) if file.has_option_imports else file.data
        elif name in kept.outlined:
            yield kept.outlined[name]


def _without_unused(data: bytes) -> bytes:
    """Without buf's note of unused imports: it counts those for options alone among them, and refuses its own image."""
    kept = []
    for number, start, end in _records(data):
        _, content = _read_varint(data, start)
        _, content = _read_varint(data, content)
        if number != BUF_EXTENSION:
            kept.append(data[start:end])
        elif data.startswith(IS_IMPORT, content):
            kept.append(delimited(BUF_EXTENSION, IS_IMPORT))
    return b"".join(kept)


def join(files: Iterable[bytes]) -> bytes:
    """An image of these files."""
    image: bytes = _Set(file=files).SerializeToString()
    return image
