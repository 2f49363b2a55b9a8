"""Several stubs that read the same payloads side by side, and what they disagree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.compare import compare, compare_orders, compare_reencoded, reencoded
from counterfoil.probe.differences import View
from counterfoil.probe.divergences import Divergence, distinct
from counterfoil.probe.orders import reordered
from counterfoil.probe.outcomes import Outcome
from counterfoil.probe.payloads import PLUS, Encoding, Payload
from counterfoil.stub_protocol import Asking
from counterfoil.stubs import Stub

Row = Mapping[str, Outcome]
"""What each stub did with one payload, by the stub's name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the stubs did with a payload, and what sets them apart."""

    payload: Payload
    outcomes: Row
    divergences: tuple[Divergence, ...]


class Panel:
    """The stubs, and what they are asked."""

    def __init__(self, stubs: Sequence[Stub], asking: Asking, message: Descriptor, *, view: View = View.SCHEMA) -> None:
        self.stubs = tuple(stubs)
        self._view = view
        self._asking = asking
        self._message = message

    def read(self, payloads: Sequence[Payload]) -> list[Row]:
        """What every stub did with every payload."""
        if not payloads:
            return []
        questions = {}
        for lane in {stub.command.lane for stub in self.stubs}:
            asking = replace(self._asking, lane=lane)
            questions[lane] = [asking.about(number, payload) for number, payload in enumerate(payloads, start=1)]
        with ThreadPoolExecutor(max_workers=len(self.stubs)) as pool:
            columns = list(pool.map(lambda stub: list(stub.ask(questions[stub.command.lane])), self.stubs))
        names = [stub.name for stub in self.stubs]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def judge(self, payloads: Sequence[Payload]) -> list[Reading]:
        """Read the payloads, what came of them when written again, and the same in another order."""
        rows = self.read(payloads)
        written = [reencoded(payload, row) for payload, row in zip(payloads, rows, strict=True)]
        turned = [reordered(payload, self._message) for payload in payloads]
        again = self._read_once([*(made for pairs in written for _, made in pairs), *(one for one in turned if one)])
        readings = []
        for payload, row, pairs, other in zip(payloads, rows, written, turned, strict=True):
            back = {producer: again[key(made)] for producer, made in pairs}
            about = self._about(payload)
            found = [*compare(about, row, view=self._view), *compare_reencoded(about, row, back, view=self._view)]
            if other is not None:
                found += compare_orders(about, row, again[key(other)], view=self._view)
            readings.append(Reading(payload, row, distinct(found)))
        return readings

    def _about(self, payload: Payload) -> Payload:
        """The payload as divergences name it: code treats each field in its own way, a runtime each kind of field."""
        if self._view is View.SCHEMA:
            return payload
        name = self._message.name
        kinds = (f"{name}{'.' * bool(path)}{path} {kind}" for path, kind, _state in payload.parts)
        return replace(payload, kind=PLUS.join(kinds))

    def _read_once(self, payloads: Sequence[Payload]) -> dict[tuple[Encoding, bytes], Row]:
        """What the stubs made of payloads, each of which is read once whoever wrote it."""
        wanted: dict[tuple[Encoding, bytes], Payload] = {}
        for payload in payloads:
            wanted.setdefault(key(payload), payload)
        return dict(zip(wanted, self.read(list(wanted.values())), strict=True))


def key(payload: Payload) -> tuple[Encoding, bytes]:
    """What makes two payloads the same to a stub."""
    return payload.encoding, payload.data
