"""Drives stubs: starts them, keeps their pipes full, holds them to deadlines, and restarts those that die."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Self

from counterfoil.probe.outcomes import Crashed, Garbled, Outcome, TimedOut, Unsupported
from counterfoil.probe.stub_protocol import Question, RawResponse, hello, load_schema, read_answer
from counterfoil.stub.frames import FrameSplitter, FrameTooLargeError
from counterfoil.stub.v1 import stub_pb2
from counterfoil.system.processes import Child, Processes

CHUNK_BYTES = 1 << 18
WINDOW_BYTES = 1 << 20
WINDOW_QUESTIONS = 4_096
STOP_WITHIN_S = 2.0
RESTARTS = 30
RESTARTED = f"it had to be restarted {RESTARTS} times"
SILENCES = 3
"""Of a stub that never answered anything: so often it may let its deadline pass."""
TIMEOUTS = 12
"""Of any other: each costs a whole deadline, and they need not come one after another."""
TAIL_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StubCommand:
    """How to start a stub, and which of its lanes is meant."""

    name: str
    command: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""
    start_within_s: float = 20.0
    answer_within_s: float = 5.0


class StubStartError(Exception):
    """A stub cannot be used at all."""

    def __init__(self, name: str, message: str, tail: tuple[str, ...] = ()) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.tail = tail[-TAIL_SHOWN:]


class _GoneError(Exception):
    """The conversation cannot go on; the outcome is that of the request that was next to be answered."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


