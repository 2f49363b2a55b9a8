"""What a run will judge: the cases, from the settings, the pact files and the user's selection. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from counterfoil.allowance.links import PlannedReading, PlannedTrial, plan_readings, plan_trials
from counterfoil.core.command_lines import command_line
from counterfoil.core.pacts import Interaction, Pact, lint_together
from counterfoil.core.rules import finding
from counterfoil.core.workspace import Settings
from counterfoil.errors import UsageError, nearest
from counterfoil.model import BREAKING, LINT, Case, Finding, Lane, Location, Shard

DIVERGENCES = "divergences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked for; empty means everything."""

    lanes: frozenset[Lane] = frozenset()
    participants: frozenset[str] = frozenset()
    keyword: str = ""
    """Cases whose id contains it, whatever the case of letters."""

    def covers(self, case: Case) -> bool:
        """Whether the case is to be judged."""
        return (
            self.judges(case.lane)
            and self.concerns(*case.participants)
            and self.keyword.casefold() in case.id.casefold()
        )

    def judges(self, *lanes: Lane) -> bool:
        """Whether any of these lanes is to be judged."""
        return not self.lanes or not self.lanes.isdisjoint(lanes)

    def concerns(self, *participants: str) -> bool:
        """Whether any of these participants is meant."""
        return not self.participants or not self.participants.isdisjoint(participants)

    @property
    def is_narrow(self) -> bool:
        """Whether the user left anything out."""
        return bool(self.lanes or self.participants or self.keyword)


