"""The null lane: gives every payload that the pacts allow to the decoders that have to read it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock

from counterfoil.allowance.edits import EXTRA
from counterfoil.allowance.exchanges import Underived
from counterfoil.allowance.links import PlannedReading
from counterfoil.allowance.payloads import Allowed
from counterfoil.allowance.reading import Judgement, Result, judge, trials
from counterfoil.allowance.shown import never_shown
from counterfoil.allowance.states import Derivation, derive
from counterfoil.allowance.suggestion import interaction_to_add
from counterfoil.errors import UsageError
from counterfoil.model import CaseResult, Finding, Location, Output, StateSeen
from counterfoil.pacts import canonical
from counterfoil.probe.outcomes import OutputFormat
from counterfoil.probe.payloads import VALUE, Encoding, Payload
from counterfoil.probe_stubs import stub_command
from counterfoil.probed_schema import ProbedSchema, read_schema
from counterfoil.processes import Processes
from counterfoil.rules import finding
from counterfoil.stub_protocol import Asking
from counterfoil.stubs import Stub, StubStartError
from counterfoil.workspace import Workspace

SHOWN_CHARS = 400
WORST_FIRST = tuple(Result)


class NullLane:
    """Judges planned readings, those of one stub after another."""

    def __init__(self, processes: Processes, workspace: Workspace) -> None:
        self._processes = processes
        self._workspace = workspace
        self._lock = Lock()
        self._schema: ProbedSchema | None = None

    def judge(self, stub: str, readings: Sequence[PlannedReading]) -> Iterator[CaseResult]:
        """A result for each reading that is linked to this stub."""
        try:
            with Stub(self._processes, stub_command(self._workspace, stub)) as running:
                told: set[tuple[str, str]] = set()
                for planned in readings:
                    result = self._judged(running, planned)
                    key = (planned.pact.path, planned.link.message or "" if planned.link else "")
                    more = () if key in told else tuple(self._never_shown(running, planned))
                    told.add(key)
                    yield replace(result, findings=(*result.findings, *more))
        except StubStartError as error:
            found = finding(
                "READER_NOT_STARTED",
                stub,
                f"the stub '{stub}' cannot be used: {error.message}",
                fix=f"start it by hand with the command of [stubs.{stub}]; "
                "if it only needs longer, raise start-within-s there",
                location=Location(path=self._workspace.file.name),
                evidence=(Output(label="it printed", lines=error.tail),) if error.tail else (),
            )
            yield from (CaseResult(case=planned.case, findings=(found,)) for planned in readings)

    def _never_shown(self, stub: Stub, planned: PlannedReading) -> Iterator[Finding]:
        """Fields that the schema lets be unset, and that no interaction of the pact shows so."""
        pact, name = planned.pact, planned.link.message if planned.link else None
        try:
            schema = self._read_schema()
        except UsageError as error:
            folder = error.where or pact.path
            yield finding(
                "SCHEMA_DOES_NOT_COMPILE", folder, f"{error.what}: {error.why}", fix=error.fix or "correct it"
            )
            return
        if schema is None or name not in schema.messages:
            return
        for one in never_shown(self._workspace.settings, pact, schema.message(name)):
            field = one.path.rpartition(".")[2]
            description = f"{one.interaction.description}, {field} null"
            language = stub.description.language
            yield finding(
                "STATE_NOT_SHOWN",
                f"{pact.pair}::{one.path}",
                f"{one.field} may be unset, and no interaction says what {planned.reader} does when `{field}` is null",
                fix=f"add an interaction for this state to {pact.consumer}'s contract tests, or waive it",
                location=pact.locate(one.interaction),
                evidence=(
                    Output(
                        label="for example",
                        lines=interaction_to_add(language, one.interaction, description, one.example),
                    ),
                ),
            )

    def _read_schema(self) -> ProbedSchema | None:
        """The configured schema, compiled once; None where there is none. A schema that does not compile raises."""
        with self._lock:
            settings = self._workspace.settings.schema
            if self._schema is None and settings is not None:
                self._schema = read_schema(self._processes, self._workspace, settings.dir)
            return self._schema

    def _judged(self, stub: Stub, planned: PlannedReading) -> CaseResult:
        if isinstance(planned.body, Underived) or planned.link is None or planned.link.message is None:
            return without_stub(planned)
        started_s = time.monotonic()
        tried = trials(derive(planned.body))
        documents = tried.questions()
        asking = Asking(
            message_type=planned.link.message, lane=stub.command.lane, output_format=OutputFormat.NONE, observe=True
        )
        asked = (
            asking.about(number, json_payload(document.encode("utf-8", "surrogatepass")))
            for number, document in enumerate(documents, start=1)
        )
        outcomes = dict(zip(documents, stub.ask(asked), strict=True))
        judgements = list(judge(tried, outcomes))
        return CaseResult(
            case=planned.case,
            findings=tuple(_findings(planned, tried.derivation, judgements)),
            duration_s=time.monotonic() - started_s,
            states=tuple(_states(planned, tried.derivation, judgements)),
        )


def json_payload(data: bytes) -> Payload:
    """A document as stubs take it."""
    return Payload(encoding=Encoding.JSON, data=data, path="", kind="document", state=VALUE, phase="nulls")


def without_stub(planned: PlannedReading) -> CaseResult:
    """A body that no stub reads: nobody looks at it, or it is not derived, or not linked to a decoder."""
    if planned.link and planned.link.message is None:
        return CaseResult(case=planned.case)
    where, body = planned.pact.locate(planned.interaction), planned.body
    if isinstance(body, Underived):
        found = finding(
            "BODY_NOT_DERIVED",
            planned.case.id.partition("::")[2],
            f"what '{planned.interaction.description}' allows in its {body.part} is not known: {body.reason}",
            fix="test what its reader makes of it by hand, or waive this",
            location=where,
        )
    else:
        sender = ({planned.pact.consumer, planned.pact.provider} - {planned.reader} or {planned.reader}).pop()
        found = finding(
            "READER_UNKNOWN",
            planned.case.id.partition("::")[2],
            f"nothing says by which decoder {planned.reader} reads the {body.part} of "
            f"'{planned.interaction.description}', so that only its example is tested",
            fix=f'add [[participants.{planned.reader}.decoders]] with sender = "{sender}" to counterfoil.toml',
            location=where,
        )
    cell = StateSeen(
        contract=planned.pact.pair,
        field=f"{body.part} $",
        participant=planned.reader,
        state=VALUE,
        result=Result.UNPROVEN,
    )
    return CaseResult(case=planned.case, findings=(found,), states=(cell,))


def _states(planned: PlannedReading, derivation: Derivation, judgements: Sequence[Judgement]) -> Iterator[StateSeen]:
    """What became of each field in each state, the worst where several payloads show it.

    A value that is rejected for itself, such as a price of -1, leaves its field proven in the state "value".
    """
    cells: dict[tuple[str, str], Result] = {}
    tolerated = _tolerated(judgements)
    for judgement in judgements:
        for item in judgement.allowed.items if len(judgement.allowed.items) == 1 else ():
            is_for_itself = item.state == VALUE and not item.is_the_example
            if judgement.result is Result.REJECTED and (is_for_itself or item.path in tolerated):
                continue
            key = (f"{planned.body.part} {item.path}", item.state)
            cells[key] = min(cells.get(key, Result.PROVEN), judgement.result, key=WORST_FIRST.index)
    for item in derivation.having(allowed=None):
        if item.state not in {VALUE, EXTRA}:
            cells[f"{planned.body.part} {item.path}", item.state] = Result.UNPROVEN
    for (field, state), result in cells.items():
        yield StateSeen(contract=planned.pact.pair, field=field, participant=planned.reader, state=state, result=result)


RULES = {Result.REJECTED: "STATE_REJECTED", Result.MISREAD: "STATE_MISREAD", Result.UNPROVEN: "STATE_NOT_READ"}


def _tolerated(judgements: Sequence[Judgement]) -> frozenset[str]:
    """Where a further key is accepted with some value, so that what was rejected is its value and not its presence."""
    return frozenset(
        judgement.allowed.items[0].path
        for judgement in judgements
        if len(judgement.allowed.items) == 1
        and judgement.allowed.items[0].state == EXTRA
        and judgement.result is not Result.REJECTED
    )


def _findings(planned: PlannedReading, derivation: Derivation, judgements: Sequence[Judgement]) -> Iterator[Finding]:
    """Each field and state once; a pair only where neither of its parts is a finding by itself."""
    told: set[tuple[str, str]] = set()
    tolerated = _tolerated(judgements)
    for judgement in judgements:
        paths = {item.path for item in judgement.allowed.items}
        if judgement.result is Result.PROVEN or paths & tolerated:
            continue
        keys = {(item.path, item.state) for item in judgement.allowed.items} or {("$", VALUE)}
        if keys & told:
            continue
        told |= keys
        yield _finding(planned, judgement)
    yield from _not_derived(planned, derivation, is_empty=not judgements)


def _not_derived(planned: PlannedReading, derivation: Derivation, *, is_empty: bool) -> Iterator[Finding]:
    """What is not known to be allowed or not: presence states of a place, places beyond the bound, or everything."""
    reasons = {item.path: item.reason for item in derivation.having(allowed=None) if item.state not in {VALUE, EXTRA}}
    if derivation.places_left_out:
        reasons["$"] = f"it has {derivation.places_left_out} places more than are looked at"
    elif is_empty:
        reasons = {"$": "not even its example is known to be allowed"}
    interaction, part = planned.interaction.description, planned.body.part
    for path, reason in reasons.items():
        yield finding(
            "BODY_NOT_DERIVED",
            f"{planned.pact.pair}::{part} {path}",
            f"what '{interaction}' allows at {path} of the {part} is not known: {reason}",
            fix="use a matcher that is modelled (docs/null-contracts.md), or waive this",
            location=planned.pact.locate(planned.interaction),
        )


def _finding(planned: PlannedReading, judgement: Judgement) -> Finding:
    sender, reader = planned.body.sender, planned.reader
    who = planned.pact.provider if sender == "provider" else planned.pact.consumer
    what = " and ".join(f"`{item.path}: {item.edit}`" for item in judgement.allowed.items) or "its very example"
    rule = RULES[judgement.result]
    if rule == "STATE_REJECTED" and not judgement.is_about_presence and "rejects" in judgement.words:
        rule = "VALUE_REJECTED"
    fields = " + ".join(f"{item.path} {item.state}" for item in judgement.allowed.items) or "$ value"
    return finding(
        rule,
        f"{planned.pact.pair}::{planned.body.part} {fields}",
        f"the contract lets {who} send {what}; {reader} {judgement.words}",
        fix=_fix(planned, judgement),
        location=planned.pact.locate(planned.interaction),
        evidence=(
            Output(label="payload", lines=(canonical(judgement.allowed.document)[:SHOWN_CHARS],)),
            Output(label="allowed by", lines=tuple(_grounds(judgement.allowed))),
        ),
    )


def _grounds(allowed: Allowed) -> Iterator[str]:
    for item in allowed.items:
        rule = f"the matching rule at {item.rule}, " if item.rule else ""
        yield f"{item.path}: {rule}{item.clause}"


def _fix(planned: PlannedReading, judgement: Judgement) -> str:
    if judgement.result is Result.UNPROVEN:
        return f"see what the stub of {planned.reader} says to the payload"
    return (
        f"let {planned.reader} read it as what it is, or narrow the matcher in {planned.pact.consumer}'s contract test"
    )
