"""A service stub of one message: `NULL_AS=HOW python service.py`, where null is "absent", "empty" or "refused".

With "nothing" it reads no message at all; with "rounded" it rounds numbers as JavaScript does, with "constant" it
always sees the same, with "alien" it names everything differently.
"""

from __future__ import annotations

import json
import os
from typing import Any

from counterfoil.stub import Stub

NULL_AS = os.environ["NULL_AS"]


def read_thing(body: bytes) -> dict[str, Any]:
    """The thing as a dict of what this service knows of it."""
    document = json.loads(body)
    if NULL_AS == "nothing":
        message = "planted"
        raise ValueError(message)
    name = document["name"]
    if name is None and NULL_AS == "refused":
        message = "name: null"
        raise ValueError(message)
    if name is None and NULL_AS == "empty":
        name = ""
    if NULL_AS == "rounded" and document["id"] is not None:
        return {"name": name, "id": str(int(float(document["id"])))}
    if NULL_AS == "constant":
        return {"name": "constant"}
    if NULL_AS == "alien":
        return {"title": name, "number": document["id"]}
    return {"name": name, "id": document["id"]}


stub = Stub(runtime="service", version="1")
stub.json("probe.v1.Thing", decode=read_thing)
stub.run()
