"""The schema with every protobuf feature, tests/schemas, compiled by buf."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from counterfoil.probe.payloads import Encoding
from counterfoil.system.toolchain import find
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message

SCHEMAS = Path(__file__).resolve().parent / "schemas"
MESSAGES = ("Wide", "Special", "Legacy", "Strict", "Endless", "Featured", "Demanding", "Inner")


@cache
def image() -> bytes:
    """The schema as a serialized FileDescriptorSet, imports included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.binpb"
        subprocess.run([str(find("buf")), "build", str(SCHEMAS), "-o", str(path)], check=True, capture_output=True)
        return path.read_bytes()


@cache
def pool() -> DescriptorPool:
    """A pool of the schema alone."""
    made = DescriptorPool()
    for file in FileDescriptorSet.FromString(image()).file:
        made.AddSerializedFile(file.SerializeToString())
    return made


def message(name: str) -> Descriptor:
    """A message of the schema."""
    return pool().FindMessageTypeByName(f"every_feature.{name}")


def read(name: str, encoding: Encoding, data: bytes) -> Message | None:
    """What protobuf's own runtime for Python reads; None where it refuses the payload."""
    made = message_factory.GetMessageClass(message(name))()
    try:
        if encoding is Encoding.BINARY:
            made.ParseFromString(data)
            return made
        return json_format.Parse(data, made, descriptor_pool=pool())
    except (DecodeError, json_format.ParseError, ValueError, RecursionError):
        return None
