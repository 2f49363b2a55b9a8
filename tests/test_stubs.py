"""The driver of stubs: whatever a stub does is an outcome, and what comes after it is still answered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from counterfoil.probe.outcomes import Crashed, Decoded, Garbled, Outcome, OutputFormat, TimedOut, Unsupported
from counterfoil.probe.payloads import DOCUMENT, Encoding, Payload, Phase
from counterfoil.probe.stub_protocol import Asking, Question
from counterfoil.probing.stubs import RESTARTS, Stub, StubCommand, StubStartError
from counterfoil.system.processes import Processes

HOSTILE = Path(__file__).resolve().parent / "stubs" / "hostile.py"
ASKING = Asking(message_type="probe.Thing")
KILLER = b"kill"


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.stop()


def command(how: str, *, answer_within_s: float = 0.5) -> StubCommand:
    return StubCommand(
        name="hostile",
        command=(sys.executable, str(HOSTILE), how),
        cwd=HOSTILE.parent,
        start_within_s=10.0 if how != "no handshake" else 0.5,
        answer_within_s=answer_within_s,
    )


def questions(*contents: bytes) -> list[Question]:
    payloads = [
        Payload(encoding=Encoding.BINARY, data=data, path="", kind=DOCUMENT, state="value", phase=Phase.EDGES)
        for data in contents
    ]
    return [ASKING.about(number, payload) for number, payload in enumerate(payloads, start=1)]


def ask(processes: Processes, how: str, *contents: bytes) -> list[Outcome]:
    with Stub(processes, command(how)) as stub:
        return list(stub.ask(questions(*contents)))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("slow", TimedOut(0.5)),
        ("exits mid-frame", Crashed(3)),
        ("killed", Crashed(137)),
        ("announces 4 GiB", Garbled("a frame of 4294967295 bytes is larger than the limit of 67108864")),
        ("wrong sequence", Garbled("an answer to request 1002, where 2 was to be answered")),
        ("wrong format", Garbled("json_payload as answer to a request for BINARY")),
        ("not a response", Garbled("3 bytes that are not a response")),
    ],
)
def test_a_misbehaviour_is_the_outcome_of_what_provoked_it(processes: Processes, how: str, expected: Outcome) -> None:
    outcomes = ask(processes, how, b"before", KILLER, b"after", b"and after")
    assert outcomes[1] == expected
    assert [one.output for one in outcomes if isinstance(one, Decoded)] == [b"before", b"after", b"and after"]


def test_a_crash_is_blamed_on_its_request_though_answers_before_it_are_lost(processes: Processes) -> None:
    """The stub answers once it has read several requests, as native code that buffers its output does."""
    outcomes = ask(processes, "buffers", b"one", b"two", b"three", KILLER, b"after", b"and after")
    assert outcomes[3] == Crashed(137)
    assert [one.output for one in outcomes if isinstance(one, Decoded)] == [
        b"one",
        b"two",
        b"three",
        b"after",
        b"and after",
    ]


def test_what_is_printed_into_the_frames_is_garbled(processes: Processes) -> None:
    before, garbled, *after = ask(processes, "chatty", b"before", KILLER, b"after")
    assert before == Decoded(b"", b"before", OutputFormat.BINARY)
    assert isinstance(garbled, Garbled)
    assert after == [Decoded(b"", b"after", OutputFormat.BINARY)]


def test_ten_thousand_questions_are_answered_in_order(processes: Processes) -> None:
    contents = [b"%d" % number for number in range(10_000)]
    outcomes = ask(processes, "proper", *contents)
    assert [one.output for one in outcomes if isinstance(one, Decoded)] == contents


def test_a_stub_that_dies_again_and_again_is_given_up(processes: Processes) -> None:
    outcomes = ask(processes, "killed", *[KILLER] * (RESTARTS + 5))
    left = sum(isinstance(one, Unsupported) for one in outcomes)
    assert left >= 5
    asked = [one for one in outcomes if not isinstance(one, Unsupported)]
    assert set(map(type, asked)) == {Crashed}
    assert outcomes == [*asked, *[Unsupported(f"not asked: it had to be restarted {RESTARTS} times")] * left]


def test_a_stub_that_was_given_up_begins_anew(processes: Processes) -> None:
    with Stub(processes, command("killed")) as stub:
        list(stub.ask(questions(*[KILLER] * (RESTARTS + 5))))
        assert stub.is_given_up
        stub.renew()
        assert list(stub.ask(questions(b"after"))) == [Decoded(b"", b"after", OutputFormat.BINARY)]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("fails at import", "it ended with exit code 1"),
        ("no handshake", "nothing came within 0.5 s"),
    ],
)
def test_a_stub_that_cannot_be_used_says_why(processes: Processes, how: str, told: str) -> None:
    with pytest.raises(StubStartError, match=told) as raised, Stub(processes, command(how)):
        pytest.fail("it started")
    if how == "fails at import":
        assert raised.value.tail == ("ModuleNotFoundError: No module named 'planted'",)
