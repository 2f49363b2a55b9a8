"""A service stub with readers of a field `amount`, and of others, that make different things of it. Run by path."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from counterfoil.stub import Stub

BEYOND_60_BITS = 2**60
BETWEEN_9_AND_10 = 9.7

Read = Callable[[dict[str, Any]], object]


def strict(body: dict[str, Any]) -> object:
    if not isinstance(body["amount"], int | float):
        raise TypeError("amount is not a number")
    return body["amount"]


def dying(body: dict[str, Any]) -> object:
    if body["amount"] is None:
        os._exit(3)
    return body["amount"]


def ascii_only(body: dict[str, Any]) -> object:
    if not str(body["amount"]).isascii():
        os._exit(3)
    return body["amount"]


def doubling_beyond_60_bits(body: dict[str, Any]) -> object:
    return body["amount"] if abs(body["amount"]) < BEYOND_60_BITS else float(body["amount"])


READERS: dict[str, Read] = {
    "faithful": lambda body: body["amount"],
    "zeroing": lambda body: body["amount"] if body["amount"] is not None else 0,
    "emptying": lambda body: body["amount"] if body["amount"] is not None else "",
    "falsy": lambda body: body["amount"] or None,
    "double": lambda body: float(body["amount"]),
    "blind": lambda body: len(body) > 1,
    "strict": strict,
    "dying": dying,
    "ascii": ascii_only,
    "doubling": doubling_beyond_60_bits,
    "shop.Product": lambda body: body.get("amount"),
    "constant": lambda _: 5,
    "typed": lambda body: int(body["amount"]) * 0,
    "texting": lambda body: len(body["amount"].upper()) * 0,
    "defaulting": lambda body: body.get("amount", 0),
    "floating": lambda body: (body["amount"] or 0.0) if "amount" in body else 0,
    "truncating": lambda body: int(body["amount"]),
    "cents": lambda body: body["amount"] * 100,
    "dear": lambda body: body["amount"] >= BETWEEN_9_AND_10,
    "writing": lambda body: str(body.get("amount")),
    "interpolating": lambda body: json.dumps(body.get("amount")),
    "deciding": lambda body: body.get("amount", 7),
}
WHOLE: dict[str, Read] = {
    "ignoring": lambda body: {"name": body.get("name")},
    "deaf": lambda _: {"total": 5},
    "flagged": lambda body: {"amount": body.get("amount") or 0, "isSent": body.get("amount") is not None},
    "dropping": lambda body: {key: value for key, value in body.items() if value is not None},
    "shop.Named": lambda body: {"name": body.get("name", ""), "amount": body.get("amount", 0)},
}
"""What they give is the whole that they see."""


def decoder(read: Read) -> Callable[[bytes], object]:
    return lambda data: {"amount": read(json.loads(data)), "more": "stays"}


def whole(read: Read) -> Callable[[bytes], object]:
    return lambda data: read(json.loads(data))


if __name__ == "__main__":
    stub = Stub(runtime="readers", version="1")
    for name, reader in READERS.items():
        stub.json(name, decode=decoder(reader))
    for name, reader in WHOLE.items():
        stub.json(name, decode=whole(reader))
    stub.run()
