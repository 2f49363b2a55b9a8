"""The schema that a probe reads payloads with: compiled from a folder, or an image."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError, nearest
from counterfoil.project.proto_trees import require_utf8
from counterfoil.system.buf import Buf, BufError, CompileError
from counterfoil.system.processes import Processes

NOT_PROBED = "google.protobuf."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedSchema:
    """A schema as every stub gets it, and as we read it."""

    image: bytes
    pool: descriptor_pool.DescriptorPool
    messages: tuple[str, ...]
    """The full names of all of its messages, map entries left out."""

    @property
    def digest(self) -> str:
        """By which a witness says with which schema it was found."""
        return "sha256:" + hashlib.sha256(self.image).hexdigest()

    def message(self, name: str) -> Descriptor:
        """One message. Raises UsageError with the nearest name."""
        if name not in self.messages:
            raise UsageError(f"the schema has no message '{name}'", why=nearest(name, self.messages), fix="correct it")
        descriptor: Descriptor = self.pool.FindMessageTypeByName(name)
        return descriptor

    def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The messages that the patterns mean. Raises UsageError when they mean none."""
        if not self.messages:
            raise UsageError("the schema has no messages", fix="name another with --schema, or declare a message in it")
        found = tuple(
            name
            for name in self.messages
            if not name.startswith(NOT_PROBED) and any(fnmatchcase(name, pattern) for pattern in patterns)
        )
        if not found:
            raise UsageError(
                f"no message of the schema matches {', '.join(map(repr, patterns))}",
                why=nearest(patterns[0] if patterns else "", self.messages),
                fix="correct --message, or probe.messages in counterfoil.toml",
            )
        return found


def read_schema(processes: Processes, workspace: Workspace, source: str) -> ProbedSchema:
    """A folder of protos, compiled, or an image. Raises UsageError for anything else."""
    path = workspace.path(source)
    if path.is_file():
        return parse_schema(source, path.read_bytes())
    protos = [one.relative_to(path).as_posix() for one in path.rglob("*.proto")]
    require_utf8(source, protos)
    if not protos:
        raise UsageError(
            f"'{source}' has no .proto files" if path.is_dir() else f"there is no '{source}'",
            why="a schema is a folder of protos, or an image that 'buf build -o' writes",
            fix="name another with --schema, or correct schema.dir in counterfoil.toml",
        )
    workspace.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.state_dir, prefix="schema-") as scratch:
        image = Path(scratch) / "schema.binpb"
        try:
            Buf(processes, workspace.root, workspace.state_dir).build(path, image, positions=False)
        except CompileError as error:
            first = error.annotations[0]
            where = f"{first.path}:{first.line}:{first.column}"
            raise UsageError(error.message, where=where, why=first.message, fix=f"correct {first.path}") from None
        except BufError as error:
            raise UsageError(error.message, why=" ".join(error.tail[-1:]), fix="name a folder or an image") from None
        return parse_schema(source, image.read_bytes())


def parse_schema(source: str, image: bytes) -> ProbedSchema:
    """An image as descriptors. Raises UsageError when it is none, or Python's protobuf refuses it."""
    pool = descriptor_pool.DescriptorPool()
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(image).file
        for file in files:
            pool.Add(file)
    except DecodeError as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"'{source}' is not an image", why=why, fix="write it with 'buf build -o'") from None
    except TypeError as error:
        raise UsageError(
            f"Python's protobuf refuses the schema '{source}'",
            why=str(error).splitlines()[0],
            fix=f"change what it refuses in '{source}', or name another with --schema",
        ) from None
    names = (name for file in files for name in _names(file.package, file.message_type))
    return ProbedSchema(image=image, pool=pool, messages=tuple(sorted(names)))


def _names(scope: str, messages: Sequence[descriptor_pb2.DescriptorProto]) -> Iterator[str]:
    for message in messages:
        if not message.options.map_entry:
            name = f"{scope}.{message.name}" if scope else message.name
            yield name
            yield from _names(name, message.nested_type)
