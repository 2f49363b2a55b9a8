"""Compares what any number of stubs did with one payload, with no favourite among them. Pure.

Bytes are compared first. Observations are read only where they differ: agreement is the rule, and must cost nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from counterfoil.probe.differences import Aspect, Difference, View, differences
from counterfoil.probe.divergences import Divergence, DivergenceClass, distinct, divergence, of_anything, shaped
from counterfoil.probe.observation import MalformedObservationError, Tree, cut, parse_observation, render
from counterfoil.probe.outcomes import (
    Crashed,
    Decoded,
    EncodeFailed,
    Garbled,
    Outcome,
    OutputFormat,
    Rejected,
    TimedOut,
    Unsupported,
)
from counterfoil.probe.payloads import Encoding, Payload

MESSAGE_WIDTH: Final = 120
_ANSWERS: Final = (Decoded, EncodeFailed, Rejected)
NO_ANSWER: Final = "no answer"
_REFUSED: Final = b"refused"
"""No observation has these bytes: they begin with a field that it does not have."""
_KINDS: Final = {
    Aspect.VALUE: DivergenceClass.VALUE,
    Aspect.PRESENCE: DivergenceClass.PRESENCE,
    Aspect.UNKNOWN: DivergenceClass.REENCODING,
}


def compare(payload: Payload, outcomes: Mapping[str, Outcome], *, view: View = View.SCHEMA) -> tuple[Divergence, ...]:
    """What the stubs disagree on, one divergence for each signature. Who answers Unsupported takes no part."""
    if _unanimous(outcomes.values()):
        return ()
    taking_part = {stub: one for stub, one in sorted(outcomes.items()) if not isinstance(one, Unsupported)}
    trees, malformed = read_observations(taking_part)
    return distinct(
        (
            *faults(payload, taking_part, malformed),
            *_acceptance(payload, taking_part, trees),
            *_observed(payload, trees, view),
            *_written(payload, taking_part),
        ),
        by_place=view is View.CODE,
    )


def _unanimous(outcomes: Iterable[Outcome]) -> bool:
    """Whether all read the same and can write it, or all refuse; told by bytes alone."""
    agreed: bytes | None = None
    for outcome in outcomes:
        if isinstance(outcome, Decoded):
            said = outcome.observation
        elif isinstance(outcome, Rejected):
            said = _REFUSED
        elif isinstance(outcome, Unsupported):
            continue
        else:
            return False
        if agreed is None:
            agreed = said
        elif agreed != said:
            return False
    return True


def read_observations(outcomes: Mapping[str, Outcome]) -> tuple[dict[str, Tree], dict[str, str]]:
    """The observations, each different one read once; and for each stub whose observation is none, the reason."""
    trees: dict[str, Tree] = {}
    malformed: dict[str, str] = {}
    read: dict[bytes, Tree] = {}
    for stub, outcome in outcomes.items():
        data = observation_of(outcome)
        if not data:
            continue
        try:
            if data not in read:
                read[data] = parse_observation(data)
            trees[stub] = read[data]
        except MalformedObservationError as error:
            malformed[stub] = str(error)
    return trees, malformed


def observation_of(outcome: Outcome | None) -> bytes:
    """The serialized observation; empty where there is none."""
    return outcome.observation if isinstance(outcome, Decoded | EncodeFailed) else b""


# --- the classes -----------------------------------------------------------------------------------------------------


def faults(
    payload: Payload, outcomes: Mapping[str, Outcome], malformed: Mapping[str, str] | None = None
) -> Iterator[Divergence]:
    """Crashes, timeouts and answers that are none, which are wrong even where all stubs do the same.

    Timeouts are one cause: each takes a whole deadline, so nobody can afford to tell what every one of them is about.
    """
    said: dict[DivergenceClass, dict[str, str]] = {}
    for stub, outcome in outcomes.items():
        match outcome:
            case Crashed(code, tail):
                last = f" ({cut(tail[-1], MESSAGE_WIDTH)})" if tail else ""
                said.setdefault(DivergenceClass.CRASH, {})[stub] = f"ended with {_exit(code)}{last}"
            case TimedOut(after_s):
                said.setdefault(DivergenceClass.TIMEOUT, {})[stub] = f"gave no answer within {after_s:g} s"
            case Garbled(what):
                said.setdefault(DivergenceClass.GARBLED, {})[stub] = cut(what, MESSAGE_WIDTH)
    for stub, reason in (malformed or {}).items():
        said.setdefault(DivergenceClass.GARBLED, {})[stub] = f"its observation cannot be read ({reason})"
    for kind, stubs in said.items():
        detail = "; ".join(f"{stub}: {what}" for stub, what in stubs.items())
        found = divergence(kind, payload, (stubs, outcomes.keys() - stubs.keys()), detail)
        yield of_anything(found, NO_ANSWER) if kind is DivergenceClass.TIMEOUT else found


def _exit(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _acceptance(payload: Payload, outcomes: Mapping[str, Outcome], trees: Mapping[str, Tree]) -> Iterator[Divergence]:
    refused = {stub: one.message for stub, one in outcomes.items() if isinstance(one, Rejected)}
    read = [stub for stub, one in outcomes.items() if isinstance(one, Decoded | EncodeFailed)]
    if refused and read:
        stub, message = next(iter(refused.items()))
        seen = next((f" as {render(trees[one])}" for one in read if one in trees), "")
        why = f"{stub}: {cut(' '.join(message.split()), MESSAGE_WIDTH)}" if message.strip() else "no reason given"
        detail = f"{_does(read, 'read')} it{seen}; {_does(refused, 'refuse')} it ({why})"
        yield divergence(DivergenceClass.ACCEPT_REJECT, payload, (refused, read), detail)


def _observed(payload: Payload, trees: Mapping[str, Tree], view: View) -> Iterator[Divergence]:
    if len({id(tree) for tree in trees.values()}) < 2:  # noqa: PLR2004 - equal bytes were read into one tree
        return
    for one in differences(trees, view):
        if one.aspect is Aspect.UNKNOWN and payload.encoding is not Encoding.BINARY:
            continue
        yield different(payload, one, _KINDS[one.aspect], _says(one))


def different(payload: Payload, difference: Difference, kind: DivergenceClass, detail: str) -> Divergence:
    """A divergence at the place of a difference."""
    place = f"{difference.path}: " if difference.path else ""
    found = divergence(kind, payload, difference.groups, place + detail, path=difference.path, about=difference.pattern)
    return shaped(found, payload, difference.shape)


def _says(difference: Difference) -> str:
    verb = "keep" if difference.aspect is Aspect.UNKNOWN else "see"
    pairs = zip(difference.groups, difference.seen, strict=True)
    return "; ".join(f"{_does(group, verb)} {seen}" for group, seen in pairs)


def _written(payload: Payload, outcomes: Mapping[str, Outcome]) -> Iterator[Divergence]:
    """What some can encode again and others cannot; who was not asked to takes no part."""
    failed = {stub: one.message for stub, one in outcomes.items() if isinstance(one, EncodeFailed)}
    wrote = [stub for stub, one in outcomes.items() if isinstance(one, Decoded) and one.output is not None]
    if failed and wrote:
        stub, message = next(iter(failed.items()))
        why = cut(" ".join(message.split()), MESSAGE_WIDTH)
        detail = f"{_does(wrote, 'write')} again what they read; {_does(failed, 'fail')} to ({stub}: {why})"
        yield divergence(DivergenceClass.REENCODING, payload, (failed, wrote), detail)


def _does(stubs: Collection[str], verb: str) -> str:
    """For example `node sees`, `python, rust see`."""
    return f"{', '.join(sorted(stubs))} {verb}{'s' if len(stubs) == 1 else ''}"


# --- what is encoded again -------------------------------------------------------------------------------------------

_ENCODINGS: Final = {OutputFormat.BINARY: Encoding.BINARY, OutputFormat.JSON: Encoding.JSON}


def reencoded(payload: Payload, outcomes: Mapping[str, Outcome]) -> tuple[tuple[str, Payload], ...]:
    """(producer, payload) for every stub that wrote something else than the payload, which all have read already.

    Each is to be read by every other stub.
    """
    return tuple(
        (producer, replace(payload, encoding=encoding, data=outcome.output))
        for producer, outcome in sorted(outcomes.items())
        if isinstance(outcome, Decoded)
        and outcome.output is not None
        and (encoding := _ENCODINGS.get(outcome.output_format)) is not None
        and (encoding is not payload.encoding or outcome.output != payload.data)
    )


@dataclass(frozen=True, slots=True)
class _Loss:
    """What a consumer does not find in what a producer wrote."""

    producer: str
    consumer: str
    path: str
    pattern: str
    shape: str
    detail: str


def compare_reencoded(
    payload: Payload,
    outcomes: Mapping[str, Outcome],
    read_back: Mapping[str, Mapping[str, Outcome]],
    *,
    view: View = View.SCHEMA,
) -> tuple[Divergence, ...]:
    """What gets lost when the stubs encode again what they read.

    `read_back[producer][consumer]` is what the consumer made of the producer's output. Something is lost where it sees
    something else than the producer had seen, and something else than it saw itself in the original: a consumer that
    misreads both in one way is a matter for `compare`. The groups tell producers that lose it for every reader from the
    rest; where only some readers miss it, they tell these from the rest. What all writers lose alike, the format cannot
    carry; it is no disagreement.
    """
    losses: dict[str, list[_Loss]] = {}
    found: list[Divergence] = []
    output = dict(reencoded(payload, outcomes))
    for producer, back in sorted(read_back.items()):
        found += faults(output.get(producer, payload), back)
        for consumer, outcome in sorted(back.items()):
            made, before = outcomes[producer], outcomes.get(consumer)
            for loss in _losses(producer, consumer, (made, before, outcome), view):
                losses.setdefault(loss.pattern, []).append(loss)
    for at_place in losses.values():
        found += _attributed(payload, at_place, outcomes, read_back)
    return distinct(found, by_place=view is View.CODE)


def _losses(
    producer: str, consumer: str, readings: tuple[Outcome, Outcome | None, Outcome], view: View
) -> Iterator[_Loss]:
    """The losses of one pair; `readings`: the producer's and the consumer's of the original, and that of the output."""
    made, before, back = readings
    if isinstance(back, Rejected):
        if not isinstance(before, Rejected):
            why = cut(" ".join(back.message.split()), MESSAGE_WIDTH)
            yield _Loss(producer, consumer, "", "", "", f"{consumer} refuses what {producer} wrote ({why})")
        return
    known = {observation_of(one) for one in (made, before)}
    if not observation_of(made) or not observation_of(back) or observation_of(back) in known:
        return
    readable = {"made": made, "back": back} | ({"before": before} if observation_of(before) and before else {})
    trees, _malformed = read_observations(readable)
    if "made" not in trees or "back" not in trees:
        return
    carries_unknown = isinstance(made, Decoded) and made.output_format is OutputFormat.BINARY
    missed = differences({"back": trees["back"], "made": trees["made"]}, view)
    changed = None
    if "before" in trees:
        changed = {one.path for one in differences({"back": trees["back"], "before": trees["before"]}, view)}
    for one in missed:
        if (changed is None or one.path in changed) and (one.aspect is not Aspect.UNKNOWN or carries_unknown):
            now, then = one.seen
            detail = f"{producer} saw {then}; in what it wrote {consumer} sees {now}"
            yield _Loss(producer, consumer, one.path, one.pattern, one.shape, detail)


def _attributed(
    payload: Payload,
    losses: Sequence[_Loss],
    outcomes: Mapping[str, Outcome],
    read_back: Mapping[str, Mapping[str, Outcome]],
) -> Iterator[Divergence]:
    """The losses at one place as divergences: by producers that lose it for all their readers, and by readers."""
    stubs = {stub for stub, one in outcomes.items() if isinstance(one, Decoded | EncodeFailed)}
    writers = {stub for stub, one in outcomes.items() if isinstance(one, Decoded) and one.output is not None}
    lost: dict[str, set[str]] = {}
    for one in losses:
        lost.setdefault(one.producer, set()).add(one.consumer)
    losing = {producer for producer, readers in lost.items() if readers >= read_back[producer].keys() - {producer}}
    missing = {one.consumer for one in losses if one.producer not in losing}
    if len(writers) > 1 and losing >= writers:
        losing = set()
    for culprits, role in ((losing, "producer"), (missing, "consumer")):
        if not culprits:
            continue
        one = next(loss for loss in losses if getattr(loss, role) in culprits)
        detail = f"{one.path}: {one.detail}" if one.path else one.detail
        groups = (culprits, stubs - culprits)
        found = divergence(DivergenceClass.REENCODING, payload, groups, detail, path=one.path, about=one.pattern)
        yield shaped(found, payload, one.shape)


# --- the order of keys and records -----------------------------------------------------------------------------------


def compare_orders(
    payload: Payload, outcomes: Mapping[str, Outcome], reordered: Mapping[str, Outcome], *, view: View = View.SCHEMA
) -> tuple[Divergence, ...]:
    """Which stubs do other things with the same payload in another order (see `orders.reordered`).

    Where several all do, they do not disagree: if they did so in different ways, one of the orders would show it.
    """
    dependent: dict[str, Difference | None] = {}
    both = sorted(outcomes.keys() & reordered.keys())
    both = [stub for stub in both if not isinstance(outcomes[stub], Unsupported)]
    both = [stub for stub in both if not isinstance(reordered[stub], Unsupported)]
    for stub in both:
        first, second = outcomes[stub], reordered[stub]
        if isinstance(first, Rejected) != isinstance(second, Rejected):
            if isinstance(first, _ANSWERS) and isinstance(second, _ANSWERS):
                dependent[stub] = None
        elif observation_of(first) != observation_of(second):
            trees, _malformed = read_observations({"given": first, "reordered": second})
            one = next(differences(trees, view), None)
            if one is not None:
                dependent[stub] = one
    found = [*faults(payload, {stub: reordered[stub] for stub in both})]
    if dependent and (len(both) == 1 or len(dependent) < len(both)):
        stub, place = next(iter(dependent.items()))
        groups = (dependent, set(both) - dependent.keys())
        detail = f"{stub} {_order_detail(outcomes[stub], place)}"
        path, pattern, shape = (place.path, place.pattern, place.shape) if place else ("", "", "")
        made = divergence(DivergenceClass.ORDER, payload, groups, detail, path=path, about=pattern)
        found.append(shaped(made, payload, shape))
    return distinct(found)


def _order_detail(given: Outcome, place: Difference | None) -> str:
    if place is None:
        done, then = ("refuses", "reads") if isinstance(given, Rejected) else ("reads", "refuses")
        return f"{done} it in the order given and {then} it in another"
    where = f" at {place.path}" if place.path else ""
    return f"sees {place.seen[0]}{where} in the order given and {place.seen[1]} in another"
