"""Pact files as values: reading them, and finding what makes a green verification prove nothing. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from counterfoil.core.command_lines import command_line
from counterfoil.core.rules import finding
from counterfoil.errors import UsageError
from counterfoil.model import Finding, Location

MAX_PACT_BYTES = 64 * 1024 * 1024
KNOWN_SPECIFICATION = re.compile(r"V?[1-4](\.\d+){0,2}", re.IGNORECASE)
SHOWN_CHARS = 40

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class InteractionKind(StrEnum):
    """What an interaction exchanges."""

    HTTP = "http"
    MESSAGE = "message"
    SYNCHRONOUS_MESSAGE = "synchronous message"


V4_KINDS = {
    "Synchronous/HTTP": InteractionKind.HTTP,
    "Asynchronous/Messages": InteractionKind.MESSAGE,
    "Synchronous/Messages": InteractionKind.SYNCHRONOUS_MESSAGE,
}


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider state with its parameters, as canonical JSON so that states compare and hash."""

    name: str
    params: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One example of an exchange; `parts` are its request, response or message contents as the file has them."""

    description: str
    kind: InteractionKind
    states: tuple[ProviderState, ...]
    line: int | None
    parts: tuple[tuple[str, dict[str, Json]], ...]
    comments: Json = None
    """What V4 lets a consumer note down beside it."""
    digest: str = ""
    """Of everything that the file says of it; empty where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pact:
    """A pact file; `path` is relative to the workspace."""

    path: str
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]
    specification: str = ""
    """The version of Pact's specification that the file names; empty where it names none, which is V1 or V2."""
    context: str = ""
    """The digest of what the file says beside its interactions; empty where that is not known."""
    source: bytes = field(default=b"", repr=False, compare=False)
    """The file as it was read: what is judged is this, whatever becomes of the file meanwhile."""

    @property
    def pair(self) -> str:
        """For example `storefront→recommender`."""
        return f"{self.consumer}→{self.provider}"

    def locate(self, interaction: Interaction | None = None) -> Location:
        """Where the pact, or one of its interactions, is written."""
        return Location(path=self.path, line=interaction.line if interaction else None)

    def subject(self, interaction: Interaction) -> str:
        """The subject of findings about one interaction."""
        return f"{self.pair}::{interaction.description}"


