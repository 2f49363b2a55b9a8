"""Replays the golden frames against a stub, and says of each rule of the protocol whether the stub keeps it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources
from itertools import count
from typing import Any

from google.protobuf.message import DecodeError

from counterfoil.probe.golden import (
    FILE_NAME,
    LAWFUL,
    MESSAGE,
    NOTHING,
    SCHEMA_ID,
    Frame,
    GoldenFrames,
    GoldenMessage,
    Problem,
    judge_answer,
    judge_description,
    read_frames,
    read_response,
    request,
)
from counterfoil.probe.stub_protocol import HEADER, PROTOCOL_VERSION, frame
from counterfoil.probing.stub_conversation import SHOWN_BYTES, ConversationEndedError, StubConversation, conversation
from counterfoil.probing.stubs import StubCommand
from counterfoil.stub.v1 import stub_pb2
from counterfoil.system.processes import Processes

PIPELINED = 2_000
LARGE_BYTES = 4 << 20
NESTED = 20_000
START_GROUP = b"\x7b"
RESTARTS = 3
OWN_MESSAGES = 3
FINISH_WITHIN_S = 5.0
MILLISECONDS = 1_000
HELD_BACK = Problem("an answer to each request", "none until another request came", 4)


class State(StrEnum):
    """What became of a check."""

    OK = "ok"
    WRONG = "wrong"
    NOT_APPLICABLE = "not applicable"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule held against the stub in one way."""

    name: str
    rule: int
    state: State
    expected: str = ""
    got: str = ""


Verify = Callable[[], Problem | None]
"""Raises ConversationEndedError when the stub gives no answer."""


def golden_frames() -> GoldenFrames:
    """The frames that come with Counterfoil."""
    return read_frames(resources.files("counterfoil.probe").joinpath(FILE_NAME).read_text(encoding="utf-8"))


class _UnsuitableError(Exception):
    """A check has nothing to ask this stub; the text says why."""


