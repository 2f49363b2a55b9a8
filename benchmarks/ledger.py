"""How long the ledger takes to answer in a long history, and whether that grows with a participant's integrations only.

The history: 1,000 participants with 200 versions each, 3,000 integrations, 1,000,000 verifications. In it, one consumer
has 5 integrations, one 50 and one 500, so that growth can be seen. What is measured is the time in which the ledger
answers: reading the facts of a `can-i-deploy`, and deciding on them; publishing a version with a pact. Beside it stands
how much of that the database took for the statements (with SQLite: up to their first rows).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from counterfoil.core.pact_content import PactContent, digest_of, normalised
from counterfoil.gate.decision import decide
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.question import Destination, Question, Selector
from counterfoil.ledger import tables
from counterfoil.ledger.address import VARIABLE, find_address
from counterfoil.ledger.database import Database
from counterfoil.ledger.entries import Run
from counterfoil.ledger.store import Ledger
from sqlalchemy import Connection, Engine, Table, event, func, insert, select, text

from tests.postgresql import running_server

PARTICIPANTS, VERSIONS, INTEGRATIONS, VERIFICATIONS = 1_000, 200, 3_000, 1_000_000
HUBS = {1: 5, 2: 50, 3: 500}
"""The integrations of a few participants, by their id; the others share the rest."""
DECISION_GOAL_S, PUBLISH_GOAL_S = 0.100, 0.050
REPEATS = 15
GOOD = 0.9
"""The share of verifications that succeed."""
BATCH = 20_000
ENVIRONMENT = 1
Row = dict[str, object]


def run() -> Iterator[str]:
    """The figures, one a line, each with its goal."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
        yield from _measured("SQLite", {VARIABLE: f"sqlite:///{folder}/ledger.db"})
    with running_server() as server:
        yield from _measured("PostgreSQL", {VARIABLE: server.create("bench")})


