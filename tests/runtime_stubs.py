"""The runtime stubs of the three languages, and of each a copy with a planted bug, on a panel."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from counterfoil.probe.stub_protocol import Asking
from counterfoil.probing.panel import Panel
from counterfoil.probing.stubs import Stub, StubCommand
from counterfoil.system.processes import Processes
from filelock import FileLock
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

ROOT = Path(__file__).resolve().parents[1]
BUGGY = ROOT / "tests" / "stubs"
NODE_STUB = ROOT / "harness" / "stub-node"
RUNTIME_STUB = "counterfoil.stub.runtime"
RUST_STUB = "counterfoil-runtime-stub"
LANGUAGES = ("python", "node", "rust")
BUILD_WITHIN_S = 600
SCHEMA_ID = "probed"


@cache
def rust_target() -> Path:
    """The folder of what cargo built: the runtime stub, and its copy with bugs."""
    with FileLock(ROOT / "target" / "runtime-stubs.lock"):
        build = ["cargo", "build", "--locked", "--quiet", "-p", "counterfoil-stub", "--bins", "--example", "buggy"]
        subprocess.run(build, cwd=ROOT, check=True, timeout=BUILD_WITHIN_S)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    told = subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True, timeout=BUILD_WITHIN_S)
    return Path(json.loads(told.stdout)["target_directory"]) / "debug"


def command(language: str, bug: str = "", name: str = "") -> StubCommand:
    """How to start the runtime stub of a language, sound or with a bug."""
    starts: dict[str, tuple[str, ...]] = {
        "python": (sys.executable, str(BUGGY / "buggy.py"), bug) if bug else (sys.executable, "-m", RUNTIME_STUB),
        "node": ("node", str(BUGGY / "buggy.mjs"), bug) if bug else ("node", str(NODE_STUB / "src" / "runtime.js")),
    }
    if language == "rust":
        target = rust_target()
        starts["rust"] = (str(target / "examples" / "buggy"), bug) if bug else (str(target / RUST_STUB),)
    return StubCommand(name=name or language, command=starts[language], cwd=ROOT)


@contextlib.contextmanager
def running(commands: Sequence[StubCommand], image: bytes) -> Iterator[list[Stub]]:
    """The stubs, with a schema loaded."""
    processes = Processes()
    try:
        with contextlib.ExitStack() as stack:
            stubs = [stack.enter_context(Stub(processes, one)) for one in commands]
            for stub in stubs:
                stub.load(SCHEMA_ID, image)
            yield stubs
    finally:
        processes.stop()


def panel(stubs: Sequence[Stub], message: Descriptor) -> Panel:
    """The stubs, asked about a message of the schema that they have loaded."""
    return Panel(stubs, Asking(message_type=message.full_name, schema_id=SCHEMA_ID), message)


@cache
def thing() -> FileDescriptorSet:
    """A schema of one message: a string, an int32 with presence, an int64."""
    file = FileDescriptorProto(name="probe/v1/thing.proto", package="probe.v1", syntax="proto3")
    message = file.message_type.add(name="Thing")
    message.field.add(name="name", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    message.field.add(
        name="stock", number=2, type=Field.TYPE_INT32, label=Field.LABEL_OPTIONAL, proto3_optional=True, oneof_index=0
    )
    message.field.add(name="id", number=3, type=Field.TYPE_INT64, label=Field.LABEL_OPTIONAL)
    message.oneof_decl.add(name="_stock")
    return FileDescriptorSet(file=[file])


def message_of(image: FileDescriptorSet, name: str) -> Descriptor:
    """A message of a schema, in a pool of its own."""
    pool = DescriptorPool()
    for file in image.file:
        pool.Add(file)
    return pool.FindMessageTypeByName(name)
