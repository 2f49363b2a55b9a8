"""Negative controls with the real runtimes: a copy of each language's stub with one planted bug, beside the sound ones.

And the reverse: of a runtime beside itself, nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import pytest
from counterfoil.probe.divergences import DivergenceClass, KnownDivergences
from counterfoil.probe.edges import edges
from counterfoil.probe.lattice import lattice
from counterfoil.probing.probing import Budget, Found, Search, phases, random_payloads
from counterfoil.probing.stubs import Stub

from tests.runtime_stubs import LANGUAGES, command, message_of, panel, running, thing

CLASSES = {
    "null_as_empty": {DivergenceClass.PRESENCE, DivergenceClass.ACCEPT_REJECT},
    "zero_dropped": {DivergenceClass.PRESENCE},
    "int64_rounded": {DivergenceClass.VALUE},
    "unknown_lost": {DivergenceClass.REENCODING},
    "everything_accepted": {DivergenceClass.ACCEPT_REJECT},
    "first_key_only": {DivergenceClass.ORDER},
}
MESSAGE = message_of(thing(), "probe.v1.Thing")
IMAGE = thing().SerializeToString()


@pytest.fixture(scope="module")
def sound() -> Iterator[list[Stub]]:
    """The three runtimes as they are."""
    with running([command(language) for language in LANGUAGES], IMAGE) as stubs:
        yield stubs


@pytest.mark.parametrize("bug", CLASSES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_planted_bug_is_told_from_its_own_runtime(sound: list[Stub], language: str, bug: str) -> None:
    with running([command(language, bug, "planted")], IMAGE) as planted:
        search = Search(panel([*sound, *planted], MESSAGE), MESSAGE, KnownDivergences())
        found = list(search.run(chain(lattice(MESSAGE), edges(MESSAGE)), Budget()))
    of_bug = [one for one in found if frozenset({language, "planted"}) in one.divergence.apart]
    caught = [one for one in of_bug if one.divergence.kind in CLASSES[bug]]
    assert caught, [one.divergence.signature for one in of_bug]
    assert {one.divergence.signature for one in of_bug if fields(one) > 3} == set()


def fields(found: Found) -> int:
    """How many fields the payload of a finding has; their names are short, and none is nested."""
    if found.payload.encoding == "json":
        return found.payload.data.count(b":")
    return len(found.payload.parts)


def test_one_bug_is_few_findings(sound: list[Stub]) -> None:
    """A reader that knows no zero: in both encodings, each type once, not each field, pair and surrounding."""
    with running([command("python", "zero_dropped", "planted")], IMAGE) as planted:
        found = list(
            Search(panel([*sound, *planted], MESSAGE), MESSAGE, KnownDivergences()).run(lattice(MESSAGE), Budget())
        )
    assert sorted(one.divergence.signature for one in found) == [
        "presence | binary | optional int32 | default | node, python, rust / planted",
        "presence | json | optional int32 | default | node, python, rust / planted",
    ]


ONE_OF_EACH = {
    "everything_accepted": ["accept-reject | binary", "accept-reject | json"],
    "always_the_same": [
        *("accept-reject | binary", "accept-reject | json"),
        *("presence | binary", "presence | json", "re-encoding loss | binary"),
    ],
}


@pytest.mark.parametrize("bug", ONE_OF_EACH)
def test_who_does_not_look_at_what_it_is_given_is_one_finding_of_each_class(bug: str) -> None:
    with running([command("python"), command("python", bug, "planted")], IMAGE) as stubs:
        search = Search(panel(stubs, MESSAGE), MESSAGE, KnownDivergences())
        found = list(search.run(chain(lattice(MESSAGE), edges(MESSAGE)), Budget()))
    assert sorted(one.divergence.signature.partition(" | anything | ")[0] for one in found) == ONE_OF_EACH[bug]
    assert {one.divergence.is_of_anything for one in found} == {True}


def test_what_a_sound_stub_refuses_beside_one_that_refuses_nothing_is_told_still(sound: list[Stub]) -> None:
    """What only node reads, too, is a finding with or without a stub that reads anything."""
    expected = "accept-reject | json | document | byte order mark | "
    with running([command("python", "everything_accepted", "planted")], IMAGE) as planted:
        search = Search(panel([*sound, *planted], MESSAGE), MESSAGE, KnownDivergences())
        found = {one.divergence.signature for one in search.run(edges(MESSAGE), Budget())}
    assert f"{expected}node, planted / python, rust" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_runtime_beside_itself_agrees(language: str) -> None:
    with running([command(language, name="one"), command(language, name="other")], IMAGE) as stubs:
        search = Search(panel(stubs, MESSAGE), MESSAGE, KnownDivergences())
        payloads = chain(lattice(MESSAGE), edges(MESSAGE), islice(random_payloads(MESSAGE, seed=1), 2_000))
        assert list(search.run(payloads, Budget(patience=2_000))) == []
    assert search.progress.payloads > 2_000
    assert search.silent == set()


def test_a_budget_in_payloads_does_not_look_at_the_clock(sound: list[Stub]) -> None:
    def findings(seconds_each: float) -> list[tuple[str, bytes]]:
        clock = iter(range(10**9))
        budget = Budget(examples=1_300, clock=lambda: next(clock) * seconds_each)
        search = Search(panel(sound, MESSAGE), MESSAGE, KnownDivergences())
        found = [(one.divergence.signature, one.payload.data) for one in search.run(phases(MESSAGE, seed=3), budget)]
        assert search.progress.payloads == 1_300
        return found

    assert findings(0.0) == findings(1000.0)