def _measured(name: str, environment: dict[str, str]) -> Iterator[str]:
    database = Database(find_address(None, environment))
    started = time.perf_counter()
    seed(database)
    yield f"{name}: seeded in {time.perf_counter() - started:.0f} s"
    ledger = Ledger(database)
    best = {}
    for hub, integrations in {**HUBS, 900: INTEGRATIONS // PARTICIPANTS}.items():
        question = Question(
            selectors=(Selector(participant=f"p{hub}", number=str(VERSIONS)),),
            destination=Destination(environment="prod"),
        )
        best[integrations] = _best(partial(_decided, ledger, question))
        yield _figure(f"{name}: can-i-deploy, {integrations} integrations", best[integrations], DECISION_GOAL_S)
    growth = [best[50].whole_s / best[5].whole_s, best[500].whole_s / best[50].whole_s]
    yield f"{name}: ten times the integrations take {growth[0]:.1f}, then {growth[1]:.1f} times as long"
    numbers = iter(range(REPEATS + 1))
    yield _figure(f"{name}: publishing a version", _best(lambda: _publish(ledger, next(numbers))), PUBLISH_GOAL_S)


def _decided(ledger: Ledger, question: Question) -> None:
    decide(ledger.facts(question), question)


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """How long something took, and how much of that its statements did."""

    whole_s: float
    statements_s: float


def _figure(name: str, taken: Taken, goal_s: float) -> str:
    told = f"{taken.whole_s * 1000:7.1f} ms, statements {taken.statements_s * 1000:6.1f} ms"
    verdict = "met" if taken.whole_s < goal_s else "met by the statements" if taken.statements_s < goal_s else "MISSED"
    return f"{name:46} {told}   goal {goal_s * 1000:g} ms: {verdict}"


def _best(work: Callable[[], object]) -> Taken:
    """The best of several times: whatever else the machine does can only make it slower."""
    work()
    return min(_taken(work) for _ in range(REPEATS))


def _taken(work: Callable[[], object]) -> Taken:
    begun, took = [0.0], [0.0]

    def before(*_: object) -> None:
        begun[0] = time.perf_counter()

    def after(*_: object) -> None:
        took[0] += time.perf_counter() - begun[0]

    listeners = {"before_cursor_execute": before, "after_cursor_execute": after}
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    started = time.perf_counter()
    work()
    whole_s = time.perf_counter() - started
    for name, listener in listeners.items():
        event.remove(Engine, name, listener)
    return Taken(whole_s, took[0])


def _publish(ledger: Ledger, number: int) -> None:
    body = normalised({"messages": [{"description": f"new {number}", "contents": {"id": number}}]})
    with ledger.recording(Run(command="publish")) as into:
        into.version(VersionRef("p900", f"new-{number}"), branch="main", tags=["candidate"])
        into.pact(f"new-{number}", PactContent(consumer="p900", provider="p1", body=body, digest=digest_of(body)))


def integrations_of_history(draw: random.Random) -> list[tuple[int, int]]:
    """(consumer, provider) by id, each once: those of the hubs, and as many more as there have to be."""
    pairs = dict.fromkeys((hub, provider) for hub, count in HUBS.items() for provider in range(11, 11 + count))
    while len(pairs) < INTEGRATIONS:
        consumer, provider = draw.randint(len(HUBS) + 8, PARTICIPANTS), draw.randint(len(HUBS) + 8, PARTICIPANTS)
        if consumer != provider:
            pairs.setdefault((consumer, provider))
    return list(pairs)


def seed(database: Database) -> None:
    """Fill an empty ledger. A pact changes every ten versions; each content is tried by many provider versions."""
    draw = random.Random(0)  # noqa: S311  (nothing secret)
    pairs = integrations_of_history(draw)
    with database.writing() as connection:
        connection.execute(insert(tables.run), _runs())
        _add(connection, tables.participant, ({"id": one, "run_id": 1, "name": f"p{one}"} for one in _participants()))
        _add(connection, tables.version, _versions())
        _add(connection, tables.membership, _memberships())
        _add(connection, tables.content, _contents(len(pairs)))
        _add(connection, tables.integration, _pairs(pairs))
        _add(connection, tables.pact, _pacts(pairs))
        _add(connection, tables.verification, _verifications(pairs, draw))
        _add(connection, tables.environment, [_environment()])
        _add(connection, tables.presence, _presences())
        if connection.dialect.name == "postgresql":
            for table in tables.metadata.sorted_tables:
                sequence = func.setval(func.pg_get_serial_sequence(table.name, "id"), func.max(table.c.id))
                connection.execute(select(sequence))
            connection.execute(text("ANALYZE"))  # as a server does by itself; with SQLite, nobody does


def _add(connection: Connection, table: Table, rows: Iterator[Row] | list[Row]) -> None:
    batch: list[Row] = []
    for number, row in enumerate(rows, start=1):
        batch.append({"id": number, "run_id": 1, **row})
        if len(batch) == BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _participants() -> range:
    return range(1, PARTICIPANTS + 1)


def _version(participant: int, number: int) -> int:
    """Versions were made in turn, so their ids are as scattered as in a real history."""
    return (number - 1) * PARTICIPANTS + participant


def _runs() -> list[Row]:
    return [
        {
            "id": 1,
            "key": "seed",
            "at": "2027-01-31T12:00:00.000000Z",
            "command": "seed",
            "counterfoil": "0",
            "dirty": False,
        }
    ]


def _versions() -> Iterator[Row]:
    for number in range(1, VERSIONS + 1):
        for one in _participants():
            yield {"participant_id": one, "number": str(number)}


def _memberships() -> Iterator[Row]:
    for number in range(1, VERSIONS + 1):
        for one in _participants():
            branch = "main" if number % 4 == 0 else f"feature-{number}"
            yield {"version_id": _version(one, number), "participant_id": one, "kind": "branch", "name": branch}


CONTENTS = VERSIONS // 10
"""Contents of each integration."""


def _contents(pairs: int) -> Iterator[Row]:
    for number in range(pairs * CONTENTS):
        body = normalised({"messages": [{"description": f"{number}", "contents": {}}]})
        yield {"kind": "pact", "digest": digest_of(body), "body": body}


def _content(pair: int, number: int) -> int:
    return pair * CONTENTS + (number - 1) // 10 + 1


def _pairs(pairs: list[tuple[int, int]]) -> Iterator[Row]:
    return ({"consumer_id": consumer, "provider_id": provider} for consumer, provider in pairs)


def _pacts(pairs: list[tuple[int, int]]) -> Iterator[Row]:
    for number in range(1, VERSIONS + 1):
        for pair, (consumer, provider) in enumerate(pairs):
            ends = {"consumer_id": consumer, "provider_id": provider, "content_id": _content(pair, number)}
            yield {"version_id": _version(consumer, number), **ends}


def _verifications(pairs: list[tuple[int, int]], draw: random.Random) -> Iterator[Row]:
    """Every provider version tried the content of its day; the rest are tries of any content by any version."""
    made = 0
    for number in range(1, VERSIONS + 1):
        for pair, (consumer, provider) in enumerate(pairs):
            made += 1
            yield _tried(consumer, _content(pair, number), _version(provider, number), success=True)
    while made < VERIFICATIONS:
        made += 1
        pair = draw.randrange(len(pairs))
        consumer, provider = pairs[pair]
        number = draw.randint(1, VERSIONS)
        content = _content(pair, draw.randint(1, VERSIONS))
        yield _tried(consumer, content, _version(provider, number), success=draw.random() < GOOD)


def _tried(consumer: int, content: int, version: int, *, success: bool) -> Row:
    return {"consumer_id": consumer, "content_id": content, "provider_version_id": version, "success": success}


def _environment() -> Row:
    return {"id": ENVIRONMENT, "name": "prod", "display_name": "prod", "production": True}


def _presences() -> Iterator[Row]:
    """Every version on the main branch was deployed once; the last stays."""
    for number in range(4, VERSIONS + 1, 4):
        for one in _participants():
            slot = {"environment_id": ENVIRONMENT, "participant_id": one, "kind": "deployed", "instance": ""}
            yield {**slot, "version_id": _version(one, number), "live": True}
