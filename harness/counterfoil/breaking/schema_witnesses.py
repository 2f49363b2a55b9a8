"""Puts changes before the runtimes: what is worth trying, what they did with it, and the smallest payloads as files."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from counterfoil.breaking.schema_sides import Side, same_files, side
from counterfoil.breaking.schema_stubs import Crossing, Row, Runtimes
from counterfoil.compat.attribution import Attribution
from counterfoil.compat.changes import PYTHON, Change, Direction, Effect, Key
from counterfoil.compat.composing import Shown
from counterfoil.compat.replayable import Replayable, Told, write
from counterfoil.compat.sightings import Kept, Sighting, Sightings, is_behaviour
from counterfoil.compat.trimming import Trimmed
from counterfoil.compat.witnessing import Trial, payloads, trial, written
from counterfoil.model import SILENT, Level, PayloadWitness, RuntimeReading
from counterfoil.probe.compare import observation_of
from counterfoil.probe.observation import MalformedObservationError, cut, parse_observation, render
from counterfoil.probe.outcomes import Decoded, Outcome
from counterfoil.probe.payloads import Payload
from counterfoil.probe.shrink import shrink
from counterfoil.probe.witness import describe, readable
from counterfoil.stub.schemas import SchemaError
from counterfoil.system.files import replace_file

SHOWN = 200
SMALL_BYTES = 12
"""A payload of one field; there is nothing to shrink."""
SHRINK_CANDIDATES = 96
SHRUNK_AT_MOST = 50
EMBEDDED_IN_ALL_BYTES = 256 * 1024 * 1024
"""Of schemas, before they are packed, in the witnesses of one message together."""
SHRUNK_FIELDS = 20_000
"""Changes that are shrunk, times the fields of their message: readers take time for every field."""
WRITERS = 8
"""Witnesses written side by side: the disk is what takes its time."""


# --- trying ----------------------------------------------------------------------------------------------------------

Trials = tuple[tuple[Direction, Trial], ...]
Batch = Sequence[tuple[Direction, Trial, Payload]]
BATCH = 500
"""Payloads that are read at once, while the next ones are made."""


def trials(old: Side, new: Side, changes: Iterable[Change], directions: Iterable[Direction]) -> Trials:
    """What is worth trying; nothing where all that changed was added, so that no runtime is started for it."""
    changes = tuple(changes)
    added = {change.symbol for change in changes if change.level is Level.ADDITIVE and change.old_location is None}
    added -= {change.symbol for change in changes if is_behaviour(change)}
    found = []
    same = same_files(old, new)
    for name in sorted(old.messages & new.messages):
        if new.message(name).file.name in same:
            continue
        for direction in directions:
            writer, reader = _sides(direction, old, new)
            tried = trial(writer.message(name), reader.message(name), frozenset(added))
            if tried is not None:
                found.append((direction, tried))
    return tuple(found)


def _sides(direction: Direction, old: Side, new: Side) -> tuple[Side, Side]:
    return (old, new) if direction is Direction.BACKWARD else (new, old)


class Trying:
    """Two schemas before runtimes that have both."""

    def __init__(self, runtimes: Runtimes, old: Side, new: Side, changes: Iterable[Change]) -> None:
        self._runtimes = runtimes
        self._old = old
        self._new = new
        self._attribution = Attribution(changes, old.enums | new.enums)
        for one in (old, new):
            runtimes.load(one.id, one.image)

    def run(self, todo: Trials) -> Sightings:
        """Everything that the runtimes read differently."""
        sightings = Sightings(self._attribution)
        for batch, rows in self._read_ahead(_batches(todo)):
            for (direction, tried, payload), row in zip(batch, rows, strict=True):
                sightings.take(Effect(direction=direction, encoding=payload.encoding), tried, payload, row)
        return sightings

    def _read_ahead(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, list[tuple[Row, Row]]]]:
        """Each batch as it was read; meanwhile the next is being read."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            under_way: deque[tuple[Batch, Future[list[tuple[Row, Row]]]]] = deque()
            for batch in batches:
                under_way.append((batch, pool.submit(self._read, batch)))
                if len(under_way) > 1:
                    done, reading = under_way.popleft()
                    yield done, reading.result()
            for done, reading in under_way:
                yield done, reading.result()

    def _read(self, batch: Batch) -> list[tuple[Row, Row]]:
        crossings = []
        for direction, tried, payload in batch:
            writer, reader = _sides(direction, self._old, self._new)
            message = tried.writer.full_name
            crossings.append(Crossing(writer=writer.id, reader=reader.id, message=message, payload=payload))
        return self._runtimes.read(crossings)

    def least(self, sightings: Sightings) -> Iterator[tuple[Key, Sighting]]:
        """For each change and effect, as few as show it in every runtime that breaks on it, each as small as it gets.

        What Python shows is shrunk first, and by what Python says: whichever others are there, the first is the same.
        """
        by_change = sightings.by_change.items()
        in_order = sorted(by_change, key=lambda one: (not any(kept.always for kept in one[1].values()), one[0]))
        for number, (key, by_effect) in enumerate(in_order):
            for kept in by_effect.values():
                covered: frozenset[str] = frozenset()
                for one in kept:
                    needed = one.breaking - covered
                    if needed:
                        least = self._shrunk(key, one, needed & {PYTHON} or needed) if number < _shrunk(one) else one
                        covered |= least.breaking
                        yield key, least

    def _shrunk(self, key: Key, sighting: Sighting, needed: frozenset[str]) -> Sighting:
        """The same as small as it gets while these runtimes break on it."""
        if len(sighting.payload.data) <= SMALL_BYTES:
            return sighting
        best = sighting

        def is_still(candidates: Sequence[Payload]) -> Sequence[bool]:
            nonlocal best
            found = self._again(key, sighting, candidates)
            fitting = {data: one for data, one in found.items() if _is_as_good(one, sighting, needed)}
            best = min([best, *fitting.values()], key=lambda one: one.size)
            return [one.data in fitting for one in candidates]

        shrink(sighting.payload, is_still, sighting.tried.writer, max_candidates=SHRINK_CANDIDATES)
        return best

    def _again(self, key: Key, sighting: Sighting, candidates: Sequence[Payload]) -> Mapping[bytes, Sighting]:
        """The same change on other payloads, by their bytes, as far as they are what a program writes."""
        effect, tried = sighting.effect, sighting.tried
        wanted = [one for one in candidates if _is_written(tried, one)]
        rows = self._read([(effect.direction, tried, one) for one in wanted])
        found = {}
        for payload, row in zip(wanted, rows, strict=True):
            seen = Sightings(self._attribution)
            seen.take(effect, tried, payload, row)
            kept = next(iter(seen.by_change.get(key, {}).get(effect, Kept())), None)
            if kept is not None:
                found[payload.data] = kept
        return found


