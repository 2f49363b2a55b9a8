"""Verifies one provider: starts it, lets Pact's verifier loose on it in a worker process, and reads the outcome."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from counterfoil.allowance.sightings import of_answer, of_message
from counterfoil.core.command_lines import command_line, verify_one
from counterfoil.core.pacts import Pact
from counterfoil.core.rules import finding
from counterfoil.core.toml_tables import key
from counterfoil.core.workspace import Provider, Workspace
from counterfoil.model import CaseResult, Finding, Location, Mismatch, Output, StateSeen
from counterfoil.runs.plan import PlannedInteraction
from counterfoil.system.processes import Processes
from counterfoil.verifying import services
from counterfoil.verifying.relay import Call, CallKind
from counterfoil.verifying.tap import Heard
from counterfoil.verifying.verification_worker import Job

WORKER_START_S = 30.0
TAIL_SHOWN = 12
MAX_FILTER_CHARS = 50_000
VALUE_SHOWN_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the worker found out."""

    results: Sequence[Mapping[str, Any]]
    calls: Sequence[Call]
    heard: Sequence[Heard]
    """The answers to the verifier's requests, whichever interaction they are of."""
    service_tail: tuple[str, ...]
    service_exit_code: int | None
    """How the participant ended while it was verified; None: it did not."""
    verifier_tail: tuple[str, ...] = ()

    @property
    def killer(self) -> Mapping[str, Any] | None:
        """The result of the interaction that the participant did not survive."""
        if self.service_exit_code is None:
            return None
        return next((one for one in self.results if one.get("result") != "OK" and not _mismatches(one)), None)


def verify(
    processes: Processes,
    workspace: Workspace,
    name: str,
    host: services.Host,
    planned: Sequence[PlannedInteraction],
) -> tuple[CaseResult, ...]:
    """Verify the planned interactions against the participant; every one of them has a result."""
    provider = host.provider
    try:
        outcome = _run_worker(processes, workspace, name, provider, host.service(), planned)
    except services.StartError as error:
        outcome = not_started(workspace, name, error)
    if isinstance(outcome, Finding):
        return tuple(CaseResult(case=one.case, findings=(outcome,)) for one in planned)
    return tuple(_read_results(name, provider, outcome, planned))


def not_started(workspace: Workspace, name: str, error: services.StartError) -> Finding:
    """Why a participant does not serve."""
    taken = isinstance(error, services.PortTakenError)
    return finding(
        "PROVIDER_PORT_TAKEN" if taken else "PROVIDER_NOT_STARTED",
        name,
        f"{name} could not be started: {error.message}",
        fix="end that process, or leave out 'port' so that a free one is chosen"
        if taken
        else f"start it by hand with the command and env of [participants.{key(name)}.provider]",
        location=Location(path=workspace.file.name),
        evidence=_printed(name, error.tail),
    )


def _printed(name: str, tail: Sequence[str]) -> tuple[Output, ...]:
    return (Output(label=f"{name} printed", lines=tuple(tail[-TAIL_SHOWN:])),) if tail else ()


def _run_worker(
    processes: Processes,
    workspace: Workspace,
    name: str,
    provider: Provider,
    service: services.Service,
    planned: Sequence[PlannedInteraction],
) -> Answered | Finding:
    calls = sum(1 + 2 * max(1, len(one.interaction.states)) for one in planned)
    deadline_s = WORKER_START_S + calls * provider.answer_within_s
    with TemporaryDirectory(prefix="counterfoil-") as folder:
        job = _job(name, provider, service.port, planned, Path(folder))
        done = processes.run(
            [sys.executable, "-P", "-m", "counterfoil.verifying.verification_worker"],
            cwd=workspace.root,
            stdin=json.dumps(asdict(job)).encode(),
            deadline_s=deadline_s,
        )
    service_tail = service.child.tail.lines
    exit_code = None if service.child.alive else service.child.process.returncode
    answered = _read_answer(done.stdout) if done.exit_code == 0 else None
    if answered:
        tail = done.tail[-TAIL_SHOWN:]
        return replace(answered, service_tail=service_tail, service_exit_code=exit_code, verifier_tail=tail)
    rule, how = "VERIFIER_CRASHED", f"ended with exit code {done.exit_code} and no result"
    if done.exit_code is None:
        rule, how = "VERIFIER_TIMED_OUT", f"did not end within {deadline_s:g} s"
    return finding(
        rule,
        name,
        f"the verifier of {name} {how}",
        fix=f"{command_line('verify', '--participant', name)}; if it happens again, -k narrows it to one interaction",
        evidence=(Output(label="it printed", lines=done.tail[-TAIL_SHOWN:]), *_printed(name, service_tail)),
    )


def _is_filter(descriptions: Sequence[str]) -> bool:
    """Whether the verifier can be told these alone; it is told by a regular expression, as text that ends at NUL."""
    return all(map(str.isprintable, descriptions)) and sum(map(len, descriptions)) <= MAX_FILTER_CHARS


