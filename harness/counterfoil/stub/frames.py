"""Frames: the length of a message as a little-endian uint32, then the message. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

DEFAULT_MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_HEADER: Final = struct.Struct("<I")


class FrameTooLargeError(ValueError):
    """A frame announces more than its reader is willing to take."""


class FrameSplitter:
    """Cuts a stream that arrives in arbitrary chunks into frames."""

    def __init__(self, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        # Until so much is there, chunks are only collected: a large frame is put together once.
        self._needed_bytes = _HEADER.size

    @property
    def inside_frame(self) -> bool:
        """Whether the stream cannot end here."""
        return self._held_bytes > 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield each message that the chunk completes. To be read to its end before the next chunk."""
        self._chunks.append(chunk)
        self._held_bytes += len(chunk)
        if self._held_bytes < self._needed_bytes:
            return
        data = b"".join(self._chunks)
        position, self._needed_bytes = 0, _HEADER.size
        while len(data) - position >= _HEADER.size:
            (size,) = _HEADER.unpack_from(data, position)
            if size > self._max_frame_bytes:
                raise FrameTooLargeError(f"a frame of {size} bytes is larger than the limit of {self._max_frame_bytes}")
            start = position + _HEADER.size
            if len(data) - start < size:
                self._needed_bytes = _HEADER.size + size
                break
            position = start + size
            yield data[start:position]
        self._chunks = [data[position:]]
        self._held_bytes = len(data) - position
