"""A report from its JSON document, whose schema is docs/reference/report.v1.schema.json. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from counterfoil.allowance.reading import SENT
from counterfoil.errors import UsageError
from counterfoil.model import Case, CaseResult, Finding, Lane, Report, Shard, StateSeen, Step
from counterfoil.runs.finding_values import from_values

FORMAT = 1
MAX_REPORT_BYTES = 256 * 1024 * 1024


class _Identity(msgspec.Struct, frozen=True):
    rule: str
    subject: str


class _Case(msgspec.Struct, frozen=True):
    lane: Lane
    subject: str
    name: str
    participants: tuple[str, ...]
    duration_s: float
    note: str
    findings: tuple[_Identity, ...]


class _Row(msgspec.Struct, frozen=True):
    contract: str
    field: str
    participant: str
    states: dict[str, str]
    sent: tuple[str, ...] = ()


class _Shard(msgspec.Struct, frozen=True):
    index: int
    total: int
    plan: str
    cases: int
    deferred: tuple[dict[str, Any], ...]


class _Document(msgspec.Struct, frozen=True):
    format: int
    findings: tuple[dict[str, Any], ...]
    cases: tuple[_Case, ...]
    steps: tuple[Step, ...]
    null_matrix: tuple[_Row, ...]
    duration_s: float
    left_out: tuple[str, ...]
    shard: _Shard | None


def read_report(name: str, data: bytes) -> tuple[Report, float]:
    """A report and how long its run took, in seconds. Raises UsageError for what is not one."""
    try:
        if len(data) > MAX_REPORT_BYTES:
            raise ValueError(f"it has {len(data)} bytes, more than the {MAX_REPORT_BYTES} that are read")  # noqa: TRY301
        document = msgspec.convert(json.loads(data), _Document)
        if document.format != FORMAT:
            raise ValueError(f"its format is {document.format}, and {FORMAT} is known")  # noqa: TRY301
        return _report(document), document.duration_s
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"'{name}' is not a report that this version of Counterfoil can read",
            where=name,
            why=str(error),
            fix="write it with this version: counterfoil check --report json=PATH",
        ) from None


def _report(document: _Document) -> Report:
    """Findings that no case names are the run's own."""
    findings = {found.identity: found for found in map(from_values, document.findings)}
    of_cases = {(one.rule, one.subject) for case in document.cases for one in case.findings}
    shard = document.shard
    return Report(
        results=_with_states([_result(case, findings) for case in document.cases], document.null_matrix),
        findings=tuple(found for identity, found in findings.items() if identity not in of_cases),
        steps=document.steps,
        left_out=tuple(map(_case_of_id, document.left_out)),
        shard=Shard(index=shard.index, total=shard.total, plan=shard.plan, cases=shard.cases) if shard else None,
        deferred=tuple(map(from_values, shard.deferred)) if shard else (),
    )


def _result(case: _Case, findings: Mapping[tuple[str, str], Finding]) -> CaseResult:
    identities = [(one.rule, one.subject) for one in case.findings]
    missing = [one for one in identities if one not in findings]
    if missing:
        raise ValueError(f"the case '{case.name}' names the finding {missing[0]}, which is not in it")
    return CaseResult(
        case=Case(lane=case.lane, subject=case.subject, name=case.name, participants=case.participants),
        findings=tuple(findings[one] for one in identities),
        duration_s=case.duration_s,
        note=case.note,
    )


def _with_states(results: list[CaseResult], matrix: tuple[_Row, ...]) -> tuple[CaseResult, ...]:
    """The rows of the null matrix do not say of which case they are: the first of its lane takes them all."""
    states = tuple(
        StateSeen(contract=row.contract, field=row.field, participant=row.participant, state=state, result=result)
        for row in matrix
        for state, result in (*row.states.items(), *((state, SENT) for state in row.sent))
    )
    lanes = [one.case.lane for one in results]
    first = next((lanes.index(lane) for lane in (Lane.NULLS, Lane.VERIFY) if lane in lanes), None)
    if first is not None:
        results[first] = replace(results[first], states=states)
    return tuple(results)


def _case_of_id(text: str) -> Case:
    lane, _, rest = text.partition("::")
    subject, _, name = rest.partition("::")
    return Case(lane=Lane(lane), subject=subject, name=name)
