"""Which versions bear on a question: those that are "in play", as `gate.facts.Facts` defines it.

Each query is driven by the ids of a few participants and answered from an index, so that its cost grows with the number
of a participant's integrations, not with the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, func, literal, or_, select

from counterfoil.gate.facts import PresenceFact
from counterfoil.gate.question import Question, Selector
from counterfoil.ledger import tables
from counterfoil.ledger.presences import fact_of, live_rows
from counterfoil.ledger.tables import MembershipKind

MAIN_BRANCHES = ("develop", "main", "master")
"""Pact's candidates: a participant's main branch is the first of these that it ever gets, and then stays."""
BATCH = 500
"""How many values stand in one statement: databases bound them."""


@dataclass(slots=True, kw_only=True)
class Play:
    """The participants and versions that bear on a question, by id."""

    names: dict[int, str] = field(default_factory=dict)
    main_branches: dict[int, str] = field(default_factory=dict)
    specified: frozenset[int] = frozenset()
    environments: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """The named environments that exist: id, and whether it is for production."""
    integrations: set[tuple[int, int]] = field(default_factory=set)
    versions: set[int] = field(default_factory=set)
    selected: set[int] = field(default_factory=set)
    """Of these, the ones that the question's selectors pick."""
    ignored: set[int] = field(default_factory=set)
    """Versions that the question names to be left out; they need not be in play."""
    presences: list[PresenceFact] = field(default_factory=list)


def batched(values: Collection[int]) -> Iterator[Sequence[int]]:
    """The values, sorted, a few hundred at a time."""
    ordered = sorted(values)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


def find_play(connection: Connection, question: Question) -> Play:
    """What bears on the question."""
    play = Play(environments=_environments(connection, question))
    named = {*question.specified, *(ignored.participant for ignored in question.ignored)}
    _name(connection, play, tables.participant.c.name.in_(sorted(named)))
    play.specified = frozenset(key for key, name in play.names.items() if name in question.specified)
    table = tables.integration
    for some in batched(play.specified):
        either = or_(table.c.consumer_id.in_(some), table.c.provider_id.in_(some))
        rows = connection.execute(select(table.c.consumer_id, table.c.provider_id).where(either))
        play.integrations |= {(row.consumer_id, row.provider_id) for row in rows}
    for some in batched({one for pair in play.integrations for one in pair} - set(play.names)):
        _name(connection, play, tables.participant.c.id.in_(some))
    heads = _heads(connection, play, question)
    for key in play.names:
        play.versions |= {version for version in heads[key].values() if version is not None}
    _add_live(connection, play)
    ids = {name: key for key, name in play.names.items()}
    for selector in question.selectors:
        if selector.participant in ids:
            play.selected |= set(_selected(connection, play, ids[selector.participant], selector))
    play.versions |= play.selected
    for one in question.ignored:
        if one.number is not None and one.participant in ids:
            play.ignored |= set(connection.scalars(_numbered(ids[one.participant], one.number)))
    return play


def _numbered(participant: int, number: str) -> Select[int]:
    table = tables.version.c
    return select(table.id).where(table.participant_id == participant, table.number == number)


def _name(connection: Connection, play: Play, condition: ColumnElement[bool]) -> None:
    table = tables.participant
    rows = connection.execute(select(table.c.id, table.c.name).where(condition))
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


def _heads(connection: Connection, play: Play, question: Question) -> dict[int, dict[str, int | None]]:
    """Of each participant the newest version, the head of its main branch, the newest with the destination's tag."""
    members, versions = tables.membership.c, tables.version.c
    newest = (
        select(versions.id)
        .where(versions.participant_id == tables.participant.c.id)
        .order_by(versions.id.desc())
        .limit(1)
        .correlate(tables.participant)
        .scalar_subquery()
    )
    columns = [tables.participant.c.id, newest.label("newest")]
    for name in MAIN_BRANCHES:
        columns.append(_first(MembershipKind.BRANCH, name, members.id).label(f"first_{name}"))
        columns.append(_first(MembershipKind.BRANCH, name, members.version_id, last=True).label(f"head_{name}"))
    tag = question.destination.tag if question.destination else None
    tagged = literal(None) if tag is None else _newest_tagged(tag)
    heads: dict[int, dict[str, int | None]] = {}
    for some in batched(play.names):
        for row in connection.execute(
            select(*columns, tagged.label("tagged")).where(tables.participant.c.id.in_(some))
        ).mappings():
            heads[row["id"]] = {"newest": row["newest"], "tagged": row["tagged"]}
            got = [(row[f"first_{name}"], name) for name in MAIN_BRANCHES if row[f"first_{name}"] is not None]
            if got:
                play.main_branches[row["id"]] = min(got)[1]
                heads[row["id"]]["main"] = row[f"head_{min(got)[1]}"]
    return heads


def _newest_tagged(tag: str) -> ScalarSelect[int]:
    table = tables.membership
    mine = (table.c.participant_id == tables.participant.c.id, table.c.kind == MembershipKind.TAG, table.c.name == tag)
    return select(func.max(table.c.version_id)).where(*mine).correlate(tables.participant).scalar_subquery()


def _add_live(connection: Connection, play: Play) -> None:
    environments = [key for key, _ in play.environments.values()]
    for some in batched(play.names) if environments else ():
        for row in live_rows(connection, environments, some):
            play.presences.append(fact_of(row))
            play.versions.add(row.version_id)


def _selected(connection: Connection, play: Play, participant: int, selector: Selector) -> Iterator[int]:
    """The versions that a selector picks."""
    table, members = tables.version, tables.membership
    query = select(table.c.id).where(table.c.participant_id == participant)
    if selector.number is not None:
        yield from connection.scalars(_numbered(participant, selector.number))
        return
    if selector.environment is not None:
        live = {(fact.version.number) for fact in play.presences if _is_live_in(fact, selector)}
        yield from connection.scalars(query.where(table.c.number.in_(sorted(live))))
        return
    branch = selector.branch or (play.main_branches.get(participant) if selector.main_branch else None)
    if selector.main_branch and branch is None:
        return
    for kind, name in ((MembershipKind.BRANCH, branch), (MembershipKind.TAG, selector.tag)):
        if name is not None:
            mine = (members.c.participant_id == participant, members.c.kind == kind, members.c.name == name)
            query = query.where(table.c.id.in_(select(members.c.version_id).where(*mine)))
    if selector.latest and branch is not None and selector.tag is None:
        mine = (
            members.c.participant_id == participant,
            members.c.kind == MembershipKind.BRANCH,
            members.c.name == branch,
        )
        query = select(members.c.version_id).where(*mine).order_by(members.c.id.desc()).limit(1)
    elif selector.latest:
        query = query.order_by(table.c.id.desc()).limit(1)
    yield from connection.scalars(query)


def _is_live_in(fact: PresenceFact, selector: Selector) -> bool:
    return (fact.version.participant, fact.environment) == (selector.participant, selector.environment)
