"""One process of a stub, spoken to frame by frame: for whoever wants to know exactly what it does."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Iterator

from counterfoil.probing.stubs import STOP_WITHIN_S, StubCommand
from counterfoil.stub.frames import FrameSplitter, FrameTooLargeError
from counterfoil.system.processes import TAIL_LINES, Child, Processes

CHUNK_BYTES = 1 << 16
SHOWN_BYTES = 40


class ConversationEndedError(Exception):
    """The stub gave no answer; the text says what it did in place of one."""

    def __init__(self, what: str, *, silent: bool = False) -> None:
        super().__init__(what)
        self.silent = silent
        """Whether it still runs and could answer later."""


class StubConversation:
    """Bytes to and from a stub, each wait bounded."""

    def __init__(self, child: Child) -> None:
        stdin, stdout = child.process.stdin, child.process.stdout
        if stdin is None or stdout is None:
            raise ValueError(child)
        self._child = child
        self._stdin, self._stdout = stdin, stdout.fileno()
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(self._stdout, False)
        self._splitter = FrameSplitter()
        self._arrived: list[bytes] = []

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that it wrote to stderr."""
        return self._child.tail.lines

    @property
    def floods(self) -> bool:
        """Whether it wrote more to stderr than is kept."""
        return len(self.tail) >= TAIL_LINES

    def exchange(self, data: bytes, answers: int, within_s: float) -> list[bytes]:
        """Write, and read so many answers meanwhile; `within_s` counts anew from each thing that moves.

        Raises ConversationEndedError.
        """
        unsent = memoryview(data)
        deadline_s = time.monotonic() + within_s
        while unsent or len(self._arrived) < answers:
            moved, unsent = self._step(unsent, deadline_s - time.monotonic())
            if moved:
                deadline_s = time.monotonic() + within_s
            elif time.monotonic() >= deadline_s:
                inside = ", in the middle of a frame" if self._splitter.inside_frame else ""
                raise ConversationEndedError(f"no answer within {within_s:g} s{inside}", silent=True)
        found, self._arrived = self._arrived[:answers], self._arrived[answers:]
        return found

    def _step(self, unsent: memoryview, left_s: float) -> tuple[bool, memoryview]:
        """Write and read what can be without waiting longer than that."""
        writers = [self._stdin.fileno()] if unsent else []
        readable, writable, _ = select.select([self._stdout], writers, [], max(0.0, left_s))
        if writable:
            try:
                unsent = unsent[os.write(writers[0], unsent[:CHUNK_BYTES]) :]
            except BrokenPipeError:  # it reads no more; what it still says, and its end, are read from stdout
                unsent = memoryview(b"")
        if readable:
            self._arrived += self._read()
        return bool(readable or writable), unsent

    def _read(self) -> Iterator[bytes]:
        chunk = os.read(self._stdout, CHUNK_BYTES)
        if not chunk:
            raise ConversationEndedError(self._ended())
        try:
            yield from self._splitter.feed(chunk)
        except FrameTooLargeError as error:
            shown = f"{error}; it wrote {chunk[:SHOWN_BYTES]!r}"
            raise ConversationEndedError(shown) from None

    def _ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(STOP_WITHIN_S)
        code = self._child.process.poll()
        inside = " in the middle of a frame" if self._splitter.inside_frame else ""
        return f"it closed its stdout{inside}" if code is None else f"it ended with exit code {code}{inside}"

    def finish(self, within_s: float) -> tuple[int | None, bytes]:
        """End its input: its exit code, None when it did not end in time, and what it wrote besides its answers."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        left = b"".join(self._arrived)
        deadline_s = time.monotonic() + within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            readable, _, _ = select.select([self._stdout], [], [], left_s)
            chunk = os.read(self._stdout, CHUNK_BYTES) if readable else b""
            if not chunk:
                break
            left = (left + chunk)[:CHUNK_BYTES]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(max(0.0, deadline_s - time.monotonic()))
        return self._child.process.poll(), left


@contextlib.contextmanager
def conversation(processes: Processes, command: StubCommand) -> Iterator[StubConversation]:
    """A new process of the stub. Raises OSError when the system cannot start it."""
    with processes.converse(command.command, cwd=command.cwd, env=command.env, grace_s=STOP_WITHIN_S) as child:
        yield StubConversation(child)
