"""Verifications that need not run: the interaction, its provider and Counterfoil are what they were when it held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from counterfoil.model import CaseResult
from counterfoil.plan import PlannedInteraction
from counterfoil.result_cache import Judged, ResultCache
from counterfoil.result_keys import key, provider_identity
from counterfoil.workspace import Workspace

Verify = Callable[[Sequence[PlannedInteraction]], Sequence[CaseResult]]


class VerificationReuse:
    """Reuses what held, and verifies the rest. Only results without any finding are kept."""

    def __init__(self, workspace: Workspace, cache: ResultCache) -> None:
        self._workspace = workspace
        self._cache = cache

    def verified(self, name: str, planned: Sequence[PlannedInteraction], verify: Verify) -> Sequence[CaseResult]:
        """A result for each planned interaction with one provider."""
        shelf, keys = f"verify {name}", self._keys(name, planned)
        kept = self._cache.get(shelf, filter(None, keys))
        audited = self._cache.audited(kept)
        rest = [number for number, found in enumerate(keys) if found is None or found not in kept or found in audited]
        fresh = dict(zip(rest, verify([planned[number] for number in rest]), strict=True)) if rest else {}
        if any(keys[number] for number in rest):
            # What changed while the provider ran may or may not have been what it ran with.
            held = [number for number, after in enumerate(self._keys(name, planned)) if after == keys[number]]
            proven = [number for number in held if number in fresh and not fresh[number].findings]
            self._cache.put(shelf, {one: Judged.of(fresh[number]) for number in proven if (one := keys[number])})
        return [
            _compared(fresh[number], kept.get(keys[number] or ""))
            if number in fresh
            else CaseResult(case=one.case, note=kept[keys[number] or ""].reused.note)
            for number, one in enumerate(planned)
        ]

    def _keys(self, name: str, planned: Sequence[PlannedInteraction]) -> list[str | None]:
        """The key of each interaction of which everything is known."""
        provider = provider_identity(self._workspace, name)
        # Of two interactions of one name a result cannot be told from the other's.
        names = Counter((one.pact.consumer, one.interaction.description) for one in planned)
        return [
            key("verify", provider, one.pact.consumer, one.pact.context, one.interaction.digest)
            if provider
            and one.pact.context
            and one.interaction.digest
            and names[one.pact.consumer, one.interaction.description] == 1
            else None
            for one in planned
        ]


def _compared(fresh: CaseResult, kept: Judged | None) -> CaseResult:
    """A result beside the one that was kept, if it was judged again for that."""
    if kept is None:
        return fresh
    return replace(fresh, findings=Judged.of(fresh).compared_with(kept, fresh.case.id).findings)
