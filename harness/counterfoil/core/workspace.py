"""What counterfoil.toml says, as frozen values. Every path in it is relative to the folder of that file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

FORMAT_VERSION = 1
WITNESSES = "contracts/witnesses"
BREAKING_WITNESSES = f"{WITNESSES}/breaking"
"""Those of changes of the schema, unless another folder is named."""
DAY_S = 86_400.0

Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$", description="text without NUL, which no argument can carry")]
Folder = Annotated[str, msgspec.Meta(pattern=r"^(?!/)[^\x00]*$", description="a path relative to counterfoil.toml")]
Command = Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
Environment = dict[Annotated[str, msgspec.Meta(pattern=r"^[^=\x00]+$")], Text]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=DAY_S)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """A table of the file; an unknown key is refused."""


class Build(_Table, frozen=True):
    """One command that must have run before a participant can start; it runs again only when an input changed."""

    run: Command
    dir: Folder = "."
    """Where it runs, relative to the participant's folder; of those that run the same command elsewhere, one does."""
    inputs: tuple[Text, ...] = ()
    """Glob patterns, relative to the participant's folder. None: the command runs each time."""
    outputs: tuple[Text, ...] = ()
    """Files or folders that the command leaves behind; when one is missing, the command runs again."""
    deadline_s: Seconds = 900.0


class Provider(_Table, frozen=True):
    """How to start a participant so that its contracts can be verified."""

    start: Command
    ready: Text = "/healthz"
    """The path that answers 2xx once the participant serves."""
    port: Port | None = None
    """A fixed HTTP port. None: a free one is chosen for each run."""
    env: Environment = {}
    """`{port}` is the HTTP port, `{free-port}` another free port, for example for gRPC."""
    states: Text | None = None
    """The path that sets provider states up and tears them down."""
    messages: Text | None = None
    """The path that makes the participant emit a described message."""
    inputs: tuple[Text, ...] = ()
    """Glob patterns of what it is made from. None: what it answered is never reused by a check."""
    ready_within_s: Seconds = 30.0
    answer_within_s: Seconds = 5.0
    stop_within_s: Seconds = 10.0


class Consumer(_Table, frozen=True):
    """How to run a participant's consumer tests; they write pact files to the folder that `PACT_DIR` names."""

    run: Command
    inputs: tuple[Text, ...] = ()
    env: Environment = {}
    deadline_s: Seconds = 600.0


class Decoder(_Table, frozen=True):
    """By which decoder a participant reads what another one sends it; the first entry that fits counts."""

    sender: Text
    """The other participant."""
    message: Text | None = None
    """The name by which the stub knows the decoder. None: the participant does not look at the body."""
    stub: Text | None = None
    """A service stub of `[stubs.NAME]`."""
    interactions: tuple[Text, ...] = ("*",)
    """Descriptions; `*` stands for any part of one."""
    part: Literal["request", "response", "message"] | None = None
    """None: whatever is read."""


class SentSchema(_Table, frozen=True):
    """Which document describes what a participant sends as a provider; the first entry that fits counts."""

    file: Folder
    """An OpenAPI document, for HTTP interactions, or a JSON Schema; in YAML, or in JSON where it ends in .json."""
    at: Annotated[str, msgspec.Meta(pattern=r"^#(/[^\x00]*)?$")] = "#"
    """Where in a JSON Schema's file the schema is, such as `#/$defs/Served`."""
    interactions: tuple[Text, ...] = ("*",)
    """Descriptions; `*` stands for any part of one."""


class Participant(_Table, frozen=True):
    """A service under contract."""

    dir: Folder = "."
    tools: tuple[Text, ...] = ()
    """Programs that must be on PATH for anything of this participant to be judged."""
    build: tuple[Build, ...] = ()
    provider: Provider | None = None
    consumer: Consumer | None = None
    stub: Text | None = None
    """The stub that reads payloads as it does, so that what the probe finds between two stubs says who is concerned."""
    reads: tuple[Text, ...] = ()
    """Full names of protobuf messages and services that it reads; `*` stands for any part of one. None: any."""
    writes: tuple[Text, ...] = ()
    """The same of those that it writes, or serves."""
    decoders: tuple[Decoder, ...] = ()
    schemas: tuple[SentSchema, ...] = ()


