"""Which versions bear on a question: those that are "in play", as `gate.facts.Facts` defines it.

Each query is driven by the ids of a few participants and answered from an index, so that its cost grows with the number
of a participant's integrations, not with the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, func, or_, select

from counterfoil.gate.facts import PresenceFact
from counterfoil.gate.question import Destination, Question, Selector
from counterfoil.ledger import tables
from counterfoil.ledger.presences import fact_of, live_rows
from counterfoil.ledger.sets import among
from counterfoil.ledger.tables import MembershipKind

NEWEST_TOLD = 3
MAIN_BRANCHES = ("develop", "main", "master")
"""Pact's candidates: a participant's main branch is the first of these that it ever gets, and then stays."""


@dataclass(slots=True, kw_only=True)
class Play:
    """The participants and versions that bear on a question, by id."""

    names: dict[int, str] = field(default_factory=dict)
    main_branches: dict[int, str] = field(default_factory=dict)
    """Only for a question that asks for main branches."""
    specified: frozenset[int] = frozenset()
    environments: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """The named environments that exist: id, and whether it is for production."""
    integrations: set[tuple[int, int]] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)
    """Version -> its participant."""
    selected: set[int] = field(default_factory=set)
    """Of these, the ones that the question's selectors pick."""
    ignored: set[int] = field(default_factory=set)
    """Versions that the question names to be left out; they need not be in play."""
    newest: set[int] = field(default_factory=set)
    """The newest versions of a participant of which a selector picks none; they are told, and not judged."""
    presences: list[PresenceFact] = field(default_factory=list)

    @property
    def own(self) -> list[int]:
        """The versions in play of the participants that the question names."""
        return [version for version, participant in self.versions.items() if participant in self.specified]

    def versions_of(self, participants: Iterable[int]) -> dict[int, list[int]]:
        """The versions in play, by participant."""
        found: dict[int, list[int]] = {one: [] for one in participants}
        for version, participant in self.versions.items():
            if participant in found:
                found[participant].append(version)
        return found


def find_play(connection: Connection, question: Question) -> Play:
    """What bears on the question."""
    play = Play(environments=_environments(connection, question))
    named = {*question.specified, *(ignored.participant for ignored in question.ignored)}
    _name(connection, play, tables.participant.c.name.in_(sorted(named)))
    play.specified = frozenset(key for key, name in play.names.items() if name in question.specified)
    if play.specified:
        table = tables.integration.c
        either = or_(*(among(connection, end, play.specified) for end in (table.consumer_id, table.provider_id)))
        rows = connection.execute(select(table.consumer_id, table.provider_id).where(either))
        play.integrations |= {(consumer, provider) for consumer, provider in rows}
    others = {one for pair in play.integrations for one in pair} - set(play.names)
    if others:
        _name(connection, play, among(connection, tables.participant.c.id, others))
    if asks_for_main_branches(question):
        _find_main_branches(connection, play)
    _add_live(connection, play)
    ids = {name: key for key, name in play.names.items()}
    for selector in question.selectors:
        if (participant := ids.get(selector.participant)) is not None:
            picked = set(_selected(connection, play, participant, selector))
            play.selected |= picked
            play.versions |= dict.fromkeys(picked, participant)
            play.newest |= set() if picked else set(connection.scalars(_newest_of(participant)))
    _add_destined(connection, play, question.destination or Destination())
    for one in question.ignored:
        if one.number is not None and one.participant in ids:
            play.ignored |= set(connection.scalars(_numbered(ids[one.participant], one.number)))
    return play


def asks_for_main_branches(question: Question) -> bool:
    """Whether any version is picked by its participant's main branch."""
    destination = question.destination
    return bool(destination and destination.main_branch) or any(one.main_branch for one in question.selectors)


def asks_for_memberships(question: Question) -> bool:
    """Whether any version is picked by a branch or a tag."""
    by_tag = bool(question.destination and question.destination.tag)
    by_selector = any(one.branch is not None or one.tag is not None for one in question.selectors)
    return by_tag or by_selector or asks_for_main_branches(question)


def _numbered(participant: int, number: str) -> Select[int]:
    table = tables.version.c
    return select(table.id).where(table.participant_id == participant, table.number == number)


def _newest_of(participant: int) -> Select[int]:
    table = tables.version.c
    return select(table.id).where(table.participant_id == participant).order_by(table.id.desc()).limit(NEWEST_TOLD)


def _name(connection: Connection, play: Play, condition: ColumnElement[bool]) -> None:
    table = tables.participant.c
    rows = connection.execute(select(table.id, table.name).where(condition))
    play.names |= {row.id: row.name for row in rows}


def _environments(connection: Connection, question: Question) -> dict[str, tuple[int, bool]]:
    named = {selector.environment for selector in question.selectors}
    named.add(question.destination.environment if question.destination else None)
    table = tables.environment
    columns = select(table.c.name, table.c.id, table.c.production)
    rows = connection.execute(columns.where(table.c.name.in_(sorted(name for name in named if name is not None))))
    return {row.name: (row.id, row.production) for row in rows}


