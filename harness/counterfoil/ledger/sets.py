"""Sets of values inside statements: one parameter however many values there are, so a statement is compiled once."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    any_,
    bindparam,
    column,
    func,
    select,
)

Triple = tuple[int, int, int]


def among(connection: Connection, which: Column[int], values: Collection[int]) -> ColumnElement[bool]:
    """The column is one of the values."""
    if connection.dialect.name == "sqlite":
        each = func.json_each(_as_json(sorted(values))).table_valued("value")
        return which.in_(select(each.c.value))
    return which == any_(bindparam(None, sorted(values), type_=ARRAY(BigInteger)))


def table_of(connection: Connection, triples: Collection[Triple], names: tuple[str, str, str]) -> FromClause:
    """The triples as a table to join with, under the names of its columns."""
    ordered = sorted(triples)
    if connection.dialect.name == "sqlite":
        each = func.json_each(_as_json(ordered)).table_valued("value")
        places = [func.json_extract(each.c.value, f"$[{place}]", type_=BigInteger) for place in range(len(names))]
        return select(*(one.label(name) for one, name in zip(places, names, strict=True))).subquery("wanted")
    columns = [[triple[place] for triple in ordered] for place in range(len(names))]
    arrays = [bindparam(None, values, type_=ARRAY(BigInteger)) for values in columns]
    unnested = func.unnest(*arrays).table_valued(*(column(name, BigInteger) for name in names))
    return unnested.render_derived(name="wanted")


def _as_json(values: object) -> str:
    return msgspec.json.encode(values).decode()
