"""Child processes: each has a deadline, is ended with everything it started, and keeps a bounded tail of its output."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from counterfoil.system import leash

TAIL_LINES = 200
TAIL_LINE_CHARS = 2_000
STDOUT_LIMIT_BYTES = 256 * 1024 * 1024
KILL_MARGIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended; `exit_code` is None when its deadline passed or it was stopped from outside."""

    exit_code: int | None
    stdout: bytes
    tail: tuple[str, ...]
    """The last lines of what it printed, on both streams."""
    duration_s: float


class Tail:
    """The last lines of a stream, each of bounded length; filled by one thread, read by others."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    def feed(self, stream: IO[bytes]) -> None:
        """Read the stream to its end, and close it."""
        with stream:
            for chunk in iter(lambda: stream.readline(TAIL_LINE_CHARS), b""):
                self._lines.append(chunk.decode("utf-8", "replace").rstrip())

    @property
    def lines(self) -> tuple[str, ...]:
        """What was kept so far, without the empty lines."""
        return tuple(line for line in list(self._lines) if line)


class Child:
    """A running command on a leash."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        grace_s: float,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        reading, self._leash_end = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", leash.__file__, str(reading), str(grace_s), *command],
                cwd=cwd,
                env={**os.environ, "PACT_DO_NOT_TRACK": "true", **env},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reading,),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._leash_end)
            raise
        finally:
            os.close(reading)
        self.tail = Tail()
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._held = True

    @property
    def alive(self) -> bool:
        """Whether the command still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the command and everything it started; returns when they are gone. May be called again."""
        with self._lock:
            if self._held:
                os.close(self._leash_end)
                self._held = False
        try:
            self.process.wait(self._grace_s + KILL_MARGIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Processes:
    """Every child of this run; stopping it stops them all and starts no more."""

    def __init__(self) -> None:
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        deadline_s: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> Completed:
        """Run a command to its end, or to its deadline."""
        started = time.monotonic()
        with self._started(command, cwd=cwd, env=env or {}, grace_s=2.0, stdin=subprocess.PIPE) as child:
            stdout = _Bounded()
            threads = [
                _thread(child.tail.feed, child.process.stderr),
                _thread(stdout.feed, child.process.stdout),
                _thread(_write, child.process.stdin, stdin),
            ]
            # Its output ends with it, and comes first: waiting for a process polls, at longer and longer intervals.
            threads[1].join(deadline_s)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, started + deadline_s - time.monotonic()))
            in_time = not child.alive
            child.stop()
            for thread in threads:
                thread.join(KILL_MARGIN_S)
        ended = in_time and not self.stopped.is_set()
        return Completed(
            exit_code=child.process.returncode if ended else None,
            stdout=stdout.data,
            tail=(*stdout.tail, *child.tail.lines),
            duration_s=time.monotonic() - started,
        )

    @contextlib.contextmanager
    def serve(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace_s: float) -> Iterator[Child]:
        """Run a command for as long as the context lasts."""
        with self._started(command, cwd=cwd, env=env, grace_s=grace_s, stdin=subprocess.DEVNULL) as child:
            threads = [_thread(child.tail.feed, stream) for stream in (child.process.stdout, child.process.stderr)]
            try:
                yield child
            finally:
                child.stop()
                for thread in threads:
                    thread.join(KILL_MARGIN_S)

    @contextlib.contextmanager
    def converse(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, grace_s: float
    ) -> Iterator[Child]:
        """Run a command whose stdin and stdout the caller works itself; its stderr is kept as the tail."""
        with self._started(command, cwd=cwd, env=env or {}, grace_s=grace_s, stdin=subprocess.PIPE) as child:
            thread = _thread(child.tail.feed, child.process.stderr)
            try:
                yield child
            finally:
                child.stop()
                thread.join(KILL_MARGIN_S)
                for stream in (child.process.stdin, child.process.stdout):
                    if stream:
                        with contextlib.suppress(OSError):
                            stream.close()

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace_s: float, stdin: int
    ) -> Iterator[Child]:
        with self._lock:
            if self.stopped.is_set():
                raise InterruptedError
            child = Child(command, cwd=cwd, env=env, grace_s=grace_s, stdin=stdin)
            self._children.add(child)
        try:
            yield child
        finally:
            child.stop()
            with self._lock:
                self._children.discard(child)

    def stop(self) -> None:
        """Stop every child, side by side; whoever waits for one gets a result without an exit code."""
        with self._lock:
            self.stopped.set()
            children = list(self._children)
        threads = [_thread(child.stop) for child in children]
        for thread in threads:
            thread.join()


class _Bounded:
    """A stream's content up to a limit; what comes after is read and dropped, so that the writer never blocks."""

    def __init__(self) -> None:
        self.data = b""

    def feed(self, stream: IO[bytes]) -> None:
        with stream:
            self.data = stream.read(STDOUT_LIMIT_BYTES)
            while stream.read(1 << 20):
                pass

    @property
    def tail(self) -> tuple[str, ...]:
        lines = self.data[-TAIL_LINES * TAIL_LINE_CHARS :].decode("utf-8", "replace").splitlines()
        return tuple(line[:TAIL_LINE_CHARS].rstrip() for line in lines[-TAIL_LINES:] if line.strip())


def _write(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError), stream:
        stream.write(data)


def _thread(target: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread
