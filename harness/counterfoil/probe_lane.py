"""The probe over a schema: which messages, through which stubs, and what came of it as cases and findings."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from counterfoil.buf import Buf, BufError, CompileError
from counterfoil.errors import UsageError, nearest
from counterfoil.events import CaseFinished, Event, RunFinished, RunStarted
from counterfoil.files import replace_file
from counterfoil.model import Case, CaseResult, Finding, Lane, Location, Output
from counterfoil.panel import Panel, Reading
from counterfoil.probe.divergences import Divergence, KnownDivergences
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.verdicts import judge
from counterfoil.probe.witness import StubOutcome, Witness, describe, file_name, read, readable, write
from counterfoil.probing import Budget, Found, Search, phases
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.stub_protocol import Asking
from counterfoil.stubs import Stub, StubCommand, StubStartError
from counterfoil.workspace import Workspace

SCHEMA_ID = "probed"
BUILT_IN = "python"
NOT_PROBED = "google.protobuf."
DIVERGENCES = "divergences"
SHOWN_CHARS = 300


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
    """An image as descriptors. Raises UsageError when it is none."""
    pool = descriptor_pool.DescriptorPool()
    try:
        files = descriptor_pb2.FileDescriptorSet.FromString(image).file
        for file in files:
            pool.Add(file)
    except (DecodeError, TypeError) as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"'{source}' is not an image", why=why, fix="write it with 'buf build -o'") from None
    names = (name for file in files for name in _names(file.package, file.message_type))
    return ProbedSchema(image=image, pool=pool, messages=tuple(sorted(names)))


def _names(scope: str, messages: Sequence[descriptor_pb2.DescriptorProto]) -> Iterator[str]:
    for message in messages:
        if not message.options.map_entry:
            name = f"{scope}.{message.name}" if scope else message.name
            yield name
            yield from _names(name, message.nested_type)


def stub_commands(workspace: Workspace, names: Sequence[str]) -> tuple[StubCommand, ...]:
    """The stubs asked for, or all; the Python runtime stub is always among them. Raises UsageError."""
    runtime = (sys.executable, "-P", "-m", "counterfoil.stub.runtime")
    commands = {BUILT_IN: StubCommand(name=BUILT_IN, command=runtime, cwd=workspace.root)}
    for name, stub in workspace.settings.stubs.items():
        commands[name] = StubCommand(
            name=name,
            command=stub.start,
            cwd=workspace.path(stub.dir),
            env=stub.env,
            lane=stub.lane,
            start_within_s=stub.start_within_s,
            answer_within_s=stub.answer_within_s,
        )
    for name in names:
        if name not in commands:
            raise UsageError(f"unknown stub '{name}'", where="--stub", why=nearest(name, commands), fix="correct it")
    chosen = tuple(commands[name] for name in dict.fromkeys(names or commands))
    if len(chosen) == 1:
        raise UsageError(
            f"'{chosen[0].name}' alone has nobody to disagree with",
            why="the probe compares what several stubs make of the same payload",
            fix="name two with --stub, or add [stubs.NAME] to counterfoil.toml; see docs/stubs.md",
        )
    return chosen


@contextlib.contextmanager
def started(processes: Processes, commands: Sequence[StubCommand], schema: ProbedSchema) -> Iterator[list[Stub]]:
    """The stubs, with the schema loaded. Raises UsageError for one that cannot be used."""
    with contextlib.ExitStack() as stack:
        try:
            stubs = [stack.enter_context(Stub(processes, command)) for command in commands]
            for stub in stubs:
                if stub.description.loads_schemas:
                    stub.load(SCHEMA_ID, schema.image)
        except StubStartError as error:
            raise UsageError(
                f"the stub '{error.name}' cannot be used: {error.message}",
                why=" | ".join(error.tail),
                fix=f"start it by hand with the command of [stubs.{error.name}]; counterfoil build may be missing",
            ) from None
        yield stubs


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """What to probe, and for how long."""

    messages: tuple[str, ...]
    budget_s: float
    seed: int = 0


class ProbeLane:
    """Probes the messages of one schema, one after another; each divergence is reported once, wherever it shows."""

    def __init__(self, workspace: Workspace, schema: ProbedSchema, stubs: Sequence[Stub]) -> None:
        self._workspace = workspace
        self._schema = schema
        self._stubs = stubs
        self._known = KnownDivergences()

    def run(self, request: ProbeRequest) -> Iterator[Event]:
        """A case for each message."""
        started_s = time.monotonic()
        cases = [Case(lane=Lane.PROBE, subject=name, name=DIVERGENCES) for name in request.messages]
        yield RunStarted(tuple(cases))
        for number, case in enumerate(cases):
            began_s = time.monotonic()
            left_s = request.budget_s - (began_s - started_s)
            findings = tuple(self._probed(case.subject, left_s / (len(cases) - number), request.seed))
            yield CaseFinished(CaseResult(case=case, findings=findings, duration_s=time.monotonic() - began_s))
        yield RunFinished(time.monotonic() - started_s)

    def _probed(self, name: str, budget_s: float, seed: int) -> Iterator[Finding]:
        message = self._schema.message(name)
        panel = Panel(self._stubs, Asking(message_type=name, schema_id=SCHEMA_ID), message)
        search = Search(panel, message, self._known)
        for found in search.run(phases(message, seed=seed), Budget(seconds=max(0.0, budget_s))):
            yield self._finding(name, message, found)
        for stub in sorted(search.silent):
            yield finding(
                "STUB_SAID_NOTHING",
                f"{name}::{stub}",
                f"the stub '{stub}' read none of {search.progress.payloads} payloads of {name}",
                fix=f"leave it out with --stub, or see what it says: counterfoil replay with a witness of {name}",
            )

    def _finding(self, name: str, message: Descriptor, found: Found) -> Finding:
        path = self._save(name, message, found)
        verdict = judge(found.payload, found.divergence, found.outcomes)
        seen = tuple(
            Output(label=stub, lines=(describe(one, SHOWN_CHARS),)) for stub, one in sorted(found.outcomes.items())
        )
        payload = Output(label="payload", lines=(readable(found.payload, message, SHOWN_CHARS),))
        return finding(
            "DIVERGENCE",
            found.divergence.signature,
            found.divergence.detail + (f". {verdict}" if verdict else ""),
            fix=f"counterfoil replay {path}",
            location=Location(path=path),
            evidence=(payload, *seen),
        )

    def _save(self, name: str, message: Descriptor, found: Found) -> str:
        witness = Witness(
            message=name,
            schema_digest=self._schema.digest,
            payload=found.payload,
            readable=readable(found.payload, message),
            divergence=found.divergence,
            outcomes=self._told(found.outcomes),
            verdict=str(judge(found.payload, found.divergence, found.outcomes) or ""),
        )
        path = self._workspace.path(self._workspace.settings.probe.witnesses) / file_name(found.divergence)
        replace_file(path, write(witness).encode("utf-8", "backslashreplace"))
        return self._workspace.relative(path)

    def _told(self, outcomes: Mapping[str, Outcome]) -> tuple[StubOutcome, ...]:
        runtimes = {stub.name: f"{stub.description.runtime} {stub.description.runtime_version}" for stub in self._stubs}
        return tuple(
            StubOutcome(stub=stub, runtime=runtimes[stub], outcome=describe(one, SHOWN_CHARS))
            for stub, one in outcomes.items()
        )

    def replay(self, witness: Witness) -> tuple[Reading, Divergence | None]:
        """Read a witness's payload again; the divergence when it still shows."""
        message = self._schema.message(witness.message)
        panel = Panel(self._stubs, Asking(message_type=witness.message, schema_id=SCHEMA_ID), message)
        [reading] = panel.judge([witness.payload])
        same = (one for one in reading.divergences if one.signature == witness.divergence.signature)
        return reading, next(same, None)


def read_witness(path: Path) -> Witness:
    """A witness file. Raises UsageError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read '{path}'", why=str(error), fix="name a witness file") from None
    return read(text, str(path))
