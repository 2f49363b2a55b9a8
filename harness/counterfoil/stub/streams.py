"""Takes requests from a stream and puts the answers on another."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final

from counterfoil.stub.frames import DEFAULT_MAX_FRAME_BYTES, FrameSplitter, FrameTooLargeError

_READ_BYTES: Final = 256 * 1024
_WRITE_BYTES: Final = 64 * 1024
_INTERRUPTED: Final = 130


class TruncatedError(Exception):
    """The stream ended in the middle of a frame."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every stub understands."""
    parser.add_argument(
        "--max-frame-bytes",
        type=int,
        default=DEFAULT_MAX_FRAME_BYTES,
        metavar="N",
        help="refuse a longer request (default: %(default)s)",
    )


def complain(text: str) -> None:
    sys.stderr.write(f"stub: {text}\n")


def serve_process(answer: Callable[[bytes], bytes], max_frame_bytes: int) -> int:
    """Serve stdin and stdout of this process to their end, and return its exit code."""
    source, sink = take_standard_streams()
    try:
        serve(answer, source, sink, max_frame_bytes)
    except (FrameTooLargeError, TruncatedError) as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        complain("nobody reads the answers any more")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def take_standard_streams() -> tuple[int, int]:
    """Keep stdin and stdout for frames: whoever else reads finds the end, whoever else prints does so to stderr."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # From here on, because print() keeps what it was given: a line printed before this is only written now.
    sys.stdout.flush()
    sys.stdout = sys.stderr
    for stream in (source, sink):
        os.set_blocking(stream, True)
    return source, sink


def serve(answer: Callable[[bytes], bytes], source: int, sink: int, max_frame_bytes: int) -> None:
    """Answer every frame that comes, in order.

    Answers are held back only while requests are at hand: at the latest before it waits for more, all are written.
    """
    splitter = FrameSplitter(max_frame_bytes)
    while chunk := os.read(source, _READ_BYTES):
        answers: list[bytes] = []
        held_bytes = 0
        try:
            for frame in splitter.feed(chunk):
                answers.append(answer(frame))
                held_bytes += len(answers[-1])
                if held_bytes >= _WRITE_BYTES:
                    _write(sink, answers)
                    held_bytes = 0
        finally:
            _write(sink, answers)
    if splitter.inside_frame:
        raise TruncatedError("the input ended in the middle of a frame")


def _write(sink: int, answers: list[bytes]) -> None:
    """Write the answers, and forget them."""
    unwritten = memoryview(b"".join(answers))
    answers.clear()
    while unwritten:
        unwritten = unwritten[os.write(sink, unwritten) :]
