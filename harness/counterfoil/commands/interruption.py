"""What Ctrl-C does: it stops the child processes, so that whoever waits for one goes on, and the run ends by itself.

The handler raises nothing: it may run inside a callback of a library, where what is raised is dropped, or while a lock
is held.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Generator, Iterator

from counterfoil.core.rules import finding
from counterfoil.errors import UsageError
from counterfoil.model import Case, Finding
from counterfoil.runs.events import CaseFinished, Event, FindingRaised, RunFinished, RunStarted
from counterfoil.system.processes import Processes

CASES_NAMED = 3


@contextlib.contextmanager
def stopped_by_ctrl_c(processes: Processes) -> Iterator[threading.Event]:
    """Ctrl-C stops every child, and the event tells whoever works on. A second Ctrl-C ends all."""
    told = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        told.set()
        # In a thread: this one may hold the lock that stopping takes.
        threading.Thread(target=processes.stop).start()

    signal.signal(signal.SIGINT, stop)
    try:
        yield told
    except (InterruptedError, UsageError):
        if told.is_set():  # a process that was ended while it started, or was about to be started
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def ended_by_ctrl_c(processes: Processes) -> Iterator[None]:
    """For work of which a part is worth nothing: Ctrl-C ends it with KeyboardInterrupt, as soon as nobody waits."""
    with stopped_by_ctrl_c(processes) as told:
        yield
    if told.is_set():
        raise KeyboardInterrupt


def until_ctrl_c(processes: Processes, events: Generator[Event]) -> Iterator[Event]:
    """The events of a run, which raises InterruptedError once its processes are stopped; then what it left unjudged."""
    started_s = time.monotonic()
    left: dict[Case, None] = {}
    planned = 0
    with stopped_by_ctrl_c(processes) as told, contextlib.closing(events):
        try:
            for event in events:
                match event:
                    case RunStarted(cases):
                        left, planned = dict.fromkeys(cases), len(cases)
                    case CaseFinished(result):
                        left.pop(result.case, None)
                yield event
        except InterruptedError:
            if not told.is_set():
                raise
            yield FindingRaised(_interrupted([case.id for case in left], planned))
            yield RunFinished(time.monotonic() - started_s, was_interrupted=True)


def _interrupted(left: list[str], planned: int) -> Finding:
    named = ", ".join(left[:CASES_NAMED]) + (f" and {len(left) - CASES_NAMED} more" if left[CASES_NAMED:] else "")
    return finding(
        "RUN_INTERRUPTED",
        "the run",
        f"the run was interrupted before {len(left)} of {planned} cases were judged: {named}"
        if left
        else "the run was interrupted before its end",
        fix="run it again; -k with a part of a case's name judges that case alone",
    )