class _Conversation:
    """One process of a stub, and what is under way between it and us."""

    def __init__(self, command: StubCommand, child: Child) -> None:
        self.child = child
        self.sequenced = True
        self._command = command
        stdin, stdout = child.process.stdin, child.process.stdout
        if stdin is None or stdout is None:
            raise ValueError(command.name)
        self._stdin, self._stdout = stdin.fileno(), stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._poll = select.poll()
        self._poll.register(self._stdout, select.POLLIN)
        self._splitter = FrameSplitter()
        self._unsent = bytearray()
        self.waiting: deque[Question] = deque()

    def ask(self, questions: Iterator[Question], within_s: float) -> Iterator[tuple[Question, bytes]]:
        """Each question with its answer's content, in order. Raises _GoneError; `waiting` is then unanswered."""
        self._fill(questions)
        since = time.monotonic()
        while self.waiting:
            for descriptor, event in self._wait(within_s - (time.monotonic() - since), within_s):
                if descriptor == self._stdin:
                    self._write()
                elif event:
                    for content in self._read():
                        yield self.waiting.popleft(), content
                        since = time.monotonic()
            self._fill(questions)

    def _wait(self, left_s: float, within_s: float) -> list[tuple[int, int]]:
        if self._unsent:
            self._poll.register(self._stdin, select.POLLOUT)
        else:
            self._forget_stdin()
        ready = self._poll.poll(max(0.0, left_s) * 1000)
        if not ready:
            raise _GoneError(TimedOut(within_s))
        return ready

    def _forget_stdin(self) -> None:
        with contextlib.suppress(KeyError):
            self._poll.unregister(self._stdin)

    def _fill(self, questions: Iterator[Question]) -> None:
        """Take on questions until enough is under way to keep the stub busy."""
        while len(self._unsent) < WINDOW_BYTES and len(self.waiting) < WINDOW_QUESTIONS:
            question = next(questions, None)
            if question is None:
                return
            self.waiting.append(question)
            self._unsent += question.frame

    def _write(self) -> None:
        try:
            del self._unsent[: os.write(self._stdin, memoryview(self._unsent)[:CHUNK_BYTES].tobytes())]
        except BlockingIOError:
            return
        except OSError:  # it reads no more; what it still says, and its end, are read from stdout
            self._unsent.clear()

    def _read(self) -> Iterator[bytes]:
        try:
            chunk = os.read(self._stdout, CHUNK_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            raise _GoneError(self._ended())
        try:
            for content in self._splitter.feed(chunk):
                if not self.waiting:
                    raise _GoneError(Garbled("an answer that nobody asked for"))
                yield content
        except FrameTooLargeError as error:
            raise _GoneError(Garbled(str(error))) from None

    def _ended(self) -> Outcome:
        """How the process ended that closed its stdout."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.process.wait(STOP_WITHIN_S)
        code = self.child.process.poll()
        return Crashed(-1 if code is None else code, self.child.tail.lines[-TAIL_SHOWN:])


class Stub:
    """A stub that answers whatever happens to its process."""

    def __init__(self, processes: Processes, command: StubCommand) -> None:
        self.command = command
        self.description = stub_pb2.StubDescription()
        self._processes = processes
        self._stack = contextlib.ExitStack()
        self._conversation: _Conversation | None = None
        self._schemas: dict[str, bytes] = {}
        self._restarts_left = RESTARTS
        self._timeouts_left = TIMEOUTS
        self._has_answered = False
        self._left_unasked = False
        self.trouble = RESTARTED
        """Why it is given up, once it is."""

    @property
    def name(self) -> str:
        """The name under which it is reported."""
        return self.command.name

    @property
    def is_given_up(self) -> bool:
        """Whether it died or hung too often, so that it was not asked everything: it said `Unsupported` instead."""
        return self._conversation is None or self._left_unasked

    def renew(self) -> None:
        """Begin something new: whatever it died of before, it may die as often again."""
        self._left_unasked = False
        self._start_over()

    def revive(self) -> bool:
        """Let one that died often, and never hung for long, die as often again; whether it was such a one.

        What it was not asked meanwhile still counts: it was given up.
        """
        if self._restarts_left > RESTARTS // 2 or self.trouble != RESTARTED:
            return False
        self._start_over()
        return True

    def _start_over(self) -> None:
        self._restarts_left, self._timeouts_left, self.trouble = RESTARTS, TIMEOUTS, RESTARTED
        if self._conversation is None:
            with contextlib.suppress(StubStartError):
                self._start()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def load(self, schema_id: str, file_descriptor_set: bytes) -> None:
        """Hand it a schema, now and after each restart. Raises StubStartError when it refuses it."""
        self._schemas[schema_id] = file_descriptor_set
        if self._conversation:
            self._load(self._conversation, schema_id)

    def forget(self, schema_id: str) -> None:
        """Load it no more after a restart."""
        self._schemas.pop(schema_id, None)

    def ask(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """The outcome of each question, in their order. Never raises for what the stub does."""
        left = iter(questions)
        while True:
            conversation = self._conversation
            if conversation is None:
                yield from self._given_up(left)
                return
            try:
                for question, content in conversation.ask(left, self.command.answer_within_s):
                    self._has_answered = True
                    outcome = read_answer(question, content, sequenced=conversation.sequenced)
                    yield outcome
                    if isinstance(outcome, Garbled) and outcome.what.startswith("an answer to request"):
                        break
                else:
                    return
            except _GoneError as gone:
                unanswered = deque(conversation.waiting)
                self._restart(silent=isinstance(gone.outcome, TimedOut))
                yield from self._blamed(unanswered, gone.outcome)
                left = chain(unanswered, left)
            else:
                left = chain(tuple(conversation.waiting), left)
                self._restart()

    def _blamed(self, unanswered: deque[Question], outcome: Outcome) -> list[Outcome]:
        """Outcomes up to that of the question that ended the conversation, which are taken off the unanswered ones.

        Answers were perhaps lost on the way, so the questions are asked again, one by one. When the stub survives them
        all now, the first has the outcome: nobody saw which one it was.
        """
        survived: list[Outcome] = []
        while len(unanswered) + len(survived) > 1 and unanswered and self._conversation is not None:
            question = unanswered.popleft()
            try:
                [(_, content)] = list(self._conversation.ask(iter([question]), self.command.answer_within_s))
            except _GoneError as again:
                self._restart(silent=isinstance(again.outcome, TimedOut))
                return [*survived, again.outcome]
            self._has_answered = True
            survived.append(read_answer(question, content, sequenced=self._conversation.sequenced))
        if not survived:
            unanswered.popleft()
        return [outcome, *survived[1:]]

    def _given_up(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        for _ in questions:
            self._left_unasked = True
            yield Unsupported(f"not asked: {self.trouble}")

    def _restart(self, *, silent: bool = False) -> None:
        self._stop()
        self._restarts_left -= 1
        self._timeouts_left -= silent
        timeouts = TIMEOUTS - self._timeouts_left
        if silent and (timeouts >= TIMEOUTS or (not self._has_answered and timeouts >= SILENCES)):
            self._restarts_left = 0
            never = "" if self._has_answered else " and never answered anything"
            self.trouble = f"it let its deadline pass {timeouts} times{never}"
        if self._restarts_left > 0:
            with contextlib.suppress(StubStartError):
                self._start()

    def _stop(self) -> None:
        self._conversation = None
        self._stack.close()

    def _start(self) -> None:
        command = self.command
        child = self._stack.enter_context(
            self._processes.converse(command.command, cwd=command.cwd, env=command.env, grace_s=STOP_WITHIN_S)
        )
        conversation = _Conversation(command, child)
        response = self._exchange(conversation, hello(1))
        if response.WhichOneof("result") == "description":
            self.description = stub_pb2.StubDescription.FromString(response.description.SerializeToString())
        else:
            conversation.sequenced = False  # a plain conformance testee
        for schema_id in self._schemas:
            self._load(conversation, schema_id)
        self._conversation = conversation

    def _load(self, conversation: _Conversation, schema_id: str) -> None:
        response = self._exchange(conversation, load_schema(1, schema_id, self._schemas[schema_id]))
        if response.WhichOneof("result") != "schema_loaded":
            said = response.runtime_error or response.skipped or f"it answered {response.WhichOneof('result')}"
            raise StubStartError(self.name, f"it does not take the schema: {said}")

    def _exchange(self, conversation: _Conversation, question: Question) -> stub_pb2.Response:
        try:
            # To its end: a conversation that is left in the middle of a chunk would read it again.
            [(_, content)] = list(conversation.ask(iter([question]), self.command.start_within_s))
            response: stub_pb2.Response = RawResponse.FromString(content)
        except _GoneError as gone:
            tail = gone.outcome.tail if isinstance(gone.outcome, Crashed) else conversation.child.tail.lines
            message = f"no answer to the handshake: {_told(gone.outcome)}"
        except Exception as error:  # noqa: BLE001  (protobuf's own, for bytes that are no response)
            tail, message = conversation.child.tail.lines, f"the handshake's answer cannot be read: {error}"
        else:
            return response
        self._stop()
        raise StubStartError(self.name, message, tail)


def _told(outcome: Outcome) -> str:
    match outcome:
        case TimedOut(after_s):
            return f"nothing came within {after_s:g} s"
        case Crashed(exit_code, _):
            return f"it ended with exit code {exit_code}"
        case Garbled(what):
            return what
        case _:
            return str(outcome)