def _written(file: Path, pact: Pact) -> Path:
    """The pact as it was planned; its own file may be another by now."""
    file.write_bytes(pact.source)
    return file


def _job(name: str, provider: Provider, port: int, planned: Sequence[PlannedInteraction], folder: Path) -> Job:
    """The job of a worker; `folder` takes the pacts for it."""
    pacts = {one.pact.path: one.pact for one in planned}
    descriptions = sorted({one.interaction.description for one in planned})
    planned_all = sum(len(pact.interactions) for pact in pacts.values()) == len(planned)
    return Job(
        provider=name,
        port=port,
        pacts=[str(_written(folder / f"{number}.json", pacts[path])) for number, path in enumerate(sorted(pacts))],
        descriptions=None if planned_all or not _is_filter(descriptions) else descriptions,
        states_path=provider.states,
        messages_path=provider.messages,
        answer_within_s=provider.answer_within_s,
    )


def _read_answer(stdout: bytes) -> Answered | None:
    """What the worker wrote, or None when that is not a result."""
    try:
        answer = json.loads(stdout)
        return Answered(
            results=answer["results"].get("interactionResults") or [],
            calls=[Call(**{**call, "kind": CallKind(call["kind"])}) for call in answer["calls"]],
            heard=[Heard(**one) for one in answer["answers"]],
            service_tail=(),
            service_exit_code=None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_results(
    name: str, provider: Provider, answered: Answered, planned: Sequence[PlannedInteraction]
) -> Iterator[CaseResult]:
    """One result for each planned interaction; results of one description are taken in the file's order."""
    by_key: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for result in answered.results:
        by_key[str(result.get("consumer")), str(result.get("description"))].append(result)
    for one in planned:
        waiting = by_key[one.pact.consumer, one.interaction.description]
        outcome = waiting.pop(0) if waiting else None
        findings = tuple(_findings(name, provider, answered, one, outcome))
        duration = str(outcome.get("duration", "")) if outcome else ""
        seen = tuple(dict.fromkeys(_sent(answered, one)))
        yield CaseResult(case=one.case, findings=findings, duration_s=_seconds(duration), states=seen)


def _sent(answered: Answered, one: PlannedInteraction) -> Iterator[StateSeen]:
    """In which states the provider sent the fields of an interaction."""
    for heard in answered.heard:
        yield from of_answer(one.pact, one.interaction, heard.method, heard.path, heard.status, heard.body)
    for call in answered.calls:
        if call.kind is CallKind.MESSAGE and call.succeeded and call.name == one.interaction.description:
            yield from of_message(one.pact, one.interaction, call.body)


def _findings(
    name: str, provider: Provider, answered: Answered, one: PlannedInteraction, outcome: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """What is amiss with one interaction, given its result."""
    if outcome is not None and outcome is answered.killer:
        yield _died(name, answered, one)
        return
    missing = outcome is None or (outcome.get("result") != "OK" and answered.killer and not _mismatches(outcome))
    if outcome is None or missing:
        yield _not_run(name, answered, one)
        return
    amiss = (*_state_findings(name, provider, answered, one), *_message_findings(name, provider, answered, one))
    if outcome.get("result") != "OK" and (not amiss or _mismatches(outcome)):
        yield _failed(name, provider, answered, one, outcome)
    yield from amiss


def _died(name: str, answered: Answered, one: PlannedInteraction) -> Finding:
    return finding(
        "PROVIDER_DIED",
        one.pact.subject(one.interaction),
        f"{name} ended with exit code {answered.service_exit_code} while '{one.interaction.description}' was verified",
        fix=verify_one(name, one.interaction.description),
        location=one.pact.locate(one.interaction),
        evidence=_printed(name, answered.service_tail),
    )


def _not_run(name: str, answered: Answered, one: PlannedInteraction) -> Finding:
    description = one.interaction.description
    if answered.killer:
        message = f"'{description}' could not be verified: {name} had ended"
        fix = f"mend what ended {name} first"
    else:
        message = f"the verifier did not run '{description}' against {name}"
        fix = "see what it printed; give it a plain, unique description and a type that Pact's verifier knows"
    printed = Output(label="the verifier printed", lines=answered.verifier_tail)
    return finding(
        "INTERACTION_NOT_RUN",
        one.pact.subject(one.interaction),
        message,
        fix=fix,
        location=one.pact.locate(one.interaction),
        evidence=(printed,) if answered.verifier_tail and not answered.killer else (),
    )


def _endpoint_missing(name: str, setting: str, path: str) -> str:
    table = f"[participants.{key(name)}.provider]"
    return f'let {name} answer at such a path, and name it in {table} of counterfoil.toml: {setting} = "/_pact/{path}"'


def _state_findings(name: str, provider: Provider, answered: Answered, one: PlannedInteraction) -> Iterator[Finding]:
    """Provider states of this interaction that were not set up, or not torn down."""
    wanted = {(state.name, state.params) for state in one.interaction.states}
    for call in answered.calls:
        if call.kind is not CallKind.STATE or call.succeeded or (call.name, call.params) not in wanted:
            continue
        unknown = call.status == HTTPStatus.NOT_FOUND
        yield finding(
            "STATE_UNKNOWN" if unknown else "STATE_FAILED",
            f"{one.pact.subject(one.interaction)}::{call.name}",
            f"{name} does not know the provider state '{call.name}'"
            if unknown
            else f"the {call.action} of provider state '{call.name}' failed in {name}",
            fix=f"teach {name}'s provider-state handler '{call.name}' ({provider.states})"
            if provider.states
            else _endpoint_missing(name, "states", "provider-states"),
            location=one.pact.locate(one.interaction),
            evidence=_answer(call),
        )
        return


def _message_findings(name: str, provider: Provider, answered: Answered, one: PlannedInteraction) -> Iterator[Finding]:
    """A message that the provider did not emit when it was asked to."""
    description = one.interaction.description
    for call in answered.calls:
        if call.kind is CallKind.MESSAGE and call.name == description and not call.succeeded:
            yield finding(
                "MESSAGE_NOT_EMITTED",
                one.pact.subject(one.interaction),
                f"{name} emitted nothing when asked for '{description}'",
                fix=f"let {name}'s message endpoint ({provider.messages}) run the code that emits it"
                if provider.messages
                else _endpoint_missing(name, "messages", "messages"),
                location=one.pact.locate(one.interaction),
                evidence=_answer(call),
            )
            return


def _answer(call: Call) -> tuple[Output, ...]:
    label = "it answered" if call.status is None else f"it answered {call.status}"
    return (Output(label=label, lines=(call.error,)),) if call.error else ()


def _failed(
    name: str, provider: Provider, answered: Answered, one: PlannedInteraction, result: Mapping[str, Any]
) -> Finding:
    mismatches = _mismatches(result)
    error = str((result.get("mismatch") or {}).get("message", "")) or "the verifier gave no reason"
    slow = not mismatches and _seconds(str(result.get("duration", ""))) >= provider.answer_within_s
    if slow:
        message = f"{name} gave no answer within {provider.answer_within_s:g} s"
    elif mismatches:
        message = f"{name} does not answer what {one.pact.consumer} expects"
    else:
        message = f"{name} could not be asked: {error}"
    return finding(
        "PROVIDER_TIMED_OUT" if slow else "INTERACTION_FAILED",
        one.pact.subject(one.interaction),
        message,
        fix=verify_one(name, one.interaction.description),
        location=one.pact.locate(one.interaction),
        evidence=(*mismatches, *(_printed(name, answered.service_tail) if _explains(mismatches) else ())),
    )


def _mismatches(result: Mapping[str, Any]) -> tuple[Mismatch, ...]:
    """What differs, in an order of our own: the verifier's changes from run to run."""
    entries = (result.get("mismatch") or {}).get("mismatches") or ()
    return tuple(sorted(map(_mismatch, entries), key=lambda mismatch: (mismatch.path, mismatch.message)))


def _explains(mismatches: Sequence[Mismatch]) -> bool:
    """Whether what the participant printed may tell the reason: it answered with an error of its own, or not at all."""
    statuses = [mismatch.actual for mismatch in mismatches if mismatch.path == "status"]
    return not mismatches or any(status.startswith("5") for status in statuses)


def _mismatch(entry: Mapping[str, Any]) -> Mismatch:
    kind = str(entry.get("type", ""))
    message = str(entry.get("mismatch", ""))
    places = {"StatusMismatch": "status", "MethodMismatch": "method", "HeaderMismatch": f"header {entry.get('key')}"}
    return Mismatch(
        path=places.get(kind) or str(entry.get("path") or entry.get("key") or "$"),
        expected=_shown(entry.get("expected")) or _told_in(message, ("as null (Null)", "to null (Null)")),
        actual=_shown(entry.get("actual")) or _told_in(message, ("Expected null (Null)",)),
        message=message[:VALUE_SHOWN_CHARS],
    )


def _told_in(message: str, phrases: Sequence[str]) -> str:
    """What an empty text stands for: the verifier shows null as nothing where the other side is an object or array."""
    return "null" if any(phrase in message for phrase in phrases) else ""


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:VALUE_SHOWN_CHARS]


DURATION = re.compile(r"([\d.]+)\s*(ns|us|µs|ms|s|m|h)")
UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    """The verifier's durations: `32ms`, `2.031s`, `2m 7s 44ms`."""
    return sum(float(number) * UNIT_S[unit] for number, unit in DURATION.findall(text))