class Stub(_Table, frozen=True):
    """How to start a stub: a process that decodes payloads with one language's own types."""

    start: Command
    participant: Text | None = None
    """Whose code it is: it starts in that participant's folder, after its builds."""
    kind: Literal["runtime", "service"] | None = None
    """None: a stub that brings messages of its own and takes no schema is a service's."""
    inputs: tuple[Text, ...] = ()
    """Glob patterns of what it is made from. None: what it said is never reused by a check."""
    dir: Folder = "."
    tools: tuple[Text, ...] = ()
    build: tuple[Build, ...] = ()
    env: Environment = {}
    lane: Text = ""
    """Which of its decoders is meant; empty: its first."""
    start_within_s: Seconds = 20.0
    answer_within_s: Seconds = 5.0


class Probe(_Table, frozen=True):
    """What the probe looks at unless it is told otherwise."""

    messages: tuple[Text, ...] = ("*",)
    """Full names of messages; `*` stands for any part of one."""
    stubs: tuple[Text, ...] = ()
    """Which stubs take part unless the user names others. None: all."""
    examples: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 2_000
    """How many payloads of each message a check tries."""
    witnesses: Folder = WITNESSES


class Pacts(_Table, frozen=True):
    """Where the pact files lie."""

    dir: Folder = "contracts/pacts"
    """With all below it; a new pact that consumer tests write is put here, others where they are."""
    also: tuple[Folder, ...] = ()
    """Glob patterns of further pact files, and of folders that are read with all below them."""


class Schema(_Table, frozen=True):
    """Which protobuf schema is judged, against which baseline."""

    dir: Folder = "protos"
    against: Text | None = None
    """A folder of protos, an image (`.binpb`), or `git:REF`. None: there is no baseline."""


class Settings(_Table, frozen=True):
    """The whole file."""

    format: int
    pacts: Pacts | None = None
    schema: Schema | None = None
    probe: Probe = Probe()
    participants: dict[str, Participant] = {}
    stubs: dict[str, Stub] = {}

    @property
    def documents(self) -> tuple[str, ...]:
        """The files that describe what participants send."""
        return tuple(
            dict.fromkeys(one.file for participant in self.participants.values() for one in participant.schemas)
        )


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A counterfoil.toml and the folder it lies in."""

    root: Path
    file: Path
    settings: Settings

    def path(self, relative: str) -> Path:
        """A path of the configuration as an absolute one."""
        return self.root / relative

    def relative(self, path: Path) -> str:
        """A path as reports show it: relative to the workspace."""
        return os.path.relpath(path, self.root)

    @property
    def pact_dir(self) -> Path | None:
        """The folder of pact files, when the configuration has pacts."""
        return self.path(self.settings.pacts.dir) if self.settings.pacts else None

    def stub_dir(self, stub: Stub) -> Path:
        """The folder in which a stub starts."""
        participant = self.settings.participants.get(stub.participant or "")
        return self.path(participant.dir if participant and stub.dir == "." else stub.dir)

    def stub_builds(self, stub: Stub) -> tuple[Build, ...]:
        """What is built before a stub starts: first what its participant is built by."""
        participant = self.settings.participants.get(stub.participant or "")
        return (*(participant.build if participant else ()), *stub.build)

    @property
    def state_dir(self) -> Path:
        """Caches, logs and locks; safe to delete at any time."""
        return self.root / ".counterfoil"


def without_parents(pattern: str) -> str:
    """A pattern as it is meant in the folder that its leading `../` lead to."""
    return pattern.replace("../", "")