def _first(kind: MembershipKind, name: str, what: ColumnElement[int], *, last: bool = False) -> ScalarSelect[int]:
    """Of a participant's memberships of one name the first or the last; one step in an index."""
    table = tables.membership
    order = table.c.id.desc() if last else table.c.id
    return (
        select(what)
        .where(table.c.participant_id == tables.participant.c.id, table.c.kind == kind, table.c.name == name)
        .order_by(order)
        .limit(1)
        .correlate(tables.participant)
        .scalar_subquery()
    )


def _newest() -> ScalarSelect[int]:
    """A participant's version that was created last; one step in an index."""
    table = tables.version.c
    mine = select(table.id).where(table.participant_id == tables.participant.c.id)
    return mine.order_by(table.id.desc()).limit(1).correlate(tables.participant).scalar_subquery()


def _newest_tagged(tag: str) -> ScalarSelect[int]:
    table = tables.membership
    mine = (table.c.participant_id == tables.participant.c.id, table.c.kind == MembershipKind.TAG, table.c.name == tag)
    return select(func.max(table.c.version_id)).where(*mine).correlate(tables.participant).scalar_subquery()


def _find_main_branches(connection: Connection, play: Play) -> None:
    """Each participant's main branch, if it has one, and the head of it, which is in play."""
    members = tables.membership.c
    columns = [
        column
        for name in MAIN_BRANCHES
        for column in (
            _first(MembershipKind.BRANCH, name, members.id).label(f"first_{name}"),
            _first(MembershipKind.BRANCH, name, members.version_id, last=True).label(f"head_{name}"),
        )
    ]
    mine = among(connection, tables.participant.c.id, play.names)
    for row in connection.execute(select(tables.participant.c.id, *columns).where(mine)).mappings():
        got = [(row[f"first_{name}"], name) for name in MAIN_BRANCHES if row[f"first_{name}"] is not None]
        if got:
            main_branch = min(got)[1]
            play.main_branches[row["id"]] = main_branch
            play.versions[row[f"head_{main_branch}"]] = row["id"]


def _add_destined(connection: Connection, play: Play, destination: Destination) -> None:
    """Whom the destination picks; of whoever has none in play, and of those named, the newest, to tell a reader of."""
    if destination.tag is not None:
        _add_each(connection, play, play.names, _newest_tagged(destination.tag))
    found = set(play.versions.values()) - play.specified
    _add_each(connection, play, play.names if destination.latest else set(play.names) - found, _newest())


def _add_each(connection: Connection, play: Play, participants: Iterable[int], which: ScalarSelect[int]) -> None:
    """One version of each participant, if it has such a one."""
    wanted = sorted(participants)
    if wanted:
        query = select(tables.participant.c.id, which.label("version"))
        rows = connection.execute(query.where(among(connection, tables.participant.c.id, wanted)))
        play.versions |= {version: participant for participant, version in rows if version is not None}


def _add_live(connection: Connection, play: Play) -> None:
    environments = [key for key, _ in play.environments.values()]
    if environments and play.names:
        for row in live_rows(connection, environments, play.names):
            play.presences.append(fact_of(row))
            play.versions[row.version_id] = row.participant_id


def _selected(connection: Connection, play: Play, participant: int, selector: Selector) -> Iterator[int]:
    """The versions that a selector picks."""
    table = tables.version
    query = select(table.c.id).where(table.c.participant_id == participant)
    if selector.number is not None:
        query = query.where(table.c.number == selector.number)
    if selector.environment is not None:
        live = {fact.version.number for fact in play.presences if _is_live_in(fact, selector)}
        query = query.where(table.c.number.in_(sorted(live)))
    main_branch = play.main_branches.get(participant) if selector.main_branch else None
    if selector.main_branch and main_branch is None:
        return
    branches = {one for one in (selector.branch, main_branch) if one is not None}
    for branch in branches:
        query = query.where(table.c.id.in_(_members(participant, MembershipKind.BRANCH, branch, head=selector.latest)))
    if selector.tag is not None:
        query = query.where(table.c.id.in_(_members(participant, MembershipKind.TAG, selector.tag)))
    if selector.latest and not branches:
        query = query.order_by(table.c.id.desc()).limit(1)
    yield from connection.scalars(query)


def _members(participant: int, kind: MembershipKind, name: str, *, head: bool = False) -> Select[int]:
    """The versions on a branch or with a tag; the head is that which came to the branch last."""
    table = tables.membership.c
    mine = (table.participant_id == participant, table.kind == kind, table.name == name)
    query = select(table.version_id).where(*mine)
    return query.order_by(table.id.desc()).limit(1) if head else query


def _is_live_in(fact: PresenceFact, selector: Selector) -> bool:
    return (fact.version.participant, fact.environment) == (selector.participant, selector.environment)
