"""The runtime stubs that judge schemas: which there are, and two schemas loaded into each."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from counterfoil.compat.changes import PYTHON
from counterfoil.core.workspace import Workspace
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.payloads import Payload
from counterfoil.probe.stub_protocol import Asking, Question
from counterfoil.probing.probe_stubs import stub_command
from counterfoil.probing.stubs import Stub, StubCommand, StubStartError
from counterfoil.system import toolchain
from counterfoil.system.processes import Processes

NODE = "node"
RUST = "rust"
RUST_BINARY = "counterfoil-runtime-stub"
Row = Mapping[str, Outcome]
"""What each stub did with one payload, by the stub's name."""
HARNESS = Path(__file__).resolve().parents[2]
NODE_LANE = "protobuf-es"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A runtime that takes no part, and why."""

    name: str
    why: str
    is_service: bool = False
    """Whether it reads with the code of one service, so that no schema can be given to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A payload of a message that both schemas have; they are named by their ids."""

    writer: str
    reader: str
    message: str
    payload: Payload


class Runtimes:
    """The stubs that run, each with the schemas that it took. Use within its context."""

    def __init__(self, processes: Processes, commands: Sequence[StubCommand], missing: Sequence[Absent] = ()) -> None:
        self.absent = list(missing)
        self._processes = processes
        self._commands = commands
        self._stack = contextlib.ExitStack()
        self._stubs: list[Stub] = []
        self._refused: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        with ThreadPoolExecutor(max_workers=max(1, len(self._commands))) as pool:
            for stub in pool.map(self._start, self._commands):
                if stub is not None:
                    self._stubs.append(stub)
        return self

    def __exit__(self, *_: object) -> None:
        with ThreadPoolExecutor(max_workers=max(1, len(self._stubs))) as pool:
            list(pool.map(lambda stub: stub.__exit__(None, None, None), self._stubs))

    def _start(self, command: StubCommand) -> Stub | None:
        stub = Stub(self._processes, command)
        try:
            stub.__enter__()
        except StubStartError as error:
            self.absent.append(Absent(name=error.name, why=error.message))
            return None
        if stub.description.loads_schemas:
            return stub
        stub.__exit__(None, None, None)
        why = 'it takes no schema; kind = "service" says that it need not'
        self.absent.append(Absent(name=command.name, why=why, is_service=bool(stub.description.message_types)))
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The stubs that run."""
        return tuple(stub.name for stub in self._stubs)

    def runtime(self, name: str) -> str:
        """For example `protobuf 7.36.2`."""
        stub = next(one for one in self._stubs if one.name == name)
        return f"{stub.description.runtime} {stub.description.runtime_version}"

    def load(self, schema_id: str, image: bytes) -> None:
        """Hand a schema to every stub; who refuses it takes no part in what is asked about it."""

        def load(stub: Stub) -> tuple[str, str] | None:
            try:
                stub.load(schema_id, image)
            except StubStartError as error:
                stub.forget(schema_id)
                return stub.name, error.message
            return None

        with ThreadPoolExecutor(max_workers=max(1, len(self._stubs))) as pool:
            self._refused[schema_id] = dict(one for one in pool.map(load, self._stubs) if one)

    def refused(self, *schema_ids: str) -> dict[str, str]:
        """Who does not take one of these schemas, and why."""
        return {name: why for schema_id in schema_ids for name, why in self._refused.get(schema_id, {}).items()}

    def given_up(self) -> dict[str, str]:
        """Who died or hung too often to be asked everything, and how."""
        return {stub.name: stub.trouble for stub in self._stubs if stub.is_given_up}

    def read(self, crossings: Sequence[Crossing]) -> list[tuple[Row, Row]]:
        """What every stub that took the schemas makes of each payload with the writer's, and with the reader's."""
        out = self.refused(*{one for crossing in crossings for one in (crossing.writer, crossing.reader)})
        stubs = [stub for stub in self._stubs if stub.name not in out]
        if not (stubs and crossings):
            return [({}, {}) for _ in crossings]
        with ThreadPoolExecutor(max_workers=len(stubs)) as pool:
            columns = list(pool.map(lambda stub: list(stub.ask(_questions(crossings, stub.command.lane))), stubs))
        rows = [{stub.name: one for stub, one in zip(stubs, row, strict=True)} for row in zip(*columns, strict=True)]
        return list(zip(rows[::2], rows[1::2], strict=True))


def _questions(crossings: Sequence[Crossing], lane: str) -> Iterator[Question]:
    """Two for each: with the writer's schema, and with the reader's."""
    asked = ((crossing, schema_id) for crossing in crossings for schema_id in (crossing.writer, crossing.reader))
    for number, (crossing, schema_id) in enumerate(asked, start=1):
        asking = Asking(message_type=crossing.message, schema_id=schema_id, lane=lane)
        yield asking.about(number, crossing.payload)


def find_stubs(workspace: Workspace) -> tuple[tuple[StubCommand, ...], tuple[Absent, ...]]:
    """Python's, which is always there; those of counterfoil.toml; else Node's and Rust's where they can be found."""
    found = {
        PYTHON: StubCommand(
            name=PYTHON, command=(sys.executable, "-P", "-m", "counterfoil.stub.runtime"), cwd=workspace.root
        )
    }
    absent = []
    packaged = {NODE: _node(), RUST: _rust()}
    for name, stub in workspace.settings.stubs.items():
        beside = packaged.get(name)
        if isinstance(beside, StubCommand):
            continue  # the same program, without the build tool around it
        if stub.kind == "service" or (stub.participant and stub.kind is None):
            absent.append(Absent(name=name, why="it reads with a service's own code", is_service=True))
            continue
        found[name] = stub_command(workspace, name)
    for name, one in packaged.items():
        if isinstance(one, StubCommand):
            found[name] = one
        elif name not in found:
            absent.append(Absent(name=name, why=one))
    return tuple(found.values()), tuple(absent)


def _node() -> StubCommand | str:
    """Node's runtime stub beside this package, or why it cannot run."""
    folder = HARNESS / "stub-node"
    node = toolchain.find("node")
    if not (folder / "src" / "runtime.js").is_file():
        return "its runtime stub is not beside this installation; name it under [stubs.node]"
    if node is None:
        return toolchain.how_to_install("node")
    if not (folder / "node_modules").is_dir():
        return f"run 'npm ci' in {folder}"
    return StubCommand(name=NODE, command=(node, "src/runtime.js"), cwd=folder, lane=NODE_LANE)


def _rust() -> StubCommand | str:
    """Rust's runtime stub, as built in this checkout or found on PATH, or why there is none."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or HARNESS.parent / "target")
    built = [path for profile in ("release", "debug") if (path := target / profile / RUST_BINARY).is_file()]
    on_path = toolchain.find(RUST_BINARY)
    built += [Path(on_path)] if on_path and not built else []
    if not built:
        return f"its runtime stub is not built: cargo build --release --bin {RUST_BINARY}; or name it in [stubs.rust]"
    binary = max(built, key=lambda path: path.stat().st_mtime)
    return StubCommand(name=RUST, command=(str(binary),), cwd=binary.parent)
