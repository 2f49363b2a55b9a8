"""Several stubs that read the same payloads side by side, and what they disagree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor

from counterfoil.probe.compare import compare, compare_orders, compare_reencoded, reencoded
from counterfoil.probe.differences import View
from counterfoil.probe.divergences import Divergence, distinct, settled
from counterfoil.probe.indifference import Indifference, indifference, questions
from counterfoil.probe.orders import reordered
from counterfoil.probe.outcomes import Crashed, Outcome, OutputFormat, TimedOut, Unsupported
from counterfoil.probe.payloads import PLUS, Encoding, Payload
from counterfoil.probe.stub_protocol import Asking
from counterfoil.probing.stubs import Stub

INSISTENCE = 8
REMEMBERED_ROWS = 10_000
REMEMBERED_BYTES = 2_048
"""Of a payload; longer ones are asked again."""
Row = Mapping[str, Outcome]
"""What each stub did with one payload, by the stub's name."""
Key = tuple[Encoding, bytes]


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
        self._recent: dict[Key, Row] = {}
        self._older: dict[Key, Row] = {}
        self._indifference: dict[Encoding, Indifference] = {}

    def read(self, payloads: Sequence[Payload]) -> list[Row]:
        """What every stub did with every payload; who reads the same bytes again soon gets the same answer."""
        rows: dict[Key, Row] = {}
        wanted: dict[Key, Payload] = {}
        for payload in payloads:
            one = key(payload)
            if one in self._recent or one in self._older:
                rows[one] = self._recent.get(one) or self._older[one]
            else:
                wanted[one] = payload
        rows |= zip(wanted, self.ask(list(wanted.values())), strict=True)
        self._remember(rows)
        return [rows[key(payload)] for payload in payloads]

    def ask(self, payloads: Sequence[Payload]) -> list[Row]:
        """What every stub does with every payload now."""
        if not payloads:
            return []
        questions = {}
        for lane in {stub.command.lane for stub in self.stubs}:
            asking = replace(self._asking, lane=lane)
            questions[lane] = [asking.about(number, payload) for number, payload in enumerate(payloads, start=1)]
        with ThreadPoolExecutor(max_workers=len(self.stubs)) as pool:
            columns = list(pool.map(lambda stub: list(stub.ask(questions[stub.command.lane])), self.stubs))
            if self._view is View.CODE:
                columns = list(
                    pool.map(lambda stub, column: self._read_only(stub, payloads, column), self.stubs, columns)
                )
        names = [stub.name for stub in self.stubs]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def _read_only(self, stub: Stub, payloads: Sequence[Payload], column: list[Outcome]) -> list[Outcome]:
        """A service may read what it never writes: what was not supported is asked again without output."""
        asking = replace(self._asking, lane=stub.command.lane, output_format=OutputFormat.NONE)
        again = [number for number, outcome in enumerate(column) if isinstance(outcome, Unsupported)]
        answers = stub.ask(asking.about(number, payloads[number]) for number in again)
        made = dict(zip(again, answers, strict=True))
        return [made.get(number, outcome) for number, outcome in enumerate(column)]

    def insist(self, payload: Payload) -> None:
        """Have a payload read again and again until a stub ends of it, and remember that.

        What an earlier reading left behind in the process may be what ends it, so the first may go well.
        """
        for _ in range(INSISTENCE):
            [row] = self.ask([payload])
            if any(isinstance(outcome, Crashed) for outcome in row.values()):
                self._remember({key(payload): row})
                return

    def revive(self) -> bool:
        """Let stubs that died often die as often again; whether there were any."""
        revived = [stub.revive() for stub in self.stubs]
        return any(revived)

    def _remember(self, rows: Mapping[Key, Row]) -> None:
        """Keep what may be asked again, in two generations so that what is kept has a bound. No timeout is certain."""
        for one, row in rows.items():
            if len(one[1]) <= REMEMBERED_BYTES and not any(isinstance(outcome, TimedOut) for outcome in row.values()):
                self._recent[one] = row
        if len(self._recent) > REMEMBERED_ROWS:
            self._recent, self._older = {}, self._recent

    def judge(self, payloads: Sequence[Payload]) -> list[Reading]:
        """Read the payloads, what came of them when written again, and the same in another order."""
        rows = self.read(payloads)
        written = [reencoded(payload, row) for payload, row in zip(payloads, rows, strict=True)]
        turned = [reordered(payload, self._message) for payload in payloads]
        others = [*(made for pairs in written for _, made in pairs), *(one for one in turned if one)]
        again = dict(zip(map(key, others), self.read(others), strict=True))
        readings = []
        for payload, row, pairs, other in zip(payloads, rows, written, turned, strict=True):
            back = {producer: again[key(made)] for producer, made in pairs}
            about = self._about(payload)
            found = [*compare(about, row, view=self._view), *compare_reencoded(about, row, back, view=self._view)]
            if other is not None:
                found = self._with_orders(found, about, other, (row, again[key(other)]))
            found = self._attributed(found, payload.encoding, row)
            readings.append(Reading(payload, row, distinct(found, by_place=self._view is View.CODE)))
        return readings

    def _attributed(self, found: list[Divergence], encoding: Encoding, row: Row) -> list[Divergence]:
        """The divergences, those of one cause where a stub reads anything. Code of services has no common format."""
        if not found or self._view is View.CODE:
            return found
        if encoding not in self._indifference:
            self._indifference[encoding] = indifference(self.read(questions(encoding, self._message)))
        return [self._indifference[encoding].attributed(one, row) for one in found]

    def _about(self, payload: Payload) -> Payload:
        """The payload as divergences name it: code treats each field in its own way, a runtime each kind of field."""
        if self._view is View.SCHEMA:
            return payload
        name = self._message.full_name
        kinds = (f"{name}{'.' * bool(path)}{path} {kind}" for path, kind, _state in payload.parts)
        return replace(payload, kind=PLUS.join(kinds))

    def _with_orders(
        self, found: list[Divergence], given: Payload, turned: Payload, rows: tuple[Row, Row]
    ) -> list[Divergence]:
        by_order = compare_orders(given, *rows, view=self._view)
        if not by_order:
            return found
        return settled(found, by_order, compare(turned, rows[1], view=self._view))


def key(payload: Payload) -> Key:
    """What makes two payloads the same to a stub."""
    return payload.encoding, payload.data
