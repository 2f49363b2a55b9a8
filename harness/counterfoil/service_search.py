"""The search for payloads that the code of two services does not read alike, on messages that they really exchange."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from google.protobuf.descriptor import Descriptor

from counterfoil.panel import Panel, Reading, Row
from counterfoil.probe.compare import read_observations
from counterfoil.probe.differences import View, differences
from counterfoil.probe.divergences import Divergence
from counterfoil.probe.grounded import bodies, ground, grounded, made_up, still_probes
from counterfoil.probe.outcomes import Decoded, EncodeFailed, Rejected, Unsupported
from counterfoil.probe.payloads import Payload
from counterfoil.probe.shrink import shrink
from counterfoil.probing import Budget, Ended, Found, Progress
from counterfoil.workspace import Workspace

MAX_BODY_BYTES = 1 << 20
SHRINK_CANDIDATES = 200
READ = (Decoded, EncodeFailed, Unsupported)


def refusals(outcomes: Row) -> dict[str, str]:
    """Who refused a payload, and for which reason."""
    return {stub: outcome.message for stub, outcome in outcomes.items() if isinstance(outcome, Rejected)}


def exchanged(workspace: Workspace) -> list[dict[str, Any]]:
    """The bodies in the pact files, the largest first; of files that cannot be read the lane of pacts tells."""
    found = {}
    for file in sorted(workspace.pact_dir.rglob("*.json")) if workspace.pact_dir else ():
        try:
            document = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        found.update({json.dumps(body, sort_keys=True): body for body in bodies(document)})
    return [found[text] for text in sorted(found, key=lambda text: (-len(text), text)) if len(text) <= MAX_BODY_BYTES]


class ServiceSearch:
    """Searches one message on one panel of service stubs."""

    def __init__(self, panel: Panel, message: Descriptor, exchanged_bodies: Sequence[dict[str, Any]]) -> None:
        self.progress = Progress()
        self.silent = {stub.name for stub in panel.stubs}
        self.apart: frozenset[str] = frozenset()
        """The places that the services name or type so differently that the ground itself differs there."""
        self._panel = panel
        self._message = message
        self._bodies = exchanged_bodies

    def run(self, witnesses: Iterable[Payload], budget: Budget) -> Iterator[Found]:
        """Each divergence once, apart from those of the ground: what differs there is no matter of its state."""
        body = self._ground()
        self.progress.ended = Ended.NOTHING_NEW
        if body is None:
            return
        self.progress.ended = Ended.INTERRUPTED
        told: set[str] = set()
        left = iter([ground(body), *witnesses, *grounded(self._message, body)])
        while batch := list(islice(left, budget.batch(self.progress))):
            for reading in self._panel.judge(batch):
                self._hear(reading)
                for one in reading.divergences:
                    if one.signature not in told and not self._is_of_ground(one):
                        told.add(one.signature)
                        yield self._shrunk(reading, one)
            if budget.is_spent(self.progress):
                self.progress.ended = Ended.BUDGET
                return
        self.progress.ended = Ended.NOTHING_NEW

    def _shrunk(self, reading: Reading, found: Divergence) -> Found:
        """The divergence on as little of the body as shows it: what refused it refuses it for the same reason."""
        refused = refusals(reading.outcomes)

        def shows(candidate: Reading) -> Divergence | None:
            same = (one for one in candidate.divergences if (one.signature, one.path) == (found.signature, found.path))
            return next(same, None) if refusals(candidate.outcomes) == refused else None

        def are_still(candidates: Sequence[Payload]) -> Sequence[bool]:
            readings = self._panel.judge(candidates)
            return [still_probes(one.payload, reading.payload, self._message) and bool(shows(one)) for one in readings]

        smallest = shrink(reading.payload, are_still, self._message, max_candidates=SHRINK_CANDIDATES)
        [judged] = self._panel.judge([smallest])
        divergence = shows(judged)
        if divergence is None:
            return Found(divergence=found, payload=reading.payload, outcomes=reading.outcomes)
        return Found(divergence=divergence, payload=smallest, outcomes=judged.outcomes)

    def _is_of_ground(self, found: Divergence) -> bool:
        return any(found.path == place or found.path.startswith((f"{place}.", f"{place}[")) for place in self.apart)

    def _hear(self, reading: Reading) -> None:
        self.progress.payloads += 1
        self.silent -= {stub for stub, outcome in reading.outcomes.items() if not isinstance(outcome, Unsupported)}

    def _ground(self) -> dict[str, Any] | None:
        """The largest body of a pact that all services read as this message, or else one that is made of its fields."""
        candidates = [*self._bodies, made_up(self._message)]
        rows = self._panel.read([ground(body) for body in candidates])
        for body, row in zip(candidates, rows, strict=True):
            if self._is_of_message(body) and all(isinstance(one, READ) for one in row.values()):
                trees, _malformed = read_observations(row)
                self.apart = frozenset(one.path for one in differences(trees, View.CODE))
                return body
        return None

    def _is_of_message(self, body: dict[str, Any]) -> bool:
        """Code that leaves out what it does not know reads anything: the keys have to be the message's."""
        known = {name for field in self._message.fields for name in (field.name, field.json_name)}
        return bool(body) and body.keys() <= known
