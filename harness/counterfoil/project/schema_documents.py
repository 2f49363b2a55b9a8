"""The OpenAPI documents and JSON Schemas that participants name, and what no interaction shows of what they allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from counterfoil.allowance.described import NotDescribed, never_shown_of
from counterfoil.allowance.links import PlannedReading
from counterfoil.allowance.shown import PARTS, NeverShown
from counterfoil.allowance.suggestion import interaction_to_add
from counterfoil.core.pacts import Json
from counterfoil.core.rules import finding
from counterfoil.core.toml_tables import key
from counterfoil.core.workspace import Workspace
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Location, Output

MAX_BYTES = 16 * 1024 * 1024


class SchemaDocuments:
    """The documents of one workspace, each read once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._read: dict[str, Json | UsageError] = {}
        self._told: dict[str, tuple[NeverShown | NotDescribed, ...]] = {}

    def findings(self, planned: PlannedReading, language: str) -> Iterator[Finding]:
        """What is to be said of one body, with an interaction to paste in the language of its reader."""
        pact, provider = planned.pact, self._workspace.settings.participants.get(planned.pact.provider)
        if provider is None or not provider.schemas or planned.body.part not in PARTS:
            return
        files = dict.fromkeys(one.file for one in provider.schemas)
        with self._lock:
            documents = {file: self._document(file) for file in files}
            if pact.path not in self._told:
                read = {file: one for file, one in documents.items() if not isinstance(one, UsageError)}
                self._told[pact.path] = tuple(never_shown_of(self._workspace.settings, pact, read))
        for file, error in documents.items():
            if isinstance(error, UsageError):
                yield _not_described(file, f"{error.what}: {error.why}", Location(path=file), error.fix)
        for one in self._told[pact.path]:
            if one.interaction != planned.interaction:
                continue
            yield not_shown(planned, one, language) if isinstance(one, NeverShown) else _untold(planned, one)

    def _document(self, file: str) -> Json | UsageError:
        if file not in self._read:
            try:
                self._read[file] = read_document(self._workspace, file)
            except UsageError as error:
                self._read[file] = error
        return self._read[file]


def not_shown(planned: PlannedReading, one: NeverShown, language: str) -> Finding:
    """A state that the schema of what is read allows, with the interaction that would show it."""
    description = f"{one.interaction.description}, {one.field} {one.state}"
    lines = interaction_to_add(language, one.interaction, description, one.example)
    return finding(
        "STATE_NOT_SHOWN",
        f"{planned.pact.pair}::{one.subject}",
        f"{one.grounds}, and no interaction says what {planned.reader} does when `{one.field}` is {one.state}",
        fix=f"add an interaction for this state to {planned.pact.consumer}'s contract tests, or waive it",
        location=planned.pact.locate(one.interaction),
        evidence=(Output(label="for example", lines=lines),),
    )


def _untold(planned: PlannedReading, one: NotDescribed) -> Finding:
    subject = f"{planned.pact.pair}::{one.interaction.description} ({planned.body.part}) {one.place}"
    provider = key(planned.pact.provider)
    what = f"of {one.place} of the {planned.body.part} of '{one.interaction.description}'"
    return _not_described(
        subject,
        f"{one.file} does not tell the states {what}: {one.reason}",
        planned.pact.locate(one.interaction),
        f"describe it in {one.file}, or name a document that does in [[participants.{provider}.schemas]] "
        "of counterfoil.toml, with the interactions that it is for",
    )


def _not_described(subject: str, message: str, location: Location, fix: str) -> Finding:
    return finding("BODY_NOT_DESCRIBED", subject, message, fix=fix, location=location)


def read_document(workspace: Workspace, file: str) -> Json:
    """An OpenAPI document or a JSON Schema. Raises UsageError for what is neither JSON nor YAML, or too large."""
    data = _read(workspace.path(file), file)
    if file.endswith(".json"):
        try:
            found: Json = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"'{file}' is not JSON", where=file, why=str(error), fix=f"correct {file}") from None
        return found
    from counterfoil.core import yaml_documents  # noqa: PLC0415  (few need it, and it takes its time)

    try:
        return yaml_documents.parse(data)
    except yaml_documents.NotJsonError as error:
        raise UsageError(f"'{file}' is not YAML", where=file, why=str(error), fix=f"correct {file}") from None


def _read(path: Path, file: str) -> bytes:
    try:
        size = path.stat().st_size if path.is_file() else None
        if size is not None and size <= MAX_BYTES:
            return path.read_bytes()
        why = "there is no such file" if size is None else f"it has more than {MAX_BYTES // 1024 // 1024} MiB"
    except OSError as error:
        why = error.strerror or str(error)
    raise UsageError(
        f"cannot read '{file}'", where=file, why=why, fix=f"correct schemas of counterfoil.toml, or {file}"
    )