@dataclass(frozen=True, slots=True)
class PlannedInteraction:
    """One interaction to verify, as a case."""

    case: Case
    interaction: Interaction
    pact: Pact


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that are judged together, under the name of the step that it takes."""

    name: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run will judge, and what is already known to be amiss."""

    pact_cases: tuple[tuple[Case, Pact], ...] = ()
    interactions: tuple[PlannedInteraction, ...] = ()
    schema_cases: tuple[Case, ...] = ()
    readings: tuple[PlannedReading, ...] = ()
    trials: tuple[PlannedTrial, ...] = ()
    probe_cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()
    left_out: tuple[Case, ...] = ()
    """Cases that no change can affect, where only what changed is judged."""
    shard: Shard | None = None
    """Which part this is; None: the whole."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases, in the order of the lanes."""
        return (
            *(case for case, _ in self.pact_cases),
            *(planned.case for planned in self.interactions),
            *self.schema_cases,
            *(planned.case for planned in self.readings),
            *(planned.case for planned in self.trials),
            *self.probe_cases,
        )

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers to start, each once."""
        pacts = [*(planned.pact for planned in self.interactions), *(planned.pact for planned in self.trials)]
        return tuple(dict.fromkeys(pact.provider for pact in pacts))

    def only(self, cases: Collection[Case]) -> Plan:
        """The plan of these cases; what is amiss with the plan itself stays with the whole."""
        return Plan(
            pact_cases=tuple(pair for pair in self.pact_cases if pair[0] in cases),
            interactions=tuple(planned for planned in self.interactions if planned.case in cases),
            schema_cases=tuple(case for case in self.schema_cases if case in cases),
            readings=tuple(planned for planned in self.readings if planned.case in cases),
            trials=tuple(planned for planned in self.trials if planned.case in cases),
            probe_cases=tuple(case for case in self.probe_cases if case in cases),
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """The cases that are judged together: on one start of a provider, by one stub that reads, or each alone."""
        together: dict[str, list[Case]] = {}
        for case, _ in self.pact_cases:
            together.setdefault(f"{case.lane} {case.name}", []).append(case)
        for planned in self.interactions:
            together.setdefault(f"{Lane.VERIFY} {planned.pact.provider}", []).append(planned.case)
        for case in self.schema_cases:
            together.setdefault(f"{case.lane} {case.name}", []).append(case)
        for reading in self.readings:
            together.setdefault(f"{Lane.NULLS} {reading.stub or ''}".strip(), []).append(reading.case)
        for trial in self.trials:
            together.setdefault(f"{Lane.VERIFY} {trial.pact.provider}", []).append(trial.case)
        for case in self.probe_cases:
            together.setdefault(str(case.lane), []).append(case)
        return tuple(Group(name, tuple(cases)) for name, cases in together.items())

    def interactions_of(self, provider: str) -> tuple[PlannedInteraction, ...]:
        """What is to be verified against one provider."""
        return tuple(planned for planned in self.interactions if planned.pact.provider == provider)

    def trials_of(self, provider: str) -> tuple[PlannedTrial, ...]:
        """What is to be tried on one provider."""
        return tuple(planned for planned in self.trials if planned.pact.provider == provider)


def make_plan(settings: Settings, pacts: Iterable[Pact], selection: Selection) -> Plan:
    """The plan of a run. Raises UsageError for a participant that nobody knows."""
    pacts = tuple(pacts)
    _check_participants(settings, pacts, selection)
    pact_cases = [(_pact_case(pact), pact) for pact in pacts]
    interactions = [_planned(interaction, pact) for pact in pacts for interaction in pact.interactions]
    schema = settings.schema
    schema_cases = (
        [Case(lane=Lane.SCHEMA, subject=schema.dir, name=name) for name in (LINT, BREAKING)] if schema else []
    )
    # Without a stub of its own, a workspace has nothing to compare Python's protobuf with.
    probe_cases = [Case(lane=Lane.PROBE, subject=schema.dir, name=DIVERGENCES)] if schema and settings.stubs else []
    # Who asks for the lane by its name is told of every body; in a check of everything it waits for a first decoder.
    named = Lane.NULLS in selection.lanes
    plan = Plan(
        pact_cases=tuple(pair for pair in pact_cases if selection.covers(pair[0])),
        interactions=tuple(planned for planned in interactions if selection.covers(planned.case)),
        schema_cases=tuple(case for case in schema_cases if selection.covers(case)),
        readings=tuple(
            planned for planned in plan_readings(settings, pacts, always=named) if selection.covers(planned.case)
        ),
        trials=tuple(
            planned for planned in plan_trials(settings, pacts, always=named) if selection.covers(planned.case)
        ),
        probe_cases=tuple(case for case in probe_cases if selection.covers(case)),
        findings=(*_missing_pacts(settings, pacts, selection), *_told_twice(pacts, selection)),
    )
    if plan.cases or plan.findings:
        return plan
    available = len(pact_cases) + len(interactions) + len(schema_cases) + len(probe_cases)
    return Plan(findings=(_nothing_selected(available, selection),))


def _check_participants(settings: Settings, pacts: tuple[Pact, ...], selection: Selection) -> None:
    known = {*settings.participants, *(name for pact in pacts for name in (pact.consumer, pact.provider))}
    for name in sorted(selection.participants - known):
        raise UsageError(
            f"unknown participant '{name}'",
            where="--participant",
            why=nearest(name, known),
            fix="name a participant of counterfoil.toml or of a pact",
        )


def _pact_case(pact: Pact) -> Case:
    return Case(lane=Lane.PACTS, subject=pact.pair, name=pact.path, participants=(pact.consumer, pact.provider))


def _planned(interaction: Interaction, pact: Pact) -> PlannedInteraction:
    case = Case(
        lane=Lane.VERIFY,
        subject=pact.pair,
        name=interaction.description,
        participants=(pact.consumer, pact.provider),
    )
    return PlannedInteraction(case, interaction, pact)


def _missing_pacts(settings: Settings, pacts: tuple[Pact, ...], selection: Selection) -> Iterable[Finding]:
    """No pact at all, or none from a participant that has consumer tests: a green run would prove too little."""
    if settings.pacts is None or selection.keyword or not selection.judges(Lane.PACTS, Lane.VERIFY):
        return
    where = Location(path=settings.pacts.dir)
    if not pacts:
        yield finding(
            "PACT_MISSING",
            settings.pacts.dir,
            f"there is no pact file in '{settings.pacts.dir}'",
            fix="run the consumer tests that write them: counterfoil consume"
            if any(participant.consumer for participant in settings.participants.values())
            else "say how tests write them in [participants.NAME.consumer] of counterfoil.toml; counterfoil consume",
            location=where,
        )
        return
    consumers = {pact.consumer for pact in pacts}
    for name, participant in settings.participants.items():
        if participant.consumer and name not in consumers and selection.concerns(name):
            yield finding(
                "PACT_MISSING",
                name,
                f"{name} has consumer tests, but no pact file in '{settings.pacts.dir}' names it as its consumer",
                fix=command_line("consume", "--participant", name),
                location=where,
            )


def _told_twice(pacts: tuple[Pact, ...], selection: Selection) -> Iterable[Finding]:
    chosen = [pact for pact in pacts if selection.concerns(pact.consumer, pact.provider)]
    return lint_together(chosen) if selection.judges(Lane.PACTS, Lane.VERIFY) and not selection.keyword else ()


def _nothing_selected(available: int, selection: Selection) -> Finding:
    if available and selection.is_narrow:
        return finding(
            "FILTER_MATCHED_NOTHING",
            selection.keyword or "selection",
            f"the selection matches none of the {available} cases, so nothing was judged",
            fix="loosen --lane, --participant or -k; 'counterfoil check --list' shows every case",
        )
    return finding(
        "FILTER_MATCHED_NOTHING",
        "counterfoil.toml",
        "there is nothing to judge: the configuration names neither pacts nor a schema",
        fix="add [pacts] or [schema] to counterfoil.toml",
    )
