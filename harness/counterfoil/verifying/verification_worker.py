"""Runs Pact's verifier in a process of its own, so that a crash or a hang of native code is an outcome like others.

Started with `python -m`: reads a job as JSON from stdin, writes its result to stdout.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, dataclass

from counterfoil.verifying.relay import MESSAGES_PATH, STATES_PATH, Relay
from counterfoil.verifying.tap import Tap


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to verify: pact files against a provider that already serves on `port` of 127.0.0.1."""

    provider: str
    port: int
    pacts: list[str]
    descriptions: list[str] | None
    """Only these interactions; None: all of them."""
    states_path: str | None
    messages_path: str | None
    answer_within_s: float


def verify(job: Job, relay: Relay, tap: Tap) -> dict[str, object]:
    """Pact's result, with the calls of the state and message endpoints and the provider's answers beside it."""
    from pact import Verifier  # noqa: PLC0415  (loads the native library, which whoever only needs Job does not want)

    verifier = Verifier(job.provider, host="127.0.0.1")
    verifier.add_transport(url=f"http://127.0.0.1:{tap.port}")
    verifier.add_transport(protocol="message", scheme="http", port=relay.port, path=MESSAGES_PATH)
    verifier.state_handler(f"http://127.0.0.1:{relay.port}{STATES_PATH}", teardown=True, body=True)
    verifier.set_request_timeout(int(job.answer_within_s * 1000))
    verifier.set_coloured_output(enabled=False)
    if job.descriptions is not None:
        verifier.filter("^(?:" + "|".join(map(re.escape, job.descriptions)) + ")$")
    for pact in job.pacts:
        verifier.add_source(pact)
    error = ""
    try:
        verifier.verify()
    except RuntimeError as failure:  # also how it says that interactions failed: the results tell
        error = str(failure)
    return {
        "results": verifier.results,
        "error": error,
        "calls": [asdict(call) for call in relay.calls],
        "answers": [asdict(heard) for heard in tap.heard()],
    }


def main() -> None:
    """Do one job. Native code writes to descriptor 1 directly, so the result goes to a copy of it."""
    result_descriptor = os.dup(1)
    os.dup2(2, 1)
    job = Job(**json.load(sys.stdin))
    base = f"http://127.0.0.1:{job.port}"
    relay = Relay(
        states=base + job.states_path if job.states_path else None,
        messages=base + job.messages_path if job.messages_path else None,
        timeout_s=job.answer_within_s,
    )
    with relay.serving(), Tap(job.port).passing() as tap:
        result = verify(job, relay, tap)
    with os.fdopen(result_descriptor, "w", encoding="utf-8") as stream:
        json.dump(result, stream)


if __name__ == "__main__":
    main()
