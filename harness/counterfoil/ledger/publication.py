"""What is published of a workspace: pact files, and the schema that its participants speak."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from counterfoil.core.pact_content import PactContent, content_of
from counterfoil.core.workspace import Participant, Workspace
from counterfoil.errors import UsageError
from counterfoil.ledger.names import checked
from counterfoil.system.buf import Buf, BufError
from counterfoil.system.processes import Processes

EVERY_MESSAGE = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenSchema:
    """A schema's image, and which of its messages a participant writes and reads."""

    image: bytes
    writes: tuple[str, ...] = EVERY_MESSAGE
    reads: tuple[str, ...] = EVERY_MESSAGE


def pact_contents(root: Path, named: Sequence[Path]) -> Iterator[PactContent]:
    """The contents of pact files, and of all in folders. Raises UsageError for what is none."""
    for path in named:
        if not path.exists():
            raise UsageError(f"there is no '{path}'", where=str(path), fix="name pact files, or folders of them")
        for file in sorted(_files_in(path)) if path.is_dir() else [path]:
            try:
                data = file.read_bytes()
            except OSError as error:
                raise UsageError(
                    f"cannot read '{file}'", why=str(error.strerror), fix="correct its permissions"
                ) from None
            content = content_of(os.path.relpath(file, root), data)
            checked(content.consumer, "a participant's name", f"{file} @ $.consumer.name")
            checked(content.provider, "a participant's name", f"{file} @ $.provider.name")
            yield content


def _files_in(folder: Path) -> Iterator[Path]:
    files = (Path(root) / name for root, _folders, names in os.walk(folder) for name in names)
    return (file for file in files if file.suffix.lower() == ".json")


def spoken_schemas(workspace: Workspace, participants: Iterable[str]) -> dict[str, SpokenSchema]:
    """The configured schema, for each of these participants that counterfoil.toml names. Raises UsageError."""
    known = {
        name: workspace.settings.participants[name] for name in participants if name in workspace.settings.participants
    }
    if workspace.settings.schema is None or not known:
        return {}
    image = _image(workspace, workspace.settings.schema.dir)
    return {name: _spoken(image, participant) for name, participant in known.items()}


def _spoken(image: bytes, participant: Participant) -> SpokenSchema:
    return SpokenSchema(
        image=image, writes=_messages(image, participant.writes), reads=_messages(image, participant.reads)
    )


def _messages(image: bytes, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The full names of the messages that patterns stand for: those that match, and what a matching service takes.

    A pattern that matches nothing stays as it is: it exchanges nothing with anybody, which is what it says.
    """
    if not patterns or "*" in patterns:
        return EVERY_MESSAGE
    files = FileDescriptorSet.FromString(image).file
    named: dict[str, list[str]] = {}
    for file in files:
        prefix = f"{file.package}." if file.package else ""
        named |= {f"{prefix}{message.name}": [f"{prefix}{message.name}"] for message in file.message_type}
        for service in file.service:
            named[f"{prefix}{service.name}"] = sorted(
                {
                    name.removeprefix(".")
                    for method in service.method
                    for name in (method.input_type, method.output_type)
                }
            )
    found = {
        message
        for pattern in patterns
        for name, messages in named.items()
        if fnmatchcase(name, pattern)
        for message in messages
    }
    return tuple(sorted(found | {one for one in patterns if not any(fnmatchcase(name, one) for name in named)}))


def _image(workspace: Workspace, folder: str) -> bytes:
    """The schema, compiled; without positions, so that a comment changes nothing."""
    workspace.state_dir.mkdir(parents=True, exist_ok=True)
    processes = Processes()
    try:
        with tempfile.TemporaryDirectory(dir=workspace.state_dir, prefix="schema-") as scratch:
            image = Path(scratch) / "schema.binpb"
            Buf(processes, workspace.root, workspace.state_dir).build(workspace.path(folder), image, positions=False)
            return image.read_bytes()
    except BufError as error:
        raise UsageError(
            f"the schema '{folder}' could not be compiled, so it cannot be recorded",
            where=str(workspace.file),
            why=" ".join([error.message, *error.tail])[:500],
            fix="see 'counterfoil check --lane schema'",
        ) from None
    finally:
        processes.stop()