class StubDoctor:
    """Examines one stub; whatever it does is a state of a check."""

    def __init__(self, processes: Processes, command: StubCommand, frames: GoldenFrames) -> None:
        self.description: Any = stub_pb2.StubDescription()
        self.tail: tuple[str, ...] = ()
        self.first_answer_s: float | None = None
        self._processes = processes
        self._command = command
        self._frames = frames
        self._golden = GoldenMessage(frames.schema)
        self._stack = contextlib.ExitStack()
        self._talk: StubConversation | None = None
        self._restarts_left = RESTARTS
        self._sequences = count(1)
        self._greeted = 0
        self._answered_own: dict[str, set[str]] = {}
        self._exit_code: int | None = None
        self._finished = False

    def examine(self) -> Iterator[Check]:
        """Each check as soon as it is done; those of the handshake alone when that is not as it should be."""
        with self._stack:
            usable = True
            for check in self._introduced():
                usable = usable and check.state is State.OK
                yield check
            for name, rule, verify in self._checks() if usable else ():
                yield self._checked(name, rule, verify)
            if self._talk:
                self.tail = self._talk.tail

    # --- the handshake ---------------------------------------------------------------------------------------------

    def _introduced(self) -> Iterator[Check]:
        """Whether it starts and says who it is; nothing else can be asked of one that does not."""
        began_s = time.monotonic()
        try:
            response = self._start()
        except ConversationEndedError as error:
            yield self._unintroduced(error)
            return
        self.first_answer_s = time.monotonic() - began_s
        result = response.WhichOneof("result") or NOTHING
        if response.sequence != self._greeted:
            problem = Problem(f"the answer to request {self._greeted}", f"the answer to request {response.sequence}")
            yield _wrong("handshake", 3, problem)
            return
        if result != "description":
            yield _wrong("handshake", 5, Problem("a description", f"{result} {getattr(response, result, '')}".strip()))
            return
        yield Check(name="handshake", rule=5, state=State.OK, got=f"in {self.first_answer_s * MILLISECONDS:.0f} ms")
        self.description = stub_pb2.StubDescription.FromString(response.description.SerializeToString())
        found = judge_description(self.description)
        yield _wrong("description", 5, found) if found else Check(name="description", rule=5, state=State.OK)

    def _unintroduced(self, error: ConversationEndedError) -> Check:
        if self._holds_back(error):
            return _wrong("handshake", 5, HELD_BACK)
        self.tail = self._talk.tail if self._talk else ()
        if str(error).startswith(("no answer", "it ")):
            return _not_judged("handshake", 5, f"it cannot be used: {error}")
        return _wrong("handshake", 1, Problem("a frame with a description", str(error)))

    def _holds_back(self, error: ConversationEndedError) -> bool:
        """Whether the answer that did not come comes with the next request."""
        if self._talk is None or not error.silent:
            return False
        try:
            self._talk.exchange(self._hello(), 1, self._command.answer_within_s)
        except ConversationEndedError:
            return False
        return True

    def _hello(self) -> bytes:
        self._greeted = next(self._sequences)
        hello = stub_pb2.Hello(protocol_version=PROTOCOL_VERSION)
        return frame(stub_pb2.Request(hello=hello, sequence=self._greeted))

    def _start(self) -> Any:  # noqa: ANN401  (made at run time)
        """A new process, and its answer to hello. Raises ConversationEndedError."""
        self._stack.close()
        try:
            self._talk = self._stack.enter_context(conversation(self._processes, self._command))
        except OSError as error:
            raise ConversationEndedError(f"it cannot be started: {error.strerror or error}") from None
        [data] = self._talk.exchange(self._hello(), 1, self._command.start_within_s)
        return _response(data)

    # --- one check after the other ---------------------------------------------------------------------------------

    def _checked(self, name: str, rule: int, verify: Verify) -> Check:
        try:
            self._revive()
            problem = verify()
        except _UnsuitableError as error:
            return Check(name=name, rule=rule, state=State.NOT_APPLICABLE, got=str(error))
        except ConversationEndedError as error:
            is_held = self._holds_back(error)
            self._leave()
            if is_held:
                return _wrong(name, rule, HELD_BACK)
            if self._restarts_left < 0:
                return _not_judged(name, rule, f"it had to be started anew {RESTARTS} times")
            return _wrong(name, rule, Problem("an answer", str(error)))
        return _wrong(name, rule, problem) if problem else Check(name=name, rule=rule, state=State.OK)

    def _revive(self) -> None:
        """Start it anew after it was left. Raises ConversationEndedError."""
        if self._talk:
            return
        self._restarts_left -= 1
        if self._restarts_left < 0:
            raise ConversationEndedError("not started any more")
        self._start()
        if self.description.loads_schemas:
            self._ask(self._frames.named("a schema"))

    def _leave(self) -> None:
        if self._talk:
            self.tail = self._talk.tail
        self._talk = None
        self._stack.close()

    def _checks(self) -> Iterator[tuple[str, int, Verify]]:
        for one in self._frames.frames:
            yield one.name, one.rule, lambda one=one: self._replay(one)  # type: ignore[misc]
        yield "own messages are read", 5, self._some_own_is_read
        yield "a frame in pieces", 1, self._in_pieces
        yield f"{PIPELINED} requests at once", 3, self._pipelined
        yield "a frame of 4 MiB", 1, self._large
        yield "deep nesting", 13, self._nested
        yield "few lines on stderr", 2, self._quiet
        yield "nothing but answers on stdout", 2, self._finished_clean
        yield "exit code at the end of input", 12, self._exited

    def _converse(self, data: bytes, answers: int = 1) -> list[bytes]:
        if self._talk is None:
            raise ConversationEndedError("it does not run")
        return self._talk.exchange(data, answers, self._command.answer_within_s)

    def _ask(self, one: Frame, message: str = "") -> Any:  # noqa: ANN401  (made at run time)
        """The answer to one frame. Raises ConversationEndedError, also when it answers another request."""
        sequence = next(self._sequences)
        data = request(one, sequence, self._command.lane, message)
        [answer] = self._converse(HEADER.pack(len(data)) + data)
        response = _response(answer)
        if response.sequence != sequence:
            raise ConversationEndedError(f"an answer to request {response.sequence}, where {sequence} was asked")
        return response

    def _replay(self, one: Frame) -> Problem | None:
        if one.about == "golden" and not self.description.loads_schemas:
            raise _UnsuitableError("it loads no schema")
        if one.name == "a schema" and self.description.loads_schemas:
            return judge_answer(_only(one, "schema_loaded"), self._ask(one), self._golden)
        if one.about != "own":
            return judge_answer(one, self._ask(one), self._golden)
        return next(filter(None, (self._replay_own(one, message) for message in self._own_messages())), None)

    def _own_messages(self) -> Sequence[str]:
        messages = list(self.description.message_types)[:OWN_MESSAGES]
        if not messages or self.description.loads_schemas:
            raise _UnsuitableError("it brings no messages of its own")
        return messages

    def _replay_own(self, one: Frame, message: str) -> Problem | None:
        response = self._ask(one, message)
        self._answered_own.setdefault(message, set()).add(response.WhichOneof("result") or NOTHING)
        problem = judge_answer(one, response, self._golden)
        return problem and replace(problem, got=f"{problem.got} (for {message})")

    def _some_own_is_read(self) -> Problem | None:
        for message in self._own_messages():
            if self._answered_own.get(message) == {"skipped"}:
                return Problem(f"{message} is read, since message_types names it", "skipped, whatever the payload")
        return None

    # --- what is more than one frame ---------------------------------------------------------------------------------

    def _framed(self, **payload: Any) -> bytes:  # noqa: ANN401
        """A request about a message that the stub knows, if there is one."""
        known = self.description.loads_schemas
        own = next(iter(self.description.message_types), MESSAGE)
        asked = stub_pb2.Request(
            sequence=next(self._sequences),
            message_type=MESSAGE if known else own,
            schema_id=SCHEMA_ID if known else "",
            lane=self._command.lane,
            **payload,
        )
        return frame(asked)

    def _in_pieces(self) -> Problem | None:
        data = self._framed(protobuf_payload=b"", requested_output_format=stub_pb2.PROTOBUF)
        for byte in data[:-1]:
            if self._talk:
                self._talk.exchange(bytes([byte]), 0, self._command.answer_within_s)
        return self._lawful(self._converse(data[-1:]))

    def _pipelined(self) -> Problem | None:
        first = next(self._sequences) + 1
        data = b"".join(
            self._framed(raw_json_payload=b"{}", requested_output_format=stub_pb2.JSON)
            if number % 2
            else self._framed(protobuf_payload=b"", requested_output_format=stub_pb2.PROTOBUF)
            for number in range(PIPELINED)
        )
        for expected, answer in enumerate(self._converse(data, PIPELINED), start=first):
            got = _response(answer).sequence
            if got != expected:
                self._leave()
                return Problem(f"the answer to request {expected}", f"the answer to request {got}")
        return None

    def _large(self) -> Problem | None:
        # As text too it is no valid payload of many messages; what counts is that it is answered.
        payload = b"\x0a" + _varint(LARGE_BYTES) + b"x" * LARGE_BYTES
        return self._lawful(
            self._converse(self._framed(protobuf_payload=payload, requested_output_format=stub_pb2.PROTOBUF))
        )

    def _nested(self) -> Problem | None:
        text = b'{"inner":' * NESTED + b"{}" + b"}" * NESTED
        data = self._framed(raw_json_payload=text, requested_output_format=stub_pb2.JSON)
        data += self._framed(protobuf_payload=START_GROUP * NESTED, requested_output_format=stub_pb2.PROTOBUF)
        return self._lawful(self._converse(data, 2))

    def _lawful(self, answers: Sequence[bytes]) -> Problem | None:
        for answer in answers:
            result = _response(answer).WhichOneof("result") or NOTHING
            if result not in LAWFUL:
                return Problem(f"one of {', '.join(sorted(LAWFUL))}", result)
        return None

    # --- the end -----------------------------------------------------------------------------------------------------

    def _quiet(self) -> Problem | None:
        if self._talk and self._talk.floods:
            return Problem(
                "few lines on stderr", f"{len(self._talk.tail)} lines and more, the last: {self._talk.tail[-1]}"
            )
        return None

    def _finished_clean(self) -> Problem | None:
        if self._talk is None:
            raise ConversationEndedError("it does not run")
        self._exit_code, left = self._talk.finish(FINISH_WITHIN_S)
        self._finished = True
        return Problem("nothing after the last answer", f"{left[:SHOWN_BYTES]!r}") if left else None

    def _exited(self) -> Problem | None:
        code = self._exit_code
        if not self._finished:
            raise ConversationEndedError("its input could not be ended in order")
        if code == 0:
            return None
        got = f"it did not end within {FINISH_WITHIN_S:g} s" if code is None else f"exit code {code}"
        return Problem("exit code 0", got)


def _response(data: bytes) -> Any:  # noqa: ANN401  (made at run time)
    try:
        return read_response(data)
    except DecodeError:
        raise ConversationEndedError(f"{len(data)} bytes that are no Response: {data[:SHOWN_BYTES]!r}") from None


def _only(one: Frame, result: str) -> Frame:
    return Frame(name=one.name, about=one.about, rule=one.rule, data=one.data, results=(result,))


def _wrong(name: str, rule: int, problem: Problem) -> Check:
    return Check(name=name, rule=problem.rule or rule, state=State.WRONG, expected=problem.expected, got=problem.got)


def _not_judged(name: str, rule: int, why: str) -> Check:
    return Check(name=name, rule=rule, state=State.NOT_JUDGED, got=why)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits to a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
