"""A plan in parts that are judged apart, and the reports of the parts as that of the whole. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from counterfoil.core.command_lines import command_line
from counterfoil.core.rules import finding
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Lane, Report, Shard
from counterfoil.runs.plan import Group, Plan

UNKNOWN_S = 1.0
"""What a group is taken to last where nothing was recorded."""
PACT_FILE_S = 0.01


def part_of(plan: Plan, index: int, total: int, seconds: Mapping[str, float], content: str) -> Plan:
    """The part of a plan that shard `index` of `total` judges, from 1; `seconds` by the names of groups.

    `content` is a digest of the files that are judged.

    Whatever is amiss with the plan itself is told by each part.
    """
    groups = plan.groups
    cases = {case for group in split(groups, total, seconds)[index - 1] for case in group.cases}
    part = plan.only(cases)
    shard = Shard(index=index, total=total, plan=_digest(groups, seconds, content), cases=len(part.cases))
    return replace(part, findings=plan.findings, left_out=plan.left_out, shard=shard)


def split(groups: Sequence[Group], total: int, seconds: Mapping[str, float]) -> tuple[tuple[Group, ...], ...]:
    """The groups in parts that last about as long as each other: the longest first, each to the part that has least."""
    known = [seconds[group.name] for group in groups if group.name in seconds]
    unknown_s = fmean(known) if known else UNKNOWN_S
    weights = {group.name: _weight(group, seconds, unknown_s) for group in groups}
    parts: list[list[Group]] = [[] for _ in range(total)]
    loads = [0.0] * total
    for group in sorted(groups, key=lambda one: (-weights[one.name], one.name)):
        lightest = loads.index(min(loads))
        parts[lightest].append(group)
        loads[lightest] += weights[group.name]
    return tuple(map(tuple, parts))


def _weight(group: Group, seconds: Mapping[str, float], unknown_s: float) -> float:
    if all(case.lane is Lane.PACTS for case in group.cases):
        return PACT_FILE_S
    return seconds.get(group.name, unknown_s)


def _digest(groups: Iterable[Group], seconds: Mapping[str, float], content: str) -> str:
    """By which the parts of one plan are known: they were cut in the same way from the same cases and files."""
    cut = [[group.name, seconds.get(group.name), sorted(case.id for case in group.cases)] for group in groups]
    return f"sha256:{hashlib.sha256(json.dumps([content, sorted(cut, key=str)]).encode()).hexdigest()}"


def merged(parts: Mapping[str, Report]) -> Report:
    """The report of the whole, from those of its parts by the names of their files.

    What only the whole can tell, such as that nothing shows a waiver any more, holds where every part says it. A part
    that is missing, or was not judged to its end, is a finding. Raises UsageError for what are not parts of one run.
    """
    shards = _checked(parts)
    reports = list(parts.values())
    deferred = set.intersection(*({found.identity for found in report.deferred} for report in reports))
    is_whole = len(shards) == next(iter(shards.values())).total
    return Report(
        results=tuple(result for report in reports for result in report.results),
        findings=(
            *dict.fromkeys(found for report in reports for found in report.findings),
            *(found for found in reports[0].deferred if is_whole and found.identity in deferred),
            *_missing(parts, shards),
        ),
        steps=tuple(step for report in reports for step in report.steps),
        left_out=reports[0].left_out,
    )


def _checked(parts: Mapping[str, Report]) -> dict[str, Shard]:
    """The shard of each report. Raises UsageError."""
    shards: dict[str, Shard] = {}
    for name, report in parts.items():
        if report.shard is None:
            raise UsageError(
                f"'{name}' is the report of a whole run",
                why="parts of a run are merged",
                fix="name reports of 'counterfoil check --shard I/N --report json=PATH'",
            )
        shards[name] = report.shard
    first_name, first = next(iter(shards.items()))
    by_index: dict[int, str] = {}
    for name, shard in shards.items():
        if shard.index in by_index:
            raise UsageError(
                f"'{by_index[shard.index]}' and '{name}' are both shard {shard.index}/{shard.total}",
                fix="name the report of each shard once",
            )
        by_index[shard.index] = name
        if (shard.total, shard.plan) != (first.total, first.plan):
            raise UsageError(
                f"'{first_name}' and '{name}' are not parts of one run",
                why="they were cut from other files or cases, or by other recorded durations",
                fix="run every shard on the same files, with the same .counterfoil/durations.json or with none",
            )
    return shards


def _missing(parts: Mapping[str, Report], shards: Mapping[str, Shard]) -> Iterator[Finding]:
    total = next(iter(shards.values())).total
    there = {shard.index for shard in shards.values()}
    for index in range(1, total + 1):
        if index not in there:
            yield _shard_missing(f"{index}/{total}", f"there is no report of shard {index}/{total}")
    for name, shard in shards.items():
        judged = len(parts[name].results)
        if judged < shard.cases:
            label = f"{shard.index}/{total}"
            yield _shard_missing(label, f"shard {label} judged {judged} of its {shard.cases} cases ('{name}')")


def _shard_missing(label: str, message: str) -> Finding:
    return finding(
        "SHARD_MISSING", f"shard {label}", message, fix=f"{command_line('check', '--shard', label)} --report json=PATH"
    )
