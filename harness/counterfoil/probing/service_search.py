"""The search for payloads that the code of two services does not read alike, on messages that they really exchange."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from google.protobuf.descriptor import Descriptor

from counterfoil.core.workspace import Workspace
from counterfoil.probe.allowed_edges import UNKNOWN_NAME
from counterfoil.probe.compare import read_observations
from counterfoil.probe.differences import Aspect, Difference, View, differences, folded, shown
from counterfoil.probe.divergences import Divergence, DivergenceClass
from counterfoil.probe.grounded import bodies, ground, ground_at, grounded, made_up, still_probes
from counterfoil.probe.observation import Tree
from counterfoil.probe.outcomes import Decoded, EncodeFailed, Rejected, Unsupported
from counterfoil.probe.payloads import Payload, Phase
from counterfoil.probe.shrink import shrink
from counterfoil.probing.panel import Panel, Reading, Row
from counterfoil.probing.probing import Budget, Ended, Found, Progress
from counterfoil.project.pact_places import pact_paths

MAX_BODY_BYTES = 1 << 20
SHRINK_CANDIDATES = 200
NUMBERS = re.compile(r"-?\d+")
"""A reason for a refusal often has the value in it, or where in the text it stands."""
OBSERVED = (DivergenceClass.VALUE, DivergenceClass.PRESENCE)
READ = (Decoded, EncodeFailed, Unsupported)


def refusals(outcomes: Row) -> dict[str, str]:
    """Who refused a payload, and for which reason."""
    return {stub: outcome.message for stub, outcome in outcomes.items() if isinstance(outcome, Rejected)}


def exchanged(workspace: Workspace) -> list[dict[str, Any]]:
    """The bodies in the pact files, the largest first; of files that cannot be read the lane of pacts tells."""
    found = {}
    for file in pact_paths(workspace):
        try:
            document = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        found.update({json.dumps(body, sort_keys=True): body for body in bodies(document)})
    return [found[text] for text in sorted(found, key=lambda text: (-len(text), text)) if len(text) <= MAX_BODY_BYTES]


def _cause(reading: Reading, found: Divergence) -> Hashable:
    """What makes a divergence the same as another: of edge values of one field that are refused, the reason."""
    if found.kind is not DivergenceClass.ACCEPT_REJECT or reading.payload.phase != Phase.EDGES:
        return found.signature
    reasons = tuple(sorted((stub, NUMBERS.sub("", why)) for stub, why in refusals(reading.outcomes).items()))
    return reading.payload.path, found.groups, reasons


def _is_free(reading: Reading, found: Divergence) -> bool:
    """Whether a reader may do as it likes: take or refuse what the JSON mapping does not allow."""
    return found.kind is DivergenceClass.ACCEPT_REJECT and reading.payload.state == UNKNOWN_NAME


def _alone(stubs: Iterable[str], trees: Mapping[str, Tree], apart: Collection[str]) -> frozenset[str]:
    """The stubs that show no place which another shows too, but for those where they are apart."""
    places = {stub: set(shown(tree)) - set(apart) for stub, tree in trees.items()}

    def is_alone(stub: str) -> bool:
        return not any(places.get(stub, set()) & of_other for other, of_other in places.items() if other != stub)

    return frozenset(stub for stub in stubs if is_alone(stub))


class ServiceSearch:
    """Searches one message on one panel of service stubs."""

    def __init__(self, panel: Panel, message: Descriptor, exchanged_bodies: Sequence[dict[str, Any]]) -> None:
        self.progress = Progress()
        self.silent = {stub.name for stub in panel.stubs}
        self.apart: frozenset[str] = frozenset()
        """The places that the services name or type so differently that the ground itself differs there."""
        self.alone: frozenset[str] = frozenset()
        """The stubs of which nothing that they see in the ground can be compared with what another sees."""
        self._of_ground: tuple[Difference, ...] = ()
        self._shown: dict[str, set[str]] = {stub.name: set() for stub in panel.stubs}
        """What each stub has shown a value of, in any payload."""
        self._panel = panel
        self._message = message
        self._bodies = exchanged_bodies

    def run(self, witnesses: Iterable[Payload], budget: Budget) -> Iterator[Found]:
        """Each divergence once. What differs in the ground is no matter of a state: it is told of the ground alone."""
        body = self._ground()
        self.progress.ended = Ended.NOTHING_NEW
        if body is None:
            return
        self.progress.ended = Ended.INTERRUPTED
        yield from self._found_in_ground(body, [one for one in self._of_ground if one.is_alike])
        told: set[Hashable] = set()
        left = iter([ground(body), *witnesses, *grounded(self._message, body)])
        while batch := list(islice(left, budget.batch(self.progress))):
            for reading in self._panel.judge(batch):
                self._hear(reading)
                for one in reading.divergences:
                    cause = _cause(reading, one)
                    if cause not in told and not self._is_known(one) and not _is_free(reading, one):
                        told.add(cause)
                        yield self._shrunk(reading, one)
            if budget.is_spent(self.progress):
                self.progress.ended = Ended.BUDGET
                break
        else:
            self.progress.ended = Ended.NOTHING_NEW
        yield from self._found_in_ground(body, self._left_out())

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

    def _found_in_ground(self, body: dict[str, Any], places: Iterable[Difference]) -> Iterator[Found]:
        for place in places:
            self.apart -= {place.path}
            [reading] = self._panel.judge([ground_at(self._message, body, place.path)])
            for one in reading.divergences:
                if one.path == place.path and one.kind in OBSERVED:
                    yield self._shrunk(reading, one)

    def _left_out(self) -> Iterator[Difference]:
        """Places that a stub does not have in the ground, and yet does name, since it shows them elsewhere."""
        for one in self._of_ground:
            if not one.is_alike and one.aspect is Aspect.PRESENCE:
                name = folded(one.path)
                if all(any(name in self._shown[stub] for stub in group) for group in one.groups):
                    yield one

    def _is_known(self, found: Divergence) -> bool:
        places = [one.path for one in self._of_ground]
        return any(found.path == place or found.path.startswith((f"{place}.", f"{place}[")) for place in places)

    def _hear(self, reading: Reading) -> None:
        self.progress.payloads += 1
        self.silent -= {stub for stub, outcome in reading.outcomes.items() if not isinstance(outcome, Unsupported)}
        if self.apart:
            trees, _malformed = read_observations(reading.outcomes)
            for stub, tree in trees.items():
                self._shown[stub].update(shown(tree))

    def _ground(self) -> dict[str, Any] | None:
        """The largest body of a pact that all services read as this message, or else one that is made of its fields."""
        candidates = [*self._bodies, made_up(self._message)]
        rows = self._panel.read([ground(body) for body in candidates])
        for body, row in zip(candidates, rows, strict=True):
            if self._is_of_message(body) and all(isinstance(one, READ) for one in row.values()):
                trees, _malformed = read_observations(row)
                self._of_ground = tuple(differences(trees, View.CODE))
                self.apart = frozenset(one.path for one in self._of_ground if not one.is_alike)
                self.alone = _alone(row.keys(), trees, {folded(one.path) for one in self._of_ground})
                return body
        return None

    def _is_of_message(self, body: dict[str, Any]) -> bool:
        """Code that leaves out what it does not know reads anything: the keys have to be the message's."""
        known = {name for field in self._message.fields for name in (field.name, field.json_name)}
        return bool(body) and body.keys() <= known
