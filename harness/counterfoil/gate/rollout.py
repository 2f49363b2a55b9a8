"""Several deployments after one another: while they last, old and new run side by side. Which goes first?

A participant may go before another only where its new version fits the other's old ones: both serve until the other
follows. So each pair that does not fit makes a precedence, and an order is a topological order of the precedences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import permutations

from counterfoil.gate import commands
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.reasons import Reason
from counterfoil.model import Verdict

Objections = Callable[[VersionRef, str], tuple[Reason, ...]]
"""What stands against a new version while another participant has only its old versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedence:
    """`first` is to be deployed before `second`: the new `second` and the old `first` do not fit, for these reasons."""

    first: VersionRef
    second: VersionRef
    reasons: tuple[Reason, ...]

    @property
    def is_broken(self) -> bool:
        """Whether they are known not to fit, rather than not known to fit."""
        return any(reason.verdict is Verdict.BROKEN for reason in self.reasons)

    @property
    def is_first_deployment(self) -> bool:
        """Whether all that is wrong is that no `first` was ever there: in another order, nothing that runs breaks."""
        return all(reason.rule == "PROVIDER_NOT_DEPLOYED" for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """In which order to deploy; `order` is None where none works. Without precedences any order does.

    Of participants that need each other and were never deployed, one has to be the first: that is no reason against it.
    """

    order: tuple[VersionRef, ...] | None
    precedences: tuple[Precedence, ...]

    @property
    def is_broken(self) -> bool:
        """Whether every order is known to break something, rather than not being proven."""
        versions = {version for one in self.precedences for version in (one.first, one.second)}
        return _ordered(versions, [one for one in self.precedences if one.is_broken]) is None


def plan_rollout(new: Mapping[str, VersionRef], objections: Objections) -> Rollout:
    """The order for the new versions, one of each participant."""
    precedences = tuple(
        Precedence(first=new[first], second=new[second], reasons=reasons)
        for second, first in permutations(sorted(new), 2)
        if (reasons := objections(new[second], first))
    )
    firm = [one for one in precedences if not one.is_first_deployment]
    order = _ordered(new.values(), precedences) or _ordered(new.values(), firm)
    return Rollout(order=order, precedences=precedences)


def _ordered(versions: Iterable[VersionRef], precedences: Iterable[Precedence]) -> tuple[VersionRef, ...] | None:
    sorter: TopologicalSorter[VersionRef] = TopologicalSorter(dict.fromkeys(sorted(versions), ()))
    for one in precedences:
        sorter.add(one.second, one.first)
    try:
        return tuple(sorter.static_order())
    except CycleError:
        return None


def of_rollout(rollout: Rollout) -> Reason:
    """The reason that no order works: whichever goes first meets an old version that it does not fit."""
    told = "; ".join(f"{one.second} before {one.first}: {one.reasons[0].message}" for one in rollout.precedences)
    versions = sorted({version for one in rollout.precedences for version in (one.first, one.second)})
    return Reason(
        rule="ROLLOUT_BROKEN" if rollout.is_broken else "ROLLOUT_UNPROVEN",
        subject=" + ".join(map(str, versions)),
        message=f"old and new run side by side for a while, and whichever goes first does not fit: {told}",
        next=next((one.reasons[0].next for one in rollout.precedences), commands.matrix([])),
    )