def canonical(value: Json) -> str:
    """JSON text in which equal values are equal strings."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def parse_pact(path: str, data: bytes) -> Pact:
    """Read a pact of specification V2, V3 or V4. Raises UsageError with the position for anything else."""
    return read_document(path, data)[1]


def read_document(path: str, data: bytes) -> tuple[dict[str, Json], Pact]:
    """A pact with the document that it was read from. Raises UsageError as `parse_pact` does."""
    document = _parse_json(path, data)
    if not isinstance(document, dict):
        raise _not_a_pact(path, f"the document is {_kind_of(document)}, not an object")
    lines = _description_lines(data.decode("utf-8"))
    interactions = [
        _parse_interaction(path, entry, kind, lines, f"$.{section}[{index}]")
        for section, kind in (("interactions", InteractionKind.HTTP), ("messages", InteractionKind.MESSAGE))
        for index, entry in enumerate(_list_of(path, document, section))
    ]
    return document, Pact(
        path=path,
        consumer=_participant_name(path, document, "consumer"),
        provider=_participant_name(path, document, "provider"),
        interactions=tuple(interactions),
        specification=_specification(document),
        context=_digest({key: value for key, value in document.items() if key not in {"interactions", "messages"}}),
        source=data,
    )


def _digest(value: Json) -> str:
    """Of a part of a file; empty for one that is nested too deeply to be written again."""
    try:
        return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
    except RecursionError:
        return ""


def _specification(document: dict[str, Json]) -> str:
    """Writers have put the version in three places over the years."""
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    tables = [metadata.get(key) for key in ("pactSpecification", "pact-specification")]
    versions = [table.get("version") for table in tables if isinstance(table, dict)]
    found = next((one for one in (*versions, metadata.get("pactSpecificationVersion")) if one is not None), "")
    return str(found)


def _parse_json(path: str, data: bytes) -> Json:
    if len(data) > MAX_PACT_BYTES:
        raise _not_a_pact(path, f"the file has {len(data)} bytes, more than the {MAX_PACT_BYTES} that are read")
    try:
        value: Json = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _not_a_pact(path, f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        message = f"{error.msg} at column {error.colno}"
        raise _not_a_pact(path, message, line=error.lineno) from None
    except RecursionError:
        raise _not_a_pact(path, "the document is nested too deeply") from None
    except ValueError as error:  # NaN, or a number with more digits than Python converts
        raise _not_a_pact(path, str(error)) from None
    return value


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _not_a_pact(path: str, why: str, line: int | None = None) -> UsageError:
    where = path if line is None else f"{path}:{line}"
    return UsageError(
        f"'{path}' is not a pact file",
        where=where,
        why=why,
        fix=f"run the consumer's contract tests again ('counterfoil consume'), or remove {path}",
    )


def _kind_of(value: Json) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")


def _list_of(path: str, document: dict[str, Json], key: str) -> list[Json]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise _not_a_pact(path, f"$.{key} is {_kind_of(value)}, not an array")
    return value


def _participant_name(path: str, document: dict[str, Json], role: str) -> str:
    entry = document.get(role)
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise _not_a_pact(path, f"$.{role}.name is missing; a pact names its consumer and its provider")
    return name


def _parse_interaction(
    path: str, entry: Json, kind: InteractionKind, lines: dict[str, list[int]], where: str
) -> Interaction:
    if not isinstance(entry, dict):
        raise _not_a_pact(path, f"{where} is {_kind_of(entry)}, not an object")
    description = entry.get("description")
    if not isinstance(description, str) or not description:
        raise _not_a_pact(path, f"{where}.description is missing")
    declared = entry.get("type")
    if isinstance(declared, str):
        if declared not in V4_KINDS:
            raise _not_a_pact(path, f"{where}.type is '{declared}'; known: {', '.join(V4_KINDS)}")
        kind = V4_KINDS[declared]
    left = lines.get(description, [])
    return Interaction(
        description=description,
        kind=kind,
        states=tuple(_parse_states(entry)),
        line=left.pop(0) if left else None,
        parts=tuple(_parts(entry, kind)),
        comments=entry.get("comments"),
        digest=_digest(entry),
    )


def _parse_states(entry: dict[str, Json]) -> Iterator[ProviderState]:
    single = entry.get("providerState") or entry.get("provider_state")
    if isinstance(single, str):
        yield ProviderState(single)
    states = entry.get("providerStates")
    for state in states if isinstance(states, list) else []:
        if isinstance(state, dict) and isinstance(name := state.get("name"), str):
            yield ProviderState(name, canonical(state.get("params") or {}))


def _parts(entry: dict[str, Json], kind: InteractionKind) -> Iterator[tuple[str, dict[str, Json]]]:
    """The parts of an interaction that have a body; an asynchronous message is its own single part."""
    if kind is InteractionKind.MESSAGE:
        yield "message", entry
        return
    for name in ("request", "response"):
        value = entry.get(name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield name, part


DESCRIPTION = re.compile(r'"description"\s*:\s*("(?:[^"\\]|\\.)*")')


def _description_lines(text: str) -> dict[str, list[int]]:
    """Line numbers at which each description is written, in order; good enough to point a reader at it."""
    lines: dict[str, list[int]] = {}
    line, position = 1, 0
    for match in DESCRIPTION.finditer(text):
        line += text.count("\n", position, match.start())
        position = match.start()
        try:
            lines.setdefault(json.loads(match.group(1)), []).append(line)
        except json.JSONDecodeError:
            continue
    return lines


def lint_pact(pact: Pact) -> tuple[Finding, ...]:
    """What makes a green verification of this pact prove less than it seems to."""
    if not pact.interactions:
        return (
            finding(
                "PACT_EMPTY",
                pact.pair,
                f"the pact of {pact.consumer} with {pact.provider} has no interactions, so verifying it proves nothing",
                fix=f"run {pact.consumer}'s contract tests: {command_line('consume', '--participant', pact.consumer)}",
                location=pact.locate(),
            ),
        )
    return (*_unknown_specification(pact), *_duplicates(pact), *_arrays_without_min(pact))


def _unknown_specification(pact: Pact) -> Iterator[Finding]:
    """Matching rules are written differently in each version: read as another one, they may match everything."""
    if pact.specification and not KNOWN_SPECIFICATION.fullmatch(pact.specification):
        yield finding(
            "PACT_VERSION_UNKNOWN",
            pact.pair,
            f"the pact is of version '{pact.specification[:SHOWN_CHARS]}' of Pact's specification; "
            "1 to 4 are known, and read as another one its matching rules could be ignored",
            fix="correct metadata.pactSpecification.version, or write it anew: "
            + command_line("consume", "--participant", pact.consumer),
            location=pact.locate(),
        )


def _duplicates(pact: Pact) -> Iterator[Finding]:
    """Two interactions with one description: verifiers and reports cannot tell them apart."""
    counts = Counter(interaction.description for interaction in pact.interactions)
    for interaction in {one.description: one for one in pact.interactions if counts[one.description] > 1}.values():
        yield finding(
            "INTERACTION_DUPLICATED",
            pact.subject(interaction),
            f"{counts[interaction.description]} interactions are called '{interaction.description}'; "
            "a result for one cannot be told from a result for another",
            fix=f"give each a description of its own in {pact.consumer}'s contract tests",
            location=pact.locate(interaction),
        )


def lint_together(pacts: Iterable[Pact]) -> Iterator[Finding]:
    """What is amiss with several files: two that say the same of one pair."""
    first: dict[str, Pact] = {}
    for pact in pacts:
        for interaction in pact.interactions:
            other = first.setdefault(pact.subject(interaction), pact)
            if other is not pact:
                yield finding(
                    "INTERACTION_DUPLICATED",
                    pact.subject(interaction),
                    f"'{interaction.description}' stands in {other.path} and in {pact.path}",
                    fix=f"keep one of the two files of {pact.pair}",
                    location=pact.locate(interaction),
                )


def _arrays_without_min(pact: Pact) -> Iterator[Finding]:
    """An array matched by type without `min` also matches `[]`, so nothing is said of its elements.

    A rule holds for everything below its path as far as no longer path has one of its own (Pact specification, V2,
    "Matchers": cascading and the weight of paths).
    """
    for interaction in pact.interactions:
        for part_name, part in interaction.parts:
            rules = [(steps_of(path), matchers) for path, matchers in _body_rules(part)]
            for path in dict.fromkeys(_arrays(_json_body(part), ())):
                matchers = _nearest_rule(rules, path)
                if any(_is_type_without_min(matcher) for matcher in matchers):
                    shown = "$" + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path)
                    yield finding(
                        "ARRAY_WITHOUT_MIN",
                        f"{pact.subject(interaction)}::{part_name} {shown}",
                        f"the array at {shown} of the {part_name} is matched by type without a minimum: "
                        "an empty array passes, whatever its elements should look like",
                        fix="ask for at least one element (eachLike(..., 1), each_like(..., min=1)), "
                        "and describe the empty array in an interaction of its own",
                        location=pact.locate(interaction),
                    )


Path = tuple[str, ...]


def _arrays(value: Json, path: Path) -> Iterator[Path]:
    """The paths of all arrays that have elements."""
    if isinstance(value, list) and value:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from _arrays(child, (*path, str(name)))


def _nearest_rule(rules: Iterable[tuple[Path, list[Json]]], path: Path) -> list[Json]:
    """The matchers of the longest rule path that leads to a place or above it, literal steps before wildcards."""
    fitting = [
        (len(steps), sum(step != "*" for step in steps), matchers)
        for steps, matchers in rules
        if len(steps) <= len(path) and all(step in {"*", at} for step, at in zip(steps, path, strict=False))
    ]
    return max(fitting, key=lambda one: one[:2], default=(0, 0, []))[2]


def _is_type_without_min(rule: Json) -> bool:
    return isinstance(rule, dict) and rule.get("match", "type") in {"type", "eachValue"} and not rule.get("min")


def _json_body(part: dict[str, Json]) -> Json:
    """The example body: V4 wraps it as `{content, contentType, encoded}`, messages call it `contents`."""
    body = part.get("body", part.get("contents"))
    if (
        isinstance(body, dict)
        and "content" in body
        and set(body) <= {"content", "contentType", "contentTypeHint", "encoded"}
    ):
        return None if body.get("encoded") else body["content"]
    return body


def _body_rules(part: dict[str, Json]) -> Iterator[tuple[str, list[Json]]]:
    """(path, matchers) of the body: V3 and V4 group them under `body`, V2 writes `$.body...` keys."""
    rules = part.get("matchingRules")
    if not isinstance(rules, dict):
        return
    grouped = rules.get("body")
    if isinstance(grouped, dict):
        for path, entry in grouped.items():
            matchers = entry.get("matchers") if isinstance(entry, dict) else None
            yield path, matchers if isinstance(matchers, list) else []
    for path, entry in rules.items():
        if path.startswith("$.body"):
            yield "$" + path.removeprefix("$.body"), [entry]


STEP = re.compile(r"\.([^.\[\]]+)|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*\"((?:[^\"\\]|\\.)*)\"\s*\]|\[\s*(\d+|\*)\s*\]")


def steps_of(path: str) -> Path:
    """The steps of a matching-rule path (`$.a['b'][*].c`), `*` for any."""
    found = STEP.findall(path.removeprefix("$"))
    return tuple(next(step for step in steps if step) for steps in found if any(steps))