def _batches(todo: Trials) -> Iterator[Batch]:
    """What programs write of each message, so many payloads at a time."""
    asked = ((direction, tried, payload) for direction, tried in todo for payload in written(tried, payloads(tried)))
    while batch := list(islice(asked, BATCH)):
        yield batch


def _is_written(tried: Trial, payload: Payload) -> bool:
    """Whether it is, byte by byte, what a program writes."""
    return any((one.encoding, one.data) == (payload.encoding, payload.data) for one in written(tried, [payload]))


def _shrunk(one: Sighting) -> int:
    """How many changes of a message are shrunk."""
    return min(SHRUNK_AT_MOST, SHRUNK_FIELDS // max(1, len(one.tried.writer.fields)))


def _is_as_good(one: Sighting, other: Sighting, needed: frozenset[str]) -> bool:
    return one.breaking >= needed and one.is_faint <= other.is_faint


# --- as evidence -----------------------------------------------------------------------------------------------------


class Witnesses:
    """Writes witnesses to a folder, which reports call `shown`; `counts` says how many there are of each message."""

    def __init__(
        self, folder: Path, shown: str, runtimes: Runtimes, sides: tuple[Side, Side], counts: Mapping[str, int]
    ) -> None:
        self._folder = folder
        self._shown = shown
        self._runtimes = runtimes
        self._sides = sides
        self._counts = counts
        self._closures: dict[tuple[str, str], bytes] = {}

    def keep(self, key: Key, sighting: Sighting) -> PayloadWitness:
        """Save a sighting as a file that replays, and say what is in it."""
        readings = tuple(self._readings(sighting))
        old, new = self._sides
        message = sighting.tried.writer.full_name
        witness = Replayable(
            rule=key[0],
            subject=key[1],
            digest=sighting.digest,
            direction=sighting.effect.direction,
            encoding=sighting.effect.encoding,
            message=message,
            data=sighting.payload.data,
            readable=readable(sighting.payload, sighting.tried.writer),
            old=self._closure(old, message),
            new=self._closure(new, message),
            old_digest=old.id,
            new_digest=new.id,
            runtimes=tuple(Told(one.stub, one.runtime, one.breaks, one.wrote, one.read) for one in readings),
        )
        path = f"{self._shown}/{witness.file_name}"
        replace_file(self._folder / witness.file_name, write(witness, path).encode("utf-8", "backslashreplace"))
        return PayloadWitness(
            path=path,
            digest=witness.digest,
            direction=witness.direction,
            encoding=witness.encoding,
            message=message,
            readable=cut(witness.readable, SHOWN),
            base64=b64encode(witness.data).decode(),
            runtimes=readings,
        )

    def _closure(self, side: Side, message: str) -> bytes | None:
        """The schema that a witness has in it; None where all of those of its message would be too much."""
        file = side.message(message).file.name
        key = (side.id, file)
        if key not in self._closures:
            self._closures[key] = side.closure(message)
        closure = self._closures[key]
        return closure if len(closure) * self._counts[message] <= EMBEDDED_IN_ALL_BYTES else None

    def _readings(self, sighting: Sighting) -> Iterator[RuntimeReading]:
        for stub in sorted(sighting.wrote):
            found = sighting.found[stub]
            read = "; ".join(map(str, found or ())) or "reads the same"
            if found is None:
                wrote = sighting.wrote[stub]
                read = SILENT + describe(sighting.read[stub] if isinstance(wrote, Decoded) else wrote, SHOWN)
            yield RuntimeReading(
                stub=stub,
                runtime=self._runtimes.runtime(stub),
                breaks=stub in sighting.breaking,
                wrote=_seen(sighting.wrote[stub]),
                read=cut(read, SHOWN),
            )


def _seen(outcome: Outcome) -> str:
    """What a runtime with the writer's schema finds in the payload."""
    data = observation_of(outcome)
    try:
        return render(parse_observation(data), SHOWN) if data else describe(outcome, SHOWN)
    except MalformedObservationError as error:
        return str(error)


# --- from beginning to end -------------------------------------------------------------------------------------------


def show(
    start: Callable[[], Runtimes],
    trimmed: Trimmed,
    changes: Sequence[Change],
    directions: frozenset[Direction],
    place: tuple[Path, str],
) -> Shown:
    """What the runtimes show of changes, with the smallest payloads kept in a folder, named as reports name it.

    `start` is asked for the runtimes where there is anything to try.
    """
    try:
        sides = side(trimmed.old), side(trimmed.new)
    except SchemaError as error:
        return Shown(absent={PYTHON: str(error)})
    todo = trials(*sides, changes, directions)
    if not todo:
        return Shown()
    runtimes = start()
    trying = Trying(runtimes, *sides, changes)
    sightings = trying.run(todo)
    least = list(trying.least(sightings))
    witnesses = Witnesses(*place, runtimes, sides, Counter(one.tried.writer.full_name for _, one in least))
    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        kept = list(pool.map(lambda one: witnesses.keep(one[0], one[1]), least))
    found: dict[Key, dict[Effect, tuple[PayloadWitness, ...]]] = {}
    for (key, sighting), witness in zip(least, kept, strict=True):
        by_effect = found.setdefault(key, {})
        by_effect[sighting.effect] = (*by_effect.get(sighting.effect, ()), witness)
    refused = runtimes.refused(*(one.id for one in sides))
    nothing = dict.fromkeys({*runtimes.names} - sightings.runtimes - refused.keys(), "it read none of the payloads")
    return Shown(
        by_change=found,
        runtimes=tuple(sorted(sightings.runtimes)),
        absent={one.name: one.why for one in runtimes.absent if not one.is_service} | refused,
        silent=nothing | runtimes.given_up(),
        services=tuple(one.name for one in runtimes.absent if one.is_service),
        tried=frozenset(sightings.tried),
        untried=frozenset(sightings.untried),
    )
