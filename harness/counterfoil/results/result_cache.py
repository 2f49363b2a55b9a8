"""Results of earlier runs, kept under everything that they depend on: while none of that changes, they are reused.

A result that could not be proven is not kept. A file that is damaged, cut off, of another version or not ours holds
nothing; one that two processes write at once holds what the later of them knew. None of that changes a verdict.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import msgspec

from counterfoil.core.rules import finding
from counterfoil.core.workspace import Workspace
from counterfoil.model import Case, CaseResult, Finding, Level, Output, PayloadWitness, StateSeen, Verdict
from counterfoil.runs.finding_values import as_values, from_values
from counterfoil.system.files import replace_file
from counterfoil.system.processes import Processes

HEADER = b"counterfoil results 1 sha256:"
"""With the digest of all that follows, the first line of each file."""
MAX_FILE_BYTES = 64 * 1024 * 1024
ENTRIES_KEPT = 10_000
REUSED = "reused: nothing changed since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Whether results of earlier runs count, and what part of those that do is judged again, to compare."""

    enabled: bool = True
    audited_percent: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a judgement found."""

    findings: tuple[Finding, ...] = ()
    note: str = ""
    states: tuple[StateSeen, ...] = ()

    @classmethod
    def of(cls, result: CaseResult) -> Judged:
        """A case's result, without the case."""
        return cls(findings=result.findings, note=result.note, states=result.states)

    def result(self, case: Case, duration_s: float) -> CaseResult:
        """As what became of a case."""
        return CaseResult(case=case, findings=self.findings, duration_s=duration_s, note=self.note, states=self.states)

    @property
    def is_proven(self) -> bool:
        """Whether nothing in it says that something could not be judged."""
        return all(found.level is not Level.UNPROVEN for found in self.findings)

    @property
    def reused(self) -> Judged:
        """The same, with a note that it is not of this run."""
        return replace(self, note=", ".join(filter(None, [self.note, REUSED])))

    def compared_with(self, kept: Judged, subject: str) -> Judged:
        """The same, and that it is not what was kept, if it is not."""
        then, now = (sorted(_told(one) for one in judged.findings) for judged in (kept, self))
        if then == now:
            return self
        found = finding(
            "CACHE_MISMATCH",
            subject,
            "a kept result was to be reused, and judged again it is another",
            fix="name in counterfoil.toml what it depends on ('inputs' of the participant or stub); "
            "until then: --no-cache",
            evidence=(
                Output(label="kept", lines=tuple(then) or (str(Verdict.COMPATIBLE),)),
                Output(label="judged again", lines=tuple(now) or (str(Verdict.COMPATIBLE),)),
            ),
        )
        return replace(self, findings=(*self.findings, found))


def _beside(fresh: CaseResult, kept: Judged | None) -> CaseResult:
    """A result beside the one that was kept, if it was judged again for that."""
    if kept is None:
        return fresh
    return replace(fresh, findings=Judged.of(fresh).compared_with(kept, fresh.case.id).findings)


def _reused(case: Case, kept: Judged) -> CaseResult:
    return kept.reused.result(case, 0.0)


def _told(found: Finding) -> str:
    return f"{found.rule} {found.subject}: {found.message}"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    findings: tuple[dict[str, Any], ...]
    note: str
    states: tuple[StateSeen, ...]
    witnesses: dict[str, str]
    """The digests of the files that the findings name, by their paths in the workspace."""


