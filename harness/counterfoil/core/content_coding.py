"""Bodies as HTTP compresses them (RFC 9110, 8.4.1), which Pact's verifier takes too. Pure."""

from __future__ import annotations

import zlib

ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
PACKED = frozenset({"gzip", "x-gzip", "deflate"})


def unpacked(body: bytes, coding: str | None, limit_bytes: int) -> bytes:
    """The content of a body, up to a bound; the body itself where it is not packed, or not as `coding` says."""
    if (coding or "").strip().lower() not in PACKED:
        return body
    try:
        return zlib.decompressobj(ZLIB_OR_GZIP).decompress(body, limit_bytes)
    except zlib.error:
        return body
