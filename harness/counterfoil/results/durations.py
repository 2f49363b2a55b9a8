"""How long each group of a plan took when it was last judged, so that a plan can be cut into even parts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from counterfoil.core.workspace import Workspace
from counterfoil.model import Lane
from counterfoil.results.result_cache import REUSED
from counterfoil.runs.events import CaseFinished, Event, StepFinished
from counterfoil.runs.plan import Plan
from counterfoil.system.files import replace_file

FORMAT = 1


class _File(msgspec.Struct, frozen=True):
    format: int
    seconds: dict[str, float]


def _path(workspace: Workspace) -> Path:
    return workspace.state_dir / "durations.json"


def recorded(workspace: Workspace) -> Mapping[str, float]:
    """Seconds by the names of groups. A file that cannot be read holds none."""
    path = _path(workspace)
    if not path.is_file():  # reading a pipe might never end
        return {}
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return file.seconds if file.format == FORMAT else {}


def recording(workspace: Workspace, plan: Plan, events: Iterable[Event]) -> Iterator[Event]:
    """The events of a run of everything; at its end, how long each group took that was judged anew."""
    names = {group.name: group.name for group in plan.groups}
    # One start of a provider serves its verification and what else it is sent.
    names |= {f"{Lane.NULLS} {name}": f"{Lane.VERIFY} {name}" for name in plan.providers}
    group_of = {case: group.name for group in plan.groups for case in group.cases}
    took: dict[str, float] = {}
    reused: set[str] = set()
    for event in events:
        if isinstance(event, StepFinished) and event.step.label in names:
            name = names[event.step.label]
            took[name] = round(took.get(name, 0.0) + event.step.duration_s, 3)
        elif isinstance(event, CaseFinished) and REUSED in event.result.note:
            reused.add(group_of.get(event.result.case, ""))
        yield event
    anew = {name: seconds for name, seconds in took.items() if name not in reused}
    if anew:
        known = dict(recorded(workspace)) | anew
        with contextlib.suppress(OSError):  # then parts are less even
            replace_file(_path(workspace), json.dumps({"format": FORMAT, "seconds": known}, indent=1).encode())