class ResultCache:
    """The kept results of one workspace. Each file of it, a shelf, holds those of one provider, stub or lane."""

    def __init__(self, workspace: Workspace, processes: Processes, reuse: Reuse) -> None:
        self._workspace = workspace
        self._processes = processes
        self._folder = workspace.state_dir / "results"
        self._reuse = reuse

    def get(self, shelf: str, keys: Iterable[str]) -> dict[str, Judged]:
        """What is kept under these keys, as far as it can be read."""
        if not self._reuse.enabled:
            return {}
        entries = _read(self._path(shelf))
        found = {key: _judged(entries[key]) for key in keys if key in entries}
        return {key: kept[0] for key, kept in found.items() if kept and self._are_whole(kept[1])}

    def put(self, shelf: str, results: Mapping[str, Judged], judged_again: Collection[str] = ()) -> None:
        """Keep results, and of the older ones only the latest. What was found once processes were stopped is none.

        Of the keys `judged_again`, what was kept before is dropped: an audit may have contradicted it.
        """
        if not (results or judged_again) or not self._reuse.enabled or self._processes.stopped.is_set():
            return
        path = self._path(shelf)
        entries = {key: entry for key, entry in _read(path).items() if key not in {*results, *judged_again}}
        entries |= {key: _values(judged) | {"witnesses": self._digests(judged)} for key, judged in results.items()}
        latest = dict(list(entries.items())[-ENTRIES_KEPT:])
        body = json.dumps(latest).encode()
        with contextlib.suppress(OSError):  # what cannot be kept is judged again
            replace_file(path, HEADER + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def audited(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys whose results are judged again nevertheless: chosen by chance, at least one."""
        if not self._reuse.audited_percent:
            return frozenset()
        number = min(len(keys), ceil(len(keys) * self._reuse.audited_percent / 100))
        return frozenset(random.sample(sorted(keys), number))

    def reused_or_judged(
        self, shelf: str, subject: str, key_of: Callable[[], str | None], judge: Callable[[], Judged]
    ) -> Judged:
        """One result: the kept one, or one that is found now. `key_of` is None where something is not known."""
        key = key_of() if self._reuse.enabled else None
        if key is None:
            return judge()
        kept = self.get(shelf, [key]).get(key)
        if kept and not self.audited([key]):
            return kept.reused
        fresh = judge()
        # If anything changed meanwhile, such as the witnesses that it saved, nothing was judged under the new key.
        is_kept = fresh.is_proven and key_of() == key
        self.put(shelf, {key: fresh} if is_kept else {}, [key] if kept else [])
        return fresh.compared_with(kept, subject) if kept else fresh

    def each_reused_or_judged(
        self,
        shelf: str,
        cases: Sequence[Case],
        keys_of: Callable[[], Sequence[str | None]],
        judge: Callable[[Sequence[int]], Iterable[CaseResult]],
        *,
        together: bool = False,
    ) -> list[CaseResult]:
        """A result for each case. `judge` takes the places of those of which none is kept, and gives theirs.

        `together`: what is said of one may depend on which others are judged with it, so it is all of them or none.
        """
        keys = keys_of() if self._reuse.enabled else [None] * len(cases)
        kept = self.get(shelf, filter(None, keys))
        audited = self.audited(kept)
        rest = [number for number, one in enumerate(keys) if one is None or one not in kept or one in audited]
        if together and rest:
            rest = list(range(len(cases)))
        fresh = dict(zip(rest, judge(rest), strict=True)) if rest else {}
        if any(keys[number] for number in rest):
            after = keys_of()
            # What changed while it was judged may or may not have been judged.
            unchanged = {one: fresh[number] for number in rest if (one := keys[number]) and one == after[number]}
            self.put(
                shelf,
                {one: Judged.of(result) for one, result in unchanged.items() if result.verdict is Verdict.COMPATIBLE},
                [one for number in rest if (one := keys[number]) in kept],
            )
        return [
            _beside(fresh[number], kept[one] if one in audited else None)
            if number in fresh
            else _reused(case, kept[one or ""])
            for number, (case, one) in enumerate(zip(cases, keys, strict=True))
        ]

    def _path(self, shelf: str) -> Path:
        """Names of participants come from the configuration, and need not be names of files."""
        return self._folder / f"{hashlib.sha256(shelf.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"

    def _digests(self, judged: Judged) -> dict[str, str]:
        """What is in the witnesses that it names."""
        evidence = (one for found in judged.findings for one in found.evidence)
        paths = {one.path for one in evidence if isinstance(one, PayloadWitness)} - {""}
        return {path: self._digest(path) for path in sorted(paths)}

    def _digest(self, path: str) -> str:
        """Of a file of the workspace; empty where it cannot be read."""
        try:
            return hashlib.sha256(self._workspace.path(path).read_bytes()).hexdigest()
        except OSError:
            return ""

    def _are_whole(self, witnesses: Mapping[str, str]) -> bool:
        """Whether the witnesses that a result names are still there, as they were written."""
        return all(digest and self._digest(path) == digest for path, digest in witnesses.items())


def _read(path: Path) -> dict[str, Any]:
    """The entries of a file; none when it is not what `put` wrote."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:  # reading a pipe or device might never end
            return {}
        head, _, body = path.read_bytes().partition(b"\n")
        entries = json.loads(body) if head == HEADER + hashlib.sha256(body).hexdigest().encode() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _judged(values: object) -> tuple[Judged, Mapping[str, str]] | None:
    """A result, and the digests of its witnesses."""
    try:
        entry = msgspec.convert(values, _Entry)
        judged = Judged(findings=tuple(map(from_values, entry.findings)), note=entry.note, states=entry.states)
    except msgspec.ValidationError:
        return None
    return judged, entry.witnesses


def _values(judged: Judged) -> dict[str, object]:
    states = [
        {name: getattr(one, name) for name in ("contract", "field", "participant", "state", "result")}
        for one in judged.states
    ]
    return {"findings": [as_values(found) for found in judged.findings], "note": judged.note, "states": states}
