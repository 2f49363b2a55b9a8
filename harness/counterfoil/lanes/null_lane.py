"""The null lane: gives every payload that the pacts allow to the decoders that have to read it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from google.protobuf.descriptor import Descriptor

from counterfoil.allowance.exchanges import Exchange, Sender, Underived, exchanges
from counterfoil.allowance.links import PlannedReading, link_of
from counterfoil.allowance.reading import Judgement, Result, Trials, trials
from counterfoil.allowance.shown import never_shown
from counterfoil.allowance.states import derive
from counterfoil.allowance.telling import Part, cells, findings, not_derived, not_read, with_unread
from counterfoil.core.pacts import Json
from counterfoil.core.rules import finding
from counterfoil.core.toml_tables import key
from counterfoil.core.workspace import Settings, Workspace
from counterfoil.errors import UsageError
from counterfoil.lanes.decoder_trial import DecoderTrial
from counterfoil.model import CaseResult, Finding, Location, Output
from counterfoil.probe.payloads import VALUE
from counterfoil.probing.probe_stubs import stub_command
from counterfoil.probing.probed_schema import ProbedSchema, read_schema
from counterfoil.probing.stubs import Stub, StubStartError
from counterfoil.project.schema_documents import SchemaDocuments, not_shown
from counterfoil.system.processes import Processes


class NullLane:
    """Judges planned readings, those of one stub after another."""

    def __init__(self, processes: Processes, workspace: Workspace) -> None:
        self._processes = processes
        self._workspace = workspace
        self._lock = Lock()
        self._schema: ProbedSchema | None = None
        self._documents = SchemaDocuments(workspace)

    def judge(self, stub: str, readings: Sequence[PlannedReading]) -> Iterator[CaseResult]:
        """A result for each reading that is linked to this stub."""
        try:
            with Stub(self._processes, stub_command(self._workspace, stub)) as running:
                told: set[tuple[str, str]] = set()
                messages = dict.fromkeys(one.link.message for one in readings if one.link)
                decoders = {message: DecoderTrial(running, message) for message in messages if message}
                examples = _examples(self._workspace.settings, readings)
                for planned in readings:
                    message = planned.link.message or "" if planned.link else ""
                    result = self._judged(decoders.get(message), planned, examples)
                    key = (planned.pact.path, planned.link.message or "" if planned.link else "")
                    more = () if key in told else tuple(self._never_shown(running, planned))
                    told.add(key)
                    described = self._documents.findings(planned, running.description.language)
                    yield replace(result, findings=(*result.findings, *more, *described))
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

    def without_stub(self, planned: PlannedReading) -> CaseResult:
        """The result for a body that no stub reads."""
        result = without_stub(self._workspace.settings, planned)
        return replace(result, findings=(*result.findings, *self._documents.findings(planned, "")))

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
            yield not_shown(planned, one, stub.description.language)

    def _read_schema(self) -> ProbedSchema | None:
        """The configured schema, compiled once; None where there is none. A schema that does not compile raises."""
        with self._lock:
            settings = self._workspace.settings.schema
            if self._schema is None and settings is not None:
                self._schema = read_schema(self._processes, self._workspace, settings.dir)
            return self._schema

    def _declared(self, planned: PlannedReading) -> Descriptor | None:
        """The message of the schema that the decoder reads, where it reads one."""
        name = planned.link.message if planned.link else None
        try:
            schema = self._read_schema()
        except UsageError:
            return None  # It is told where the fields that are never shown are looked for.
        return schema.message(name) if schema and name in schema.messages else None

    def _judged(
        self, trial: DecoderTrial | None, planned: PlannedReading, examples: Mapping[Contents, Sequence[Json]]
    ) -> CaseResult:
        if isinstance(planned.body, Underived) or trial is None:
            return without_stub(self._workspace.settings, planned)
        started_s = time.monotonic()
        tried = trials(derive(planned.body), examples[_contents(planned)], self._declared(planned))
        judgements, missed = trial.judgements(tried)
        part, undecided = part_of(planned), list(tried.derivation.having(allowed=None))
        return CaseResult(
            case=planned.case,
            findings=(
                *findings(part, judgements),
                *not_read(part, missed),
                *not_derived(part, undecided, _whole(tried, judgements)),
                *_not_given(planned),
            ),
            duration_s=time.monotonic() - started_s,
            states=tuple(with_unread(cells(part, judgements, undecided), missed)),
        )


def _not_given(planned: PlannedReading) -> Iterator[Finding]:
    """What a contract leaves open and no decoder is given: the metadata of a message."""
    for name in planned.body.loose_metadata if isinstance(planned.body, Exchange) else ():
        yield finding(
            "METADATA_NOT_TRIED",
            f"{planned.case.id.partition('::')[2]} {name}",
            f"'{planned.interaction.description}' allows every '{name}' in its metadata that a matching rule takes, "
            "and a decoder is given the body alone",
            fix=f"leave out the matching rule if one '{name}' is meant; or test by hand what {planned.reader} makes of "
            "others, and waive this",
            location=planned.pact.locate(planned.interaction),
        )


def without_stub(settings: Settings, planned: PlannedReading) -> CaseResult:
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
        found = finding(
            "READER_UNKNOWN",
            planned.case.id.partition("::")[2],
            f"nothing says by which decoder {planned.reader} reads the {body.part} of "
            f"'{planned.interaction.description}', so that only its example is tested",
            fix=f"add [[participants.{key(planned.reader)}.decoders]] with "
            f'sender = "{part_of(planned).sender}" to counterfoil.toml',
            location=where,
            evidence=(Output(label="to add", lines=tuple(_to_add(settings, planned))),),
        )
    return CaseResult(
        case=planned.case, findings=(found,), states=(part_of(planned).cell("$", VALUE, Result.UNPROVEN),)
    )


def _to_add(settings: Settings, planned: PlannedReading) -> Iterator[str]:
    """The tables of counterfoil.toml that name a decoder, as far as they are not there."""
    reader = planned.reader
    own = [name for name, stub in settings.stubs.items() if stub.participant == reader]
    stub = own[0] if own else f"{reader}-stub"
    yield f"[[participants.{key(reader)}.decoders]]"
    yield f"sender = {json.dumps(part_of(planned).sender)}"
    yield f"interactions = [{json.dumps(planned.interaction.description)}]  # leave it out, and it is all of them"
    yield 'message = "NAME"  # under which the stub registers the decoder'
    yield f"stub = {json.dumps(stub)}  # without message and stub: the body is not looked at"
    if not own:
        yield f"[stubs.{key(stub)}]"
        yield f"participant = {json.dumps(reader)}"
        yield 'start = ["COMMAND"]  # see docs/stubs.md'


def part_of(planned: PlannedReading) -> Part:
    """What is read, for those who are told of it."""
    pact, body = planned.pact, planned.body
    sender = pact.provider if body.sender is Sender.PROVIDER else pact.consumer
    return Part(pact=pact, interaction=planned.interaction, name=body.part, sender=sender, reader=planned.reader)


def _whole(tried: Trials, judgements: Sequence[Judgement]) -> str:
    """Why not everything of a body was looked at, or ""."""
    if tried.derivation.places_left_out:
        return f"it has {tried.derivation.places_left_out} places more than are looked at"
    return "" if judgements else "not even its example is known to be allowed"


Contents = tuple[str, str, str]
"""A pact, a part of its interactions, and the decoder that reads it."""


def _contents(planned: PlannedReading) -> Contents:
    return planned.pact.path, planned.body.part, planned.link.message or "" if planned.link else ""


def _examples(settings: Settings, readings: Sequence[PlannedReading]) -> dict[Contents, list[Json]]:
    """All examples of what one decoder reads of one pact, whichever of them are to be judged."""
    found: dict[Contents, list[Json]] = {}
    for pact in {planned.pact.path: planned.pact for planned in readings}.values():
        for interaction in pact.interactions:
            for body in exchanges(interaction):
                link = link_of(settings, pact, interaction, body)
                if isinstance(body, Exchange):
                    contents = pact.path, body.part, link.message or "" if link else ""
                    found.setdefault(contents, []).append(body.example)
    return found
