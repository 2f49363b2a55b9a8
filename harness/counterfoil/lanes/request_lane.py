"""The provider's half of the null lane: sends every request that the contracts allow to the running provider.

A request is a finding only if its interaction's example is answered as the contract says, before and after it, and the
request is not, twice. Provider states are set up before each request and torn down after it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from counterfoil.allowance.links import PlannedTrial
from counterfoil.allowance.reading import Judgement, Result
from counterfoil.allowance.requests import Allowance, AllowedRequest, allowance_of, objection
from counterfoil.allowance.sightings import REQUEST, RESPONSE, absent_in_requests, examples_like, sent
from counterfoil.allowance.telling import Part, cells, findings, not_derived
from counterfoil.allowance.undecided import UndecidedError
from counterfoil.core.command_lines import verify_one
from counterfoil.core.pacts import Interaction, Json
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.model import CaseResult, Finding, Output
from counterfoil.probe.payloads import VALUE
from counterfoil.verifying import verification
from counterfoil.verifying.provider_client import Answered, Broken, ProviderClient, Silent
from counterfoil.verifying.services import Host, Service, StartError

MAX_LOST = 3
"""Requests of one interaction that may hang or end the provider; after them it is given up."""
BUDGET_S = 60.0
"""For the requests of one interaction."""
LAST_WORDS_S = 0.5
"""For a provider that breaks a connection to end."""
MAX_ANSWERS = 100
"""Different answers of one interaction whose fields are looked at."""
SETUP, TEARDOWN = "setup", "teardown"


class GivenUpError(Exception):
    """An interaction cannot be tried, or not to the end; `str()` says why."""


class RequestLane:
    """Tries planned interactions on one participant."""

    def __init__(self, workspace: Workspace, name: str, host: Host) -> None:
        self._workspace = workspace
        self._name = name
        self._host = host

    def judge(self, trials: Sequence[PlannedTrial]) -> Iterator[CaseResult]:
        """A result for each of them."""
        for planned in trials:
            try:
                yield self._judged(planned)
            except StartError as error:
                obstacle = verification.not_started(self._workspace, self._name, error)
                yield CaseResult(case=planned.case, findings=(obstacle,))

    def _judged(self, planned: PlannedTrial) -> CaseResult:
        started_s = time.monotonic()
        part = part_of(planned)
        judgements: list[Judgement] = []
        undecided = []
        given_up: tuple[Finding, ...] = ()
        whole = ""
        trial = _Trial(self._host, planned)
        try:
            allowance = allowance_of(planned.interaction)
            undecided = list(allowance.undecided)
            whole = f"{allowance.left_out} requests more are allowed than are sent" if allowance.left_out else ""
            for judgement in trial.judgements(allowance, started_s + BUDGET_S):
                judgements.append(judgement)  # noqa: PERF402  (what came before it is given up counts)
        except (UndecidedError, GivenUpError) as why:
            given_up = (_not_tried(part, str(why)),)
        absent = absent_in_requests(planned.pact, planned.interaction)
        states = tuple(cells(part, judgements, undecided, absent)) or (part.cell("$", VALUE, Result.UNPROVEN),)
        similar = examples_like(planned.pact, planned.interaction, RESPONSE)
        seen = dict.fromkeys(
            one for answer in trial.answers.values() for one in sent(planned.pact, RESPONSE, answer, similar)
        )
        return CaseResult(
            case=planned.case,
            findings=(*findings(part, judgements), *given_up, *not_derived(part, undecided, whole)),
            duration_s=time.monotonic() - started_s,
            states=(*states, *seen),
        )


def part_of(planned: PlannedTrial) -> Part:
    """The request, for those who are told of it."""
    pact = planned.pact
    return Part(
        pact=pact,
        interaction=planned.interaction,
        name=REQUEST,
        sender=pact.consumer,
        reader=pact.provider,
        failure="REQUEST_FAILED",
    )


def _not_tried(part: Part, why: str) -> Finding:
    description = part.interaction.description
    return finding(
        "REQUEST_NOT_TRIED",
        part.pact.subject(part.interaction),
        f"what else than its example '{description}' lets {part.sender} send was not all tried: {why}",
        fix=verify_one(part.reader, description),
        location=part.pact.locate(part.interaction),
    )


class _Trial:
    """The requests of one interaction."""

    def __init__(self, host: Host, planned: PlannedTrial) -> None:
        self._host = host
        self._interaction = planned.interaction
        self._lost = 0
        self.answers: dict[bytes, Json] = {}
        """Different bodies that were answered as the contract says."""

    def judgements(self, allowance: Allowance, until_s: float) -> Iterator[Judgement]:
        """A judgement of the example and of each other request. Raises GivenUpError, and StartError."""
        self._hold_the_example(allowance, "its very example")
        for item in allowance.places:
            yield Judgement(allowed=AllowedRequest(allowance.example.request, (item,)), result=Result.PROVEN)
        for allowed in allowance.others:
            if time.monotonic() > until_s:
                raise GivenUpError(f"{BUDGET_S:g} s were not enough")
            judgement = self._tried(allowed)
            if judgement.result is not Result.PROVEN:
                self._hold_the_example(allowance, "after others its example")
                judgement = self._tried(allowed)
            yield judgement
            if self._lost >= MAX_LOST:
                raise GivenUpError(f"{self._lost} requests hung or ended it")

    def _hold_the_example(self, allowance: Allowance, what: str) -> None:
        judgement = self._tried(allowance.example)
        if judgement.result is not Result.PROVEN:
            raise GivenUpError(f"{what} is not answered as the contract says: it {judgement.words}")

    def _tried(self, allowed: AllowedRequest) -> Judgement:
        provider, service = self._host.provider, self._host.service()
        client = ProviderClient(service.port, provider.answer_within_s)
        if problem := client.change_states(provider.states, self._interaction.states, SETUP):
            raise GivenUpError(problem)
        answer = client.send(allowed.request)
        if not isinstance(answer, Answered):
            return self._lost_on(allowed, answer, service)
        client.change_states(provider.states, self._interaction.states, TEARDOWN)
        judgement = _as_answered(self._interaction, allowed, answer, service.child.tail.lines)
        if judgement.result is Result.PROVEN and len(self.answers) < MAX_ANSWERS:
            with contextlib.suppress(ValueError, RecursionError):
                self.answers.setdefault(answer.body, json.loads(answer.body))
        return judgement

    def _lost_on(self, allowed: AllowedRequest, answer: Silent | Broken, service: Service) -> Judgement:
        """No answer came; whoever asks next starts the provider anew."""
        self._lost += 1
        words = f"gives no answer to it in {answer.after_s:g} s" if isinstance(answer, Silent) else ""
        if isinstance(answer, Broken):
            code = service.exit_code(LAST_WORDS_S)
            words = (
                f"closes the connection on it: {answer.reason}" if code is None else f"ends with exit code {code} on it"
            )
        self._host.stop()
        return Judgement(
            allowed=allowed, result=Result.REJECTED, words=words, evidence=_printed(service.child.tail.lines)
        )


def _as_answered(
    interaction: Interaction, allowed: AllowedRequest, answer: Answered, printed: Sequence[str]
) -> Judgement:
    try:
        words = objection(interaction, answer.status, answer.body, answer.headers)
    except UndecidedError as why:
        raise GivenUpError(str(why)) from None
    if not words:
        return Judgement(allowed=allowed, result=Result.PROVEN)
    answered = Output(label=f"it answered {answer.status}", lines=(answer.excerpt,))
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Judgement(allowed=allowed, result=Result.REJECTED, words=words, is_refusal=True, evidence=(answered,))
    return Judgement(allowed=allowed, result=Result.REJECTED, words=words, evidence=(answered, *_printed(printed)))


def _printed(lines: Sequence[str]) -> tuple[Output, ...]:
    return (Output(label="it printed", lines=tuple(lines[-verification.TAIL_SHOWN :])),) if lines else ()
