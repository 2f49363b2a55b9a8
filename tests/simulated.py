"""Stubs simulated in this process around the real protobuf runtime, sound or with one planted bug."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from counterfoil.probe.divergences import Divergence, KnownDivergences
from counterfoil.probe.outcomes import Decoded, EncodeFailed, Outcome, OutputFormat, Rejected
from counterfoil.probe.payloads import Encoding, Payload
from counterfoil.probe.stub_protocol import Asking
from counterfoil.probing.panel import Panel, Row
from counterfoil.probing.probing import Budget, Search
from counterfoil.stub.messages import MessageObserver
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, struct_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

F = descriptor_pb2.FieldDescriptorProto


@cache
def item() -> Descriptor:
    """A proto3 message with explicit and implicit presence, a oneof, a list, a map, a Value, and itself."""
    file = descriptor_pb2.FileDescriptorProto(name="test/item.proto", package="test", syntax="proto3")
    file.dependency.append("google/protobuf/struct.proto")
    message = file.message_type.add(name="Item")
    for name, number, kind in (("name", 1, F.TYPE_STRING), ("id", 2, F.TYPE_INT64), ("ratio", 9, F.TYPE_DOUBLE)):
        message.field.add(
            name=name, number=number, type=kind, label=F.LABEL_OPTIONAL, proto3_optional=True, oneof_index=number
        )
    message.field.add(name="item_count", number=3, type=F.TYPE_INT32, label=F.LABEL_OPTIONAL)
    message.field.add(name="tags", number=4, type=F.TYPE_STRING, label=F.LABEL_REPEATED)
    message.field.add(name="child", number=6, type=F.TYPE_MESSAGE, type_name=".test.Item", label=F.LABEL_OPTIONAL)
    message.field.add(name="email", number=7, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL, oneof_index=0)
    message.field.add(name="phone", number=8, type=F.TYPE_INT64, label=F.LABEL_OPTIONAL, oneof_index=0)
    message.field.add(
        name="extra", number=10, type=F.TYPE_MESSAGE, type_name=".google.protobuf.Value", label=F.LABEL_OPTIONAL
    )
    entry = message.nested_type.add(name="ScoresEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=F.TYPE_INT32, label=F.LABEL_OPTIONAL)
    message.field.add(
        name="scores", number=5, type=F.TYPE_MESSAGE, type_name=".test.Item.ScoresEntry", label=F.LABEL_REPEATED
    )
    message.oneof_decl.add(name="contact")
    for index, field in enumerate((one for one in message.field if one.proto3_optional), start=1):
        field.oneof_index = index
        message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    struct = descriptor_pb2.FileDescriptorProto()
    struct_pb2.DESCRIPTOR.CopyToProto(struct)
    pool.Add(struct)
    pool.Add(file)
    return pool.FindMessageTypeByName("test.Item")


OBSERVER = MessageObserver()


def unchanged(value: Any) -> Any:  # noqa: ANN401 - whatever a bug may change
    return value


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A stub: each function changes what passes through, as a bug would."""

    text: Callable[[Any], Any] = unchanged
    """Takes the members of a JSON object as pairs, in their order, and gives the object back."""
    message: Callable[[Message], Message] = unchanged
    written: Callable[[Message], Message] = unchanged
    ignores_unknown: bool = False

    def answer(self, payload: Payload) -> Outcome:
        return _answer(self, payload.encoding, payload.data)

    def decode(self, encoding: Encoding, data: bytes) -> Outcome:
        made = message_factory.GetMessageClass(item())()
        try:
            if encoding is Encoding.BINARY:
                made.MergeFromString(data)
            else:
                self._read_json(data, made)
        except Exception as error:  # noqa: BLE001 - whatever it raises, it refuses
            return Rejected(str(error))
        made = self.message(made)
        observation = OBSERVER.observe(made)
        try:
            return self._write(encoding, self.written(made), observation)
        except Exception as error:  # noqa: BLE001 - as above
            return EncodeFailed(str(error), observation)

    def _read_json(self, data: bytes, made: Message) -> None:
        text = data.decode()
        if self.text is not unchanged:
            text = json.dumps(json.loads(text, object_pairs_hook=self.text))
        json_format.Parse(text, made, ignore_unknown_fields=self.ignores_unknown, descriptor_pool=item().file.pool)

    @staticmethod
    def _write(encoding: Encoding, made: Message, observation: bytes) -> Decoded:
        if encoding is Encoding.BINARY:
            return Decoded(observation, made.SerializeToString(deterministic=True), OutputFormat.BINARY)
        text = json_format.MessageToJson(made, indent=None, descriptor_pool=item().file.pool)
        return Decoded(observation, text.encode(), OutputFormat.JSON)


@cache
def _answer(stub: Simulated, encoding: Encoding, data: bytes) -> Outcome:
    return stub.decode(encoding, data)


class SimulatedPanel(Panel):
    """A panel of simulated stubs."""

    def __init__(self, stubs: Mapping[str, Simulated]) -> None:
        super().__init__((), Asking(message_type=item().full_name), item())
        self._simulated = stubs

    def ask(self, payloads: Sequence[Payload]) -> list[Row]:
        return [{name: stub.answer(one) for name, stub in self._simulated.items()} for one in payloads]


def findings(stubs: Mapping[str, Simulated], payloads: Iterable[Payload]) -> list[tuple[Divergence, Payload]]:
    """What a search finds: each new divergence with its payload, shrunk and named by what is left in it."""
    search = Search(SimulatedPanel(stubs), item(), KnownDivergences())
    return [(found.divergence, found.payload) for found in search.run(payloads, Budget())]


def payload(data: bytes, encoding: Encoding = Encoding.JSON, **words: str) -> Payload:
    """A payload for which the words of its purpose do not matter, unless given."""
    made = Payload(encoding=encoding, data=data, path="", kind="document", state="value", phase="edges")
    return replace(made, **words)  # type: ignore[arg-type]
